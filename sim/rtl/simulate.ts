/** Runs of a built simulator: tokens in, tokens with their clocks and all counters out, as the kernel gives them. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TandemError } from "../../hw/errors.js";
import type { Elaborated } from "../../hw/elaborate.js";
import { fromBits, toBits } from "../../hw/verilog/pack.js";
import type { VerilogDesign } from "../../hw/verilog/design.js";
import type { Counters } from "../kernel/counters.js";
import type { Built } from "./build.js";
import { runTool } from "./tools.js";

/** What the environment gives to an input: tokens, the i-th at the earliest `gaps[i % length]` clocks after the last. */
export interface Source {
  readonly values: readonly unknown[];
  readonly gaps?: readonly number[];
}

/** What it takes from an output; everything, at once, by default. */
export interface Sink {
  /** Tokens to take. */
  readonly count?: number;
  /** Clocks to wait before each token, used in turn; at most 65,536. */
  readonly gaps?: readonly number[];
}

export interface RtlRun {
  readonly inputs?: Readonly<Record<string, Source>>;
  readonly outputs?: Readonly<Record<string, Sink>>;
  /** Stop before this clock. */
  readonly until?: number;
  /** Refuse to run longer. */
  readonly limit?: number;
  /** Refuse to run on when no token has passed an outer port for so many clocks. */
  readonly patience?: number;
  /** Milliseconds of wall time after which the simulator is ended: a loop within a clock never comes to a limit. */
  readonly timeout?: number;
  readonly progress?: (clock: number) => void;
}

export interface Left {
  readonly clock: number;
  readonly value: unknown;
}

export interface RtlResult {
  /** Clocks from 0 to the last in which anything moved. */
  readonly clocks: number;
  readonly outputs: Readonly<Record<string, readonly Left[]>>;
  /** Undefined where the simulator was built without. */
  readonly counters: Counters | undefined;
  /** Clocks in which a control signal was X (Icarus). */
  readonly unknown: readonly number[];
}

export async function runSimulator(
  built: Built,
  design: VerilogDesign,
  elaborated: Elaborated,
  run: RtlRun,
): Promise<RtlResult> {
  const work = mkdtempSync(join(tmpdir(), "tandem-rtl-"));
  try {
    writeStreams(work, design, run);
    const reader = new Reader(design, elaborated);
    const { status, stderr, timedOut } = await start(built, work, run, reader);
    if (timedOut)
      throw new TandemError(`${design.top}: the ${built.simulator} model was ended after ${run.timeout ?? 0} ms`);
    if (status !== 0 || reader.end === undefined)
      throw new TandemError(
        `The ${built.simulator} model of ${design.top} ended without a result: ${stderr.slice(0, 2000)}`,
      );
    if (reader.limited)
      throw new TandemError(`${design.top}: still running after ${run.limit ?? 0} clocks`, {
        hint: "Raise the limit, or look for a process that polls without end.",
      });
    if (reader.quiet)
      throw new TandemError(
        `${design.top}: no token has passed an outer port for ${run.patience ?? 0} clocks, yet the design runs on (clock ${reader.end.now})`,
        { hint: "Look for a process that polls without end, or for a loop that does not advance." },
      );
    if (reader.fault !== undefined) throw new TandemError(reader.fault);
    return reader.result(built.counters);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function start(built: Built, work: string, run: RtlRun, reader: Reader): ReturnType<typeof runTool> {
  const until = run.until ?? 0;
  const limit = run.limit ?? 0;
  const patience = run.patience ?? 0;
  const line = (text: string): void => reader.line(text);
  if (built.simulator === "icarus") {
    const args = ["-n", join(built.folder, "model.vvp"), `+until=${until}`, `+limit=${limit}`];
    args.push(`+patience=${patience}`);
    return runTool("vvp", args, work, { line, timeout: run.timeout });
  }
  const diagnostic = (text: string): void => {
    const clock = /clock (\d+)/.exec(text);
    if (clock) run.progress?.(Number(clock[1]));
  };
  const args = [until, limit, patience].map(String);
  return runTool(join(built.folder, "model"), args, work, { line, diagnostic, timeout: run.timeout });
}

function writeStreams(work: string, design: VerilogDesign, run: RtlRun): void {
  for (const name of [...Object.keys(run.inputs ?? {}), ...Object.keys(run.outputs ?? {})])
    if (!design.ports.some((port) => port.name === name))
      throw new TandemError(`${design.top} has no outer port "${name}"`, {
        hint: `It has ${design.ports.map((port) => port.name).join(", ")}.`,
      });
  for (const { name, direction, channel } of design.ports) {
    if (direction === "in") {
      const source = run.inputs?.[name];
      if (!source) continue;
      const gaps = source.gaps ?? [];
      const digits = Math.ceil(channel.type.bits / 4);
      const lines = source.values.map((value, i) => {
        const gap = gaps.length > 0 ? gaps[i % gaps.length]! : 0;
        return `${gap} ${toBits(channel.type, value).toString(16).padStart(digits, "0")}\n`;
      });
      writeFileSync(join(work, `${name}.in`), lines.join(""));
    } else {
      const sink = run.outputs?.[name];
      writeFileSync(join(work, `${name}.gaps`), [sink?.count ?? -1, ...(sink?.gaps ?? [])].join("\n") + "\n");
    }
  }
}

/** Takes the lines that a simulator prints. */
class Reader {
  readonly #design: VerilogDesign;
  readonly #elaborated: Elaborated;
  readonly #outputs: Record<string, Left[]> = {};
  readonly #unknown: number[] = [];
  readonly #rows = new Map<string, string[]>();
  end: { clocks: number; now: number } | undefined;
  limited = false;
  quiet = false;
  /** What is wrong with the tokens that left. */
  fault: string | undefined;

  constructor(design: VerilogDesign, elaborated: Elaborated) {
    this.#design = design;
    this.#elaborated = elaborated;
    for (const { name, direction } of design.ports) if (direction === "out") this.#outputs[name] = [];
  }

  line(text: string): void {
    const [kind, ...words] = text.trim().split(/ +/);
    if (kind === "o") {
      const { name, channel } = this.#design.ports[Number(words[0])]!;
      const hex = words[2]!;
      if (/[xz]/i.test(hex))
        this.fault ??= `${this.#design.top}: ${name} gives an unknown value (${hex}) in clock ${words[1]!}`;
      else this.#outputs[name]!.push({ clock: Number(words[1]), value: fromBits(channel.type, BigInt(`0x${hex}`)) });
    } else if (kind === "end") this.end = { clocks: Number(words[0]), now: Number(words[1]) };
    else if (kind === "x") this.#unknown.push(Number(words[0]));
    else if (kind === "limit") this.limited = true;
    else if (kind === "quiet") this.quiet = true;
    else if (kind && /^[pcmg]$/.test(kind)) this.#rows.set(`${kind}${words[0]!}`, words.slice(1));
  }

  result(counters: boolean): RtlResult {
    return {
      clocks: this.end!.clocks,
      outputs: this.#outputs,
      counters: counters ? this.#counters() : undefined,
      unknown: this.#unknown,
    };
  }

  #counters(): Counters {
    const { clocks, now } = this.end!;
    const { probes } = this.#design;
    // Nothing moved after the last clock that counts, so each process stood where it stands now.
    const extra = now - clocks;
    const row = (kind: string, i: number): number[] => (this.#rows.get(`${kind}${i}`) ?? []).map(Number);
    return {
      clocks,
      // What stands inside a black box is not seen.
      processes: this.#elaborated.processes.flatMap((node) => {
        const i = probes.processes.findIndex((probe) => probe.node === node);
        if (i < 0) return [];
        const [standing = "", busy = "0", ...counts] = this.#rows.get(`p${i}`) ?? [];
        const stalls = probes.processes[i]!.stalls.map(({ side, channel }, k) => {
          const here = standing[standing.length - 1 - k] === "1";
          return { channel, on: side, clocks: Number(counts[k]) - (here ? extra : 0) };
        }).filter((stall) => stall.clocks > 0);
        const stalled = stalls.reduce((sum, stall) => sum + stall.clocks, 0);
        return { path: node.path, busy: Number(busy), stalls, idle: clocks - Number(busy) - stalled, estimated: 0 };
      }),
      channels: this.#elaborated.channels.flatMap((channel) => {
        const i = probes.channels.findIndex((probe) => probe.channel === channel);
        if (i < 0) return [];
        const [pushed = 0, popped = 0, occupied = 0, maxOccupancy = 0] = row("c", i);
        const sum = occupied - extra * (pushed - popped);
        const meanOccupancy = clocks > 0 ? sum / clocks : 0;
        return { path: channel.path, pushed, popped, meanOccupancy, maxOccupancy };
      }),
      memories: probes.memories.map(({ path }, i) => {
        const [reads = 0, writes = 0] = row("m", i);
        return { path, reads, writes };
      }),
      grids: probes.grids.map(({ path, cells }, i) => {
        const [waves = 0] = row("g", i);
        return { path, waves, cellSteps: waves * cells };
      }),
    };
  }
}
