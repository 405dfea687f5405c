/**
 * The one interface between the host's runtime and an accelerator, wherever it is: a simulation in this process, in a
 * worker, behind a socket, or a board.
 */
import type { ConvLayer } from "./layer.js";

/** What one layer cost on the accelerator. */
export interface LayerCost {
  /** Clocks of the design from the first transfer to the last result; the design's own, without a board. */
  readonly clocks: number;
  /** True if the design held no `estimate` while this layer ran. */
  readonly exact: boolean;
  /** Clocks that came from estimates. */
  readonly estimates: number;
  /** Bytes that crossed the accelerator's input and output streams. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Clocks that each process stood stalled, keyed `process: channel`. */
  readonly stalls: Readonly<Record<string, number>>;
}

export interface LayerResult extends LayerCost {
  /** `[batch][outHeight][outWidth][outChannels]`, of the layer's type, as bytes. */
  readonly output: Uint8Array;
}

/** A layer made ready for an accelerator: tiled, its weights packed, its instructions written. Opaque to the host. */
export interface CompiledLayer {
  readonly layer: ConvLayer;
}

export interface Accelerator {
  /** As the user named it, with its parameters: `systolic rows=16 cols=16`. */
  readonly name: string;
  /** Multiply-accumulates that the hardware can do in a clock. */
  readonly peakMacsPerClock: number;
  /** Null if the accelerator takes the layer, else the reason why not, as a short clause for the per-layer table. */
  refuses(layer: ConvLayer): string | null;
  /** Work that does not depend on the input; done once for a model. */
  compile(layer: ConvLayer): CompiledLayer;
  /** `input` is `[batch][inHeight][inWidth][inChannels]` in the layer's type, as bytes. */
  run(compiled: CompiledLayer, input: Uint8Array): Promise<LayerResult>;
  close(): Promise<void>;
}
