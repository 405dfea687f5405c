/**
 * The tokens that travel between the modules of a matrix-product accelerator. A *part* is what one pair of input and output
 * streams carries (a contiguous range of the layer's rows); a *row tile* is `partRows` rows of each part; a *column tile*
 * is `cols` output channels; a *tile* is the product of the two.
 */
import {
  bool,
  i32,
  i8,
  int,
  struct,
  u16,
  u24,
  u32,
  u4,
  u8,
  uint,
  vec,
  type Int,
  type UInt,
  type ValueOf,
} from "../../hw/index.js";

export const u5 = uint(5);
export type U5 = UInt<5>;
export const i10 = int(10);
export type I10 = Int<10>;

/** For each part of the input: its rows, the words of a row, the tiles that the buffer holds. */
export const InputJob = struct({ rowTiles: u24, rows: u24, words: u16, slots: u8, flip: u8 });

/** For each weight stream; the weights come `passes` times, in segments of at most `segmentWords` words of K. */
export const WeightJob = struct({
  passes: u24,
  columnTiles: u16,
  words: u16,
  segmentWords: u16,
  slots: u8,
  flip: u8,
});

/** For the line buffer of a depthwise convolution: its geometry, all sizes in pixels. */
export const LineJob = struct({
  outHeight: u24,
  outWidth: u8,
  inHeight: u16,
  inWidth: u16,
  kernelHeight: u4,
  kernelWidth: u4,
  strideHeight: u4,
  strideWidth: u4,
  padTop: u4,
  padLeft: u4,
  /** Zero points as int8. */
  inputZero: i8,
  weightZero: i8,
  /** Beats of a pixel, picture rows that a bank holds, and words of a pixel: groups of as many channels as the units have columns. */
  beats: u16,
  slots: u8,
  groups: u16,
  flip: u8,
});

/** For the walker: how the tiles of the layer follow each other. */
export const WalkJob = struct({
  rows: u24,
  partRows: u24,
  rowTiles: u24,
  /** Rows of a part in a row tile. */
  tileRows: u8,
  /** A depthwise convolution. */
  windows: bool,
  /** Row tiles that stay in the input buffer while the weights pass. */
  blockTiles: u16,
  columnTiles: u16,
  /** Column tiles that stay in the weight buffer while a block's row tiles pass. */
  chunkTiles: u16,
  /** The weights come again for every block; else they stay. */
  streamed: bool,
  words: u16,
  inputSlots: u8,
  outputSlots: u8,
  outputSlotWords: u16,
  /** Words of the output buffer from one row to the next. */
  rowStride: u16,
});

/** For the sequencer: how a tile becomes reads and waves. */
export const SequenceJob = struct({
  /** Words of K, and the bytes that count in the last one. */
  words: u16,
  lastBytes: u8,
  segmentWords: u16,
  weightSlots: u8,
  /** Segments that arrive in all, over all passes. */
  segments: u32,
  /** Clocks without a wave after each tile. */
  gap: u8,
  /** A depthwise convolution: a tile is a row of outputs, and each of them takes the words of K once more. */
  windows: bool,
});

/** A tile for the sequencer; `rows` is the number of rows that each part has in it. */
export const tileType = (parts: number) =>
  struct({
    inputBase: u16,
    rows: vec(u8, parts),
    /** First use of the row tile: wait until it is loaded. */
    opens: bool,
    /** Last use of the row tile, and its slot will be needed again. */
    releases: bool,
    /** The first column tile of a chunk: of one that has just arrived, or of the one before once more. */
    advances: bool,
    restarts: bool,
    /** First use of the column tile at all: wait for its parameters. */
    stores: bool,
    /** First use of the column tile: wait until it is loaded; last use: release its slots. */
    loads: bool,
    lastUse: bool,
    /** The last tile of the layer. */
    final: bool,
  });

/** A tile for the collector. */
export const resultTileType = (parts: number) =>
  struct({
    /** First word of the column tile in the parameter memory, of the row tile in the memory of row terms. */
    parameter: u16,
    terms: u16,
    rows: vec(u8, parts),
    /** First word in the output buffers, and words from row to row. */
    base: u16,
    stride: u16,
    /** First tile of a row tile; it has to wait for an output slot. */
    opens: bool,
    waits: bool,
    /** Last tile of a row tile; the place of its terms will be needed again. */
    closes: bool,
    frees: bool,
    /** Of a depthwise convolution: no row terms, and a row for each output. */
    windows: bool,
  });

/** For the corrections by row: the zero point of the weights, as int8. */
export const TermJob = struct({ rowTiles: u24, weightZero: i8 });
/** For the post-processor's parameters: column tiles that come. */
export const ParameterJob = struct({ columnTiles: u16 });
/** For the last stage of the post-processor; all in the int8 domain, `flip` makes them uint8. */
export const ClampJob = struct({
  vectors: u32,
  zero: i8,
  min: i8,
  max: i8,
  flip: u8,
});
/**
 * For the stage before. `raw`: outputs are the 32-bit values, each as four vectors of bytes, `planeWords` words of the output
 * buffer from one to the next.
 */
export const ShiftJob = struct({ vectors: u32, raw: bool, planeWords: u16 });
/** For each part of the output. */
export const OutputJob = struct({
  rows: u24,
  /** Words of a row that leave, the bytes that count in the last one, and words from row to row. */
  rowWords: u16,
  lastBytes: u8,
  rowStride: u16,
  slots: u8,
  slotWords: u16,
  tileRows: u8,
});

/** Read one word of each bank; rows from `rows` on are zero. `release`: the tile is not needed any more. */
export const InputRead = struct({ address: u16, rows: u8, release: bool });
export const WeightRead = struct({ address: u16, release: bool });
/**
 * Feed the first `count` bytes of the words that come; afterwards pause for `gap` clocks. `window`: the inputs come from the
 * line buffer.
 */
export const FeedCommand = struct({ count: u8, first: bool, last: bool, gap: u8, window: bool });

/** The output channel parameters as they stand in the weight stream. */
export const Parameter = struct({ bias: i32, multiplier: i32, left: u5, right: u5 });
export type Parameter = ValueOf<typeof Parameter>;

/** Where a vector of outputs goes; `complete`: it is the last of its row tile and part, which has `rows` rows. */
export const Place = struct({ part: u8, address: u16, complete: bool, rows: u8 });

/** Sums of a row of a tile, and the word of the parameter memory that belongs to them. */
export const sumsType = (lanes: number) => struct({ values: vec(i32, lanes), parameter: u16, place: Place });

// Between the stages of the post-processor.
export const scaledType = (lanes: number) =>
  struct({ values: vec(i32, lanes), multipliers: vec(i32, lanes), right: vec(u5, lanes), place: Place });
/** A product x m = (high 2^15 + rest) 2^16 + low 2^16 + what cannot matter. */
export const productType = (lanes: number) =>
  struct({ high: vec(i32, lanes), rest: vec(u16, lanes), low: vec(u32, lanes), right: vec(u5, lanes), place: Place });
export const roundedType = (lanes: number) => struct({ values: vec(i32, lanes), right: vec(u5, lanes), place: Place });
/** Held within ten bits: the sum with a zero point still tells on which side of int8 it is. */
export const shiftedType = (lanes: number) => struct({ values: vec(i10, lanes), place: Place });

/** Outputs for an output buffer. */
export const outputType = (lanes: number) => struct({ bytes: vec(u8, lanes), address: u16, complete: bool, rows: u8 });
/** `count` bytes of an output row on their way to the stream; `end`: the last of the layer. */
export const pieceType = (lanes: number) => struct({ bytes: vec(u8, lanes), count: u8, end: bool });

type Factory<T> = (n: number) => { zero(): T };
/** The values of a type that depends on a size. */
export type TokenOf<F> = F extends Factory<infer T> ? T : never;
