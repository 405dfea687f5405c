/** A design on the kernel, as tests use it: layers go through the driver half, and come back as bytes and clocks. */
import type { Design } from "../../driver/design.js";
import type { ParameterValue, RunResult } from "../../driver/device.js";
import type { ConvLayer } from "../../driver/layer.js";
import type { Kernel } from "../../sim/kernel/kernel.js";
import { Simulator } from "../../driver/transport/simulator.js";
import { joinLayers } from "../support/joined.js";

export class Bench<Config> {
  readonly design: Design<Config>;
  readonly config: Config;
  readonly #device: Simulator;
  #kernel: Kernel | undefined;
  /** Of the runs to come: streams hold back a share `chance` of their beats. */
  readonly #stalls = { seed: 0, chance: 0, most: 12 };

  constructor(design: Design<Config>, overrides: Record<string, ParameterValue> = {}) {
    this.design = design;
    this.config = design.configure(overrides);
    this.#device = Simulator.of(design, overrides, {
      stalls: this.#stalls,
      onKernel: (kernel) => (this.#kernel = kernel),
    });
  }

  /** Clocks of the first and the last wave of the design's grid in the last run. */
  get waves(): { first: number; last: number } {
    const { firstWave, lastWave } = this.#kernel!.grids[0]!;
    return { first: firstWave, last: lastWave };
  }

  async run(
    layer: ConvLayer,
    input: Uint8Array,
    stalls: { seed: number; chance: number } = { seed: 0, chance: 0 },
  ): Promise<RunResult & { output: Uint8Array }> {
    Object.assign(this.#stalls, stalls);
    const { program, inputs, output } = this.design.compile(layer, this.config);
    const handle = await this.#device.load(program);
    const result = await this.#device.run(handle, inputs(input));
    await this.#device.unload(handle);
    return { ...result, output: output(result.outputs) };
  }

  /** Layers in one run, without a reset between them; the output tensor of each. */
  async runInTurn(layers: readonly { readonly layer: ConvLayer; readonly input: Uint8Array }[]): Promise<Uint8Array[]> {
    Object.assign(this.#stalls, { seed: 0, chance: 0 });
    const { program, inputs, outputs } = joinLayers(this.design, this.config, layers);
    const handle = await this.#device.load(program);
    const result = await this.#device.run(handle, inputs);
    await this.#device.unload(handle);
    return outputs(result.outputs);
  }
}
