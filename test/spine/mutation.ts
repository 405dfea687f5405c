/**
 * Mutations of the emitted Verilog: one operator changed, somewhere in a design. Each must be seen by a few random layers.
 * Of those that are not seen, Yosys proves some to change nothing (`a < b ? a : b` is the same with `<=`); the others are listed,
 * as each is either without effect in what can happen, or a hole of the spine.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readVerilog, streamsOf } from "../../driver/transport/rtl-simulator.js";
import { memoryOf } from "../../driver/transport/local.js";
import { streamPorts } from "../../driver/stream.js";
import { elaborate, type Elaborated } from "../../hw/index.js";
import type { VerilogDesign } from "../../hw/verilog/design.js";
import { mulberry32 } from "../../sim/environment.js";
import { buildSimulator, type Built } from "../../sim/rtl/build.js";
import { runSimulator, type RtlRun } from "../../sim/rtl/simulate.js";
import { essence, runKernel, type Outcome } from "../sim/rtl/compare.js";
import { compileCase, drawCase, type Case } from "./case.js";
import { firstDifference } from "../support/difference.js";
import { installed } from "./engines.js";
import { provedEqual } from "./equivalence.js";
import type { Configuration } from "./pool.js";
import type { Progress, Row } from "./report.js";

export interface Mutation {
  readonly file: string;
  /** Offset in the file, and what stands there. */
  readonly at: number;
  readonly from: string;
  readonly to: string;
  /** The line, with the change marked. */
  readonly text: string;
}

const SWAPS: readonly (readonly [string, string])[] = [
  [" + ", " - "],
  [" - ", " + "],
  [" * ", " + "],
  [" == ", " != "],
  [" != ", " == "],
  [" < ", " <= "],
  [" > ", " >= "],
  [" >= ", " > "],
  [" && ", " || "],
  [" || ", " && "],
  [" & ", " | "],
  [" | ", " & "],
];

/** Every operator of the text that can be changed: not in comments, declarations and generate loops. */
export function mutationsOf(design: VerilogDesign): Mutation[] {
  const found: Mutation[] = [];
  for (const [file, text] of design.files) {
    let start = 0;
    let counts = false;
    for (const line of text.split("\n")) {
      // What only simulation has is not hardware.
      if (/^`ifdef TANDEM_COUNTERS/.test(line)) counts = true;
      if (/^`endif/.test(line)) counts = false;
      const code = line.replace(/\/\/.*$/, "");
      const frozen = /^\s*(input|output|parameter|localparam|genvar|for|function|reg|`)\b|\[[^\]]* [-+*] [^\]]*\]/.test(
        code,
      );
      for (const [from, to] of frozen || counts ? [] : SWAPS)
        for (let at = code.indexOf(from); at >= 0; at = code.indexOf(from, at + 1))
          found.push({
            file,
            at: start + at,
            from,
            to,
            text: `${code.slice(0, at)} >>${to.trim()}<< ${code.slice(at + from.length)}`.trim(),
          });
      start += line.length + 1;
    }
  }
  return found;
}

export function mutate(design: VerilogDesign, { file, at, from, to }: Mutation): VerilogDesign {
  const text = design.files.get(file)!;
  return { ...design, files: new Map(design.files).set(file, text.slice(0, at) + to + text.slice(at + from.length)) };
}

/** A design that was emitted, with layers and the kernel's answers to them. */
export class Trial {
  readonly design: VerilogDesign;
  readonly #elaborated: Elaborated;
  readonly #cases: readonly { readonly run: RtlRun; readonly expected: unknown; readonly clocks: number }[];

  constructor(design: VerilogDesign, elaborated: Elaborated, cases: readonly Case[]) {
    this.design = design;
    this.#elaborated = elaborated;
    this.#cases = cases.map((one) => {
      const run = streamsOfCase(one);
      const outcome = kernelOf(one, run);
      return { run, expected: essence(outcome), clocks: outcome.clocks };
    });
  }

  static async of(configuration: Configuration, seed: number, count: number): Promise<Trial> {
    const { design, parameters } = configuration;
    const elaborated = elaborate(design.build(design.configure(parameters)));
    const cases = Array.from({ length: count }, (_, index) => drawCase([configuration], seed, index));
    return new Trial(await readVerilog(elaborated), elaborated, cases);
  }

  /** The first difference that a case shows; undefined where all are equal, null where the text is no Verilog any more. */
  async difference(mutant: VerilogDesign): Promise<string | undefined | null> {
    // Nobody asks for a mutant again.
    const cache = mkdtempSync(join(tmpdir(), "tandem-mutant-"));
    try {
      return await this.#differenceIn(mutant, cache);
    } finally {
      rmSync(cache, { recursive: true, force: true });
    }
  }

  async #differenceIn(mutant: VerilogDesign, cache: string): Promise<string | undefined | null> {
    let built: Built;
    try {
      built = await buildSimulator(mutant, { simulator: "icarus", cache });
    } catch {
      return null;
    }
    for (const { run, expected, clocks } of this.#cases) {
      try {
        // A mutant may run for ever, or oscillate within a clock.
        const limits = { limit: 4 * clocks + 1000, timeout: 60_000 };
        const {
          outputs,
          counters,
          clocks: passed,
        } = await runSimulator(built, mutant, this.#elaborated, { ...run, ...limits });
        const found = firstDifference(expected, essence({ outputs, clocks: passed, counters: counters! }), "");
        if (found !== undefined) return found;
      } catch (error) {
        return error instanceof Error ? error.message.split("\n")[0]! : String(error);
      }
    }
    return undefined;
  }
}

/** What a case sends and wants, as tokens. */
export function streamsOfCase(one: Case): RtlRun {
  const { design, parameters } = one.configuration;
  const { program, inputs } = compileCase(one);
  const ports = streamPorts(elaborate(design.build(design.configure(parameters))));
  return streamsOf(program, ports, memoryOf(program, inputs), one.stalls).run;
}

export const kernelOf = ({ configuration: { design, parameters } }: Case, run: RtlRun): Outcome =>
  runKernel(design.build(design.configure(parameters)), run);

/** `count` operators of a design, drawn from `seed`, changed one at a time. */
export async function runMutations(
  { configuration, seed, count, cases }: { configuration: Configuration; seed: number; count: number; cases: number },
  progress: Progress,
): Promise<Row & { readonly survivors: readonly Mutation[] }> {
  const part = `${configuration.design.name}, Verilog mutations`;
  const nothing = { part, cases: 0, clocks: 0, differences: 0, survivors: [] };
  if (!installed("icarus")) return { ...nothing, note: "left out: iverilog is not installed" };
  const trial = await Trial.of(configuration, seed, cases);
  const sites = mutationsOf(trial.design);
  const random = mulberry32(seed);
  const survivors: Mutation[] = [];
  let caught = 0;
  let tried = 0;
  while (tried < count && sites.length > 0) {
    const [mutation] = sites.splice(Math.floor(random() * sites.length), 1);
    progress.step(`mutation ${tried + 1} of ${count}: ${mutation!.file}: ${mutation!.text}`, tried / count);
    const seen = await trial.difference(mutate(trial.design, mutation!));
    if (seen === null) continue;
    tried++;
    if (seen === undefined) survivors.push(mutation!);
    else caught++;
  }
  const open: Mutation[] = [];
  for (const [i, survivor] of survivors.entries()) {
    const what = `${survivor.file}: ${survivor.text}`;
    progress.step(
      `mutation ${i + 1} of the ${survivors.length} that were not caught, proof: ${what}`,
      i / survivors.length,
    );
    const equal = await provedEqual(trial.design.files, mutate(trial.design, survivor).files, survivor.file);
    progress.note(`${equal ? "without effect, proved" : "not caught"}: ${what}`);
    if (!equal) open.push(survivor);
  }
  const proved = survivors.length - open.length;
  const note = `${caught} caught, ${proved} proved to be without effect, ${open.length} neither`;
  return { part, cases: tried, clocks: 0, differences: 0, note, survivors: open };
}
