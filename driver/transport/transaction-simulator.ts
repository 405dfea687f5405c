/**
 * A device that is a design at level `transaction`: a program's transfers as whole blocks, its time by formula (an estimate).
 * The programs, the checks and the answers are those of the simulators that count clocks.
 */
import { elaborate, TandemError } from "../../hw/index.js";
import type { Design, TransactionModel } from "../design.js";
import type { Device, DeviceDescription, ParameterValue, ProgramHandle, RunResult } from "../device.js";
import { checkProgram, type Program } from "../program.js";
import { streamPorts } from "../stream.js";
import { memoryOf } from "./simulator.js";

export class TransactionSimulator implements Device {
  readonly #description: DeviceDescription;
  readonly #model: TransactionModel;
  readonly #programs = new Map<ProgramHandle, Program>();
  #lastHandle = 0;
  #closed = false;

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
    this.#description = description;
    this.#model = model;
  }

  async describe(): Promise<DeviceDescription> {
    return this.#attempt(() => this.#description);
  }

  async load(program: Program): Promise<ProgramHandle> {
    return this.#attempt(() => {
      checkProgram(program, this.#description.streams);
      if (program.steps.some(({ kind }) => kind === "write"))
        throw new TandemError(`Program ${program.name} writes registers, but ${this.#description.design} has none`);
      this.#programs.set(++this.#lastHandle, program);
      return this.#lastHandle;
    });
  }

  async run(handle: ProgramHandle, inputs: Readonly<Record<string, Uint8Array>>): Promise<RunResult> {
    return this.#attempt(() => {
      const program = this.#program(handle);
      const memory = memoryOf(program, inputs);
      const clocks = this.#model(program, memory);
      const outputs: Record<string, Uint8Array> = {};
      program.buffers.forEach(({ name, role }, i) => {
        if (role === "output") outputs[name] = memory[i]!;
      });
      return { outputs, clocks, exact: false };
    });
  }

  async unload(handle: ProgramHandle): Promise<void> {
    await this.#attempt(() => {
      this.#program(handle);
      this.#programs.delete(handle);
    });
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#programs.clear();
    return Promise.resolve();
  }

  /** All errors are rejections, though everything here happens at once. */
  #attempt<T>(action: () => T): Promise<T> {
    return new Promise((resolve) => {
      if (this.#closed) throw new TandemError("The simulator was closed");
      resolve(action());
    });
  }

  #program(handle: ProgramHandle): Program {
    const program = this.#programs.get(handle);
    if (!program) throw new TandemError(`The simulator holds no program ${handle}`);
    return program;
  }
}
