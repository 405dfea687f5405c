/**
 * The one interface between the host's runtime and an accelerator, wherever it is: a simulation in this process, in a
 * worker, behind a socket, or a board.
 */
import type { Counters } from "../sim/kernel/counters.js";
import type { TransferTrace } from "../sim/platform/dma.js";
import type { Timeline } from "../sim/profile/timeline.js";
import type { LeastClocks } from "./design.js";
import type { StartedRun } from "./device.js";
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
  readonly detail?: LayerDetail;
  /** Milliseconds of simulation, where several layers are under way at once. */
  readonly wallMs?: number;
}

/** What reports and the board's model make of a layer's run. */
export interface LayerDetail {
  readonly counters?: Counters;
  /** With a board's DMA. */
  readonly transfers?: readonly TransferTrace[];
  /** If it was recorded. */
  readonly timeline?: Timeline;
  /** What the streams carried, all transfers together. */
  readonly streams: readonly {
    readonly name: string;
    readonly direction: "in" | "out";
    readonly bytes: number;
    readonly transfers: number;
  }[];
  /** Bytes that the CPU writes to make the input, or moves of the output; 0 where the tensor itself is handed over. */
  readonly packedBytes: number;
  readonly unpackedBytes: number;
  /** With a board's DMA: the clock by which each eighth of the input was taken, the slowest stream. */
  readonly inputProgress?: readonly number[];
  readonly tiling: Readonly<Record<string, number | boolean>>;
  readonly least?: LeastClocks;
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
  /** Resolves when nothing of a layer is left to load that is on its way already. What went wrong is said when the layer runs. */
  ready?(compiled: CompiledLayer): Promise<void>;
  /**
   * `input` is `[batch][inHeight][inWidth][inChannels]` in the layer's type, as bytes; it may be read until the promise resolves. `output` is memory in which
   * the result's output may stand, if that is as long; without it that is memory of its own.
   */
  run(compiled: CompiledLayer, input: Uint8Array, output?: Uint8Array): Promise<LayerResult>;
  /**
   * Offer a layer to other threads, where there are some; then `run` runs in this one. `input` is read before the promise resolves. `take` is called
   * when it is done, and gives the result; the output is the accelerator's again when it returns.
   */
  start?<Result>(
    compiled: CompiledLayer,
    input: Uint8Array,
    take: (result: LayerResult) => Result,
  ): Promise<StartedRun<Result>>;
  close(): Promise<void>;
}
