/**
 * A device that is a simulation of the Verilog of a design, under Verilator or Icarus: the same programs over the same
 * streams as the kernel's simulator, with ideal DMA. The simulator is built once per configuration and kept in a cache.
 */
import { readDesign } from "../../hw/frontend/index.js";
import { formatDiagnostic } from "../../hw/check/diagnostic.js";
import { elaborate, type Elaborated } from "../../hw/elaborate.js";
import { TandemError } from "../../hw/errors.js";
import { emitVerilog, type VerilogDesign } from "../../hw/verilog/design.js";
import type { SourceLine } from "../../hw/verilog/process-scope.js";
import { stallsOf, type RandomStalls } from "../../sim/environment.js";
import { buildSimulator, type BuildOptions, type Built } from "../../sim/rtl/build.js";
import { runSimulator, type RtlResult, type RtlRun } from "../../sim/rtl/simulate.js";
import type { SimulatorName } from "../../sim/rtl/tools.js";
import type { Design } from "../design.js";
import type { DeviceDescription, ParameterValue, RunProgress, RunResult } from "../device.js";
import type { Program, StreamPort } from "../program.js";
import { streamPorts, type Beat } from "../stream.js";
import { ReceiveChannel, SendChannel } from "./dma.js";
import { LocalSimulation, memoryOf, outputsOf, PATIENCE } from "./local.js";

export interface RtlOptions {
  /** `verilator` by default. */
  readonly simulator?: SimulatorName;
  readonly stalls?: RandomStalls;
  /** Clocks without a single beat on any stream after which a run is given up; 2 million by default. */
  readonly patience?: number;
  /** Milliseconds of wall time for one run; no limit by default. */
  readonly timeout?: number;
  readonly build?: Omit<BuildOptions, "simulator">;
}

/** The Verilog of a module tree; a `TandemError` with the first breach where its source is no hardware. */
export async function readVerilog(elaborated: Elaborated, source?: SourceLine): Promise<VerilogDesign> {
  const { ir, diagnostics } = await readDesign(elaborated);
  const [first] = diagnostics;
  if (first)
    throw new TandemError(`${elaborated.top.path} cannot become Verilog:\n${formatDiagnostic(first)}`, {
      hint: `tandem check shows ${diagnostics.length === 1 ? "it" : `all ${diagnostics.length} breaches`}.`,
    });
  return emitVerilog(ir, source ? { source } : {});
}

export class RtlSimulator extends LocalSimulation {
  readonly #elaborated: Elaborated;
  readonly #verilog: VerilogDesign;
  readonly #built: Built;
  readonly #options: RtlOptions;

  /** Emits and builds; the first build of a configuration takes seconds to minutes. */
  static async of<Config>(
    design: Design<Config>,
    parameters: Readonly<Record<string, ParameterValue>> = {},
    options: RtlOptions = {},
  ): Promise<RtlSimulator> {
    const config = design.configure(parameters);
    const elaborated = elaborate(design.build(config));
    const verilog = await readVerilog(elaborated);
    const built = await buildSimulator(verilog, { simulator: options.simulator ?? "verilator", ...options.build });
    const description = {
      design: design.name,
      parameters: design.describe(config),
      engine: "rtl",
      level: "rtl",
      streams: streamPorts(elaborated),
    };
    return new RtlSimulator(description, elaborated, verilog, built, options);
  }

  constructor(
    description: DeviceDescription,
    elaborated: Elaborated,
    verilog: VerilogDesign,
    built: Built,
    options: RtlOptions,
  ) {
    super(description);
    this.#elaborated = elaborated;
    this.#verilog = verilog;
    this.#built = built;
    this.#options = options;
  }

  protected override async simulate(
    program: Program,
    inputs: Readonly<Record<string, Uint8Array>>,
    progress: RunProgress,
  ): Promise<RunResult> {
    const memory = memoryOf(program, inputs);
    const { stalls, patience = PATIENCE, timeout } = this.#options;
    const { run, receives } = streamsOf(program, this.description.streams, memory, stalls);
    const result = await runSimulator(this.#built, this.#verilog, this.#elaborated, {
      ...run,
      patience,
      ...(timeout !== undefined ? { timeout } : {}),
      ...(progress.onClocks ? { progress: progress.onClocks } : {}),
    });
    if (result.unknown.length > 0)
      throw new TandemError(
        `${this.#verilog.top}: a handshake is unknown (X) in clock ${result.unknown[0]!}, and in ${result.unknown.length} clocks in all`,
        { hint: "This is a defect of Tandem unless the design holds a BlackBox: please report it with the design." },
      );
    for (const channel of receives)
      for (const { value } of result.outputs[channel.port.name]!) channel.take(value as Beat);
    this.#checkEnd(program, run, result);
    const { clocks, counters } = result;
    return { outputs: outputsOf(program, memory), clocks, exact: true, ...(counters ? { counters } : {}) };
  }

  /** Everything that the program asks for must have been moved, and nothing else. */
  #checkEnd(program: Program, { inputs = {}, outputs = {} }: RtlRun, result: RtlResult): void {
    const open: string[] = [];
    const design = this.#elaborated;
    for (const { name, direction } of this.description.streams) {
      const channel = (direction === "in" ? design.inputs : design.outputs)[name]!;
      const counted = result.counters?.channels.find(({ path }) => path === channel.path);
      const wanted = direction === "in" ? inputs[name]!.values.length : outputs[name]!.count!;
      const done = direction === "in" ? (counted?.pushed ?? wanted) : result.outputs[name]!.length;
      if (done < wanted) open.push(`${name}: beat ${done + 1} of ${wanted}`);
      const left = counted ? counted.pushed - counted.popped : 0;
      if (left > 0) open.push(`${name}: ${left} beats that nobody took`);
    }
    if (open.length > 0)
      throw new TandemError(
        `Program ${program.name}: nothing moves any more after clock ${result.clocks}; unfinished: ${open.join(", ")}`,
        { hint: "Run it on the kernel, which names the processes that stand stalled." },
      );
  }
}

/** What the DMA channels of a program send and want. */
export function streamsOf(
  program: Program,
  ports: readonly StreamPort[],
  memory: readonly Uint8Array[],
  stalls?: RandomStalls,
): { run: RtlRun; receives: ReceiveChannel[] } {
  const inputs: Record<string, { values: Beat[]; gaps: number[] }> = {};
  const outputs: Record<string, { count: number; gaps: number[] }> = {};
  const receives: ReceiveChannel[] = [];
  for (const port of ports) {
    const hold = stalls && stallsOf(stalls, port.name);
    const gaps = (count: number): number[] => (hold ? Array.from({ length: count }, hold) : []);
    if (port.direction === "in") {
      const channel = new SendChannel(program, port, memory);
      const values: Beat[] = [];
      for (let beat = channel.next(); beat; beat = channel.next()) values.push(beat);
      inputs[port.name] = { values, gaps: gaps(values.length) };
    } else {
      const bytes = program.steps.reduce(
        (sum, step) => sum + (step.kind === "receive" && step.stream === port.name ? step.length : 0),
        0,
      );
      const count = bytes / port.bytes;
      receives.push(new ReceiveChannel(program, port, memory));
      outputs[port.name] = { count, gaps: gaps(count) };
    }
  }
  return { run: { inputs, outputs }, receives };
}
