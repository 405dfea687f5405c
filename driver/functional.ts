/**
 * The level `functional` behind the host's interface: the layers that a design takes, by its oracle. There is no time in it:
 * no clocks, no traffic.
 */
import type { Accelerator, CompiledLayer, LayerResult } from "./accelerator.js";
import type { Design } from "./design.js";
import type { ConvLayer } from "./layer.js";

export class FunctionalAccelerator<Config> implements Accelerator {
  readonly name: string;
  readonly peakMacsPerClock: number;
  readonly #design: Design<Config>;
  readonly #config: Config;

  constructor(design: Design<Config>, config: Config) {
    this.#design = design;
    this.#config = config;
    this.name = `${design.name} (functional)`;
    this.peakMacsPerClock = design.peakMacsPerClock(config);
  }

  refuses(layer: ConvLayer): string | null {
    return this.#design.refuses(layer, this.#config);
  }

  compile(layer: ConvLayer): CompiledLayer {
    return { layer };
  }

  run({ layer }: CompiledLayer, input: Uint8Array): Promise<LayerResult> {
    const output = this.#design.functional(layer, input);
    return Promise.resolve({ output, clocks: 0, exact: false, estimates: 0, bytesIn: 0, bytesOut: 0, stalls: {} });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
