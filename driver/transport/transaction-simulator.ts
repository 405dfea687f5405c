/**
 * A device that is a design at level `transaction`: a program's transfers as whole blocks, its time by formula (an estimate).
 * The programs, the checks and the answers are those of the simulators that count clocks.
 */
import { elaborate, TandemError } from "../../hw/index.js";
import type { Design, TransactionModel } from "../design.js";
import type { DeviceDescription, ParameterValue, RunResult } from "../device.js";
import type { Program } from "../program.js";
import { streamPorts } from "../stream.js";
import { LocalSimulation, memoryOf, outputsOf } from "./local.js";

export class TransactionSimulator extends LocalSimulation {
  readonly #model: TransactionModel;

  /** @throws TandemError if the design has no level `transaction`. */
  static of<Config>(
    design: Design<Config>,
    parameters: Readonly<Record<string, ParameterValue>> = {},
  ): TransactionSimulator {
    const config = design.configure(parameters);
    if (!design.transaction || !design.levels.includes("transaction"))
      throw new TandemError(`Design ${design.name} has no level transaction`, {
        hint: `It has ${design.levels.join(", ")}.`,
      });
    const description = {
      design: design.name,
      parameters: design.describe(config),
      engine: "model",
      level: "transaction",
      streams: streamPorts(elaborate(design.build(config))),
    };
    return new TransactionSimulator(description, design.transaction(config));
  }

  private constructor(description: DeviceDescription, model: TransactionModel) {
    super(description);
    this.#model = model;
  }

  protected override simulate(program: Program, inputs: Readonly<Record<string, Uint8Array>>): RunResult {
    const memory = memoryOf(program, inputs);
    const clocks = this.#model(program, memory);
    return { outputs: outputsOf(program, memory), clocks, exact: false };
  }
}
