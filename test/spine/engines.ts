/** The engines of one configuration, kept from case to case, and what must be equal between them. */
import type { Device, RunResult } from "../../driver/device.js";
import { FastSimulator } from "../../driver/transport/fast-simulator.js";
import { RtlSimulator } from "../../driver/transport/rtl-simulator.js";
import { Simulator } from "../../driver/transport/simulator.js";
import type { RandomStalls } from "../../sim/environment.js";
import { simulatorVersion } from "../../sim/rtl/tools.js";
import { essence } from "../sim/rtl/compare.js";
import { firstDifference } from "../support/difference.js";
import { compileCase, type Case } from "./case.js";
import type { Configuration } from "./pool.js";

export const ENGINES = ["kernel", "fast", "verilator", "icarus"] as const;
export type Engine = (typeof ENGINES)[number];

/** Engines that can run here: simulators of Verilog only where they are installed. */
export const installed = (engine: Engine): boolean =>
  engine === "kernel" || engine === "fast" || simulatorVersion(engine) !== undefined;

/** Clocks without a beat after which an engine gives a run up: a difference, not a test that hangs. */
const PATIENCE = 20_000;
const TIMEOUT = 300_000;

export class Engines {
  readonly #configuration: Configuration;
  readonly #devices = new Map<Engine, Promise<Device>>();
  /** The devices hold this object; it is set before each run. */
  readonly #stalls = { seed: 0, chance: 0, most: 1 };

  constructor(configuration: Configuration) {
    this.#configuration = configuration;
  }

  #open(engine: Engine): Promise<Device> {
    const { design, parameters } = this.#configuration;
    const options = { stalls: this.#stalls as RandomStalls, patience: PATIENCE };
    if (engine === "kernel") return Promise.resolve(Simulator.of(design, parameters, options));
    if (engine === "fast") return FastSimulator.of(design, parameters, options);
    return RtlSimulator.of(design, parameters, { ...options, simulator: engine, timeout: TIMEOUT });
  }

  /** Builds it where that was not done yet. */
  async prepare(engine: Engine): Promise<Device> {
    const device = this.#devices.get(engine) ?? this.#open(engine);
    this.#devices.set(engine, device);
    return device;
  }

  /** The run, and the output tensor of each layer. */
  async run(engine: Engine, one: Case): Promise<RunResult & { tensors: readonly Uint8Array[] }> {
    const device = await this.prepare(engine);
    Object.assign(this.#stalls, one.stalls);
    const { program, inputs, outputs } = compileCase(one);
    const handle = await device.load(program);
    try {
      const result = await device.run(handle, inputs);
      return { ...result, tensors: outputs(result.outputs) };
    } finally {
      await device.unload(handle);
    }
  }
}

const comparable = ({ outputs, clocks, counters }: RunResult): unknown =>
  essence({ outputs, clocks, counters: counters! });

export interface Compared {
  readonly clocks: number;
  /** What differs, in words; undefined where all agree. */
  readonly difference: string | undefined;
}

/** Runs a case in the kernel and in `others`; `choose` may pick them once the clocks are known. */
export async function compareCase(
  engines: Engines,
  one: Case,
  choose: (clocks: number) => readonly Engine[],
): Promise<Compared & { engines: readonly Engine[] }> {
  const { design } = one.configuration;
  const expected = await engines.run("kernel", one);
  const { clocks } = expected;
  const functional = one.layers.map(({ layer, input }) => design.functional(layer, input));
  const oracle = firstDifference(functional, expected.tensors, "output");
  if (oracle) return { clocks, engines: [], difference: `kernel against the functional model: ${oracle}` };
  const others = choose(clocks);
  for (const engine of others) {
    let found: string | undefined;
    try {
      found = firstDifference(comparable(expected), comparable(await engines.run(engine, one)), "");
    } catch (error) {
      found = error instanceof Error ? error.message : String(error);
    }
    if (found !== undefined) return { clocks, engines: others, difference: `kernel against ${engine}: ${found}` };
  }
  return { clocks, engines: others, difference: undefined };
}
