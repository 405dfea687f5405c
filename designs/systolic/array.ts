/**
 * The array: an output-stationary grid of multiply-accumulate cells (Kung and Leiserson 1978; the taxonomy of Chen et
 * al., Eyeriss, ISCA 2016), and the process that feeds it one wave of operands a clock. The grid cannot stall, so the room
 * for the results of a tile is reserved before its first wave.
 */
import { assert, bool, clocks, i32, i8, Module, struct, u8, vec, Cell, mulPair } from "../../hw/index.js";
import type {
  ChannelIn,
  ChannelOut,
  Grid,
  I32,
  I8,
  Inputs,
  Mutable,
  Outputs,
  Process,
  ValueOf,
  VecType,
} from "../../hw/index.js";
import type { SystolicConfig } from "./config.js";
import { FeedCommand } from "../gemm/tokens.js";

const West = struct({ a: i8, first: bool, last: bool });
export type West = ValueOf<typeof West>;

const OneSum = struct({ sum: i32 });
const One = { weights: vec(i8, 1), sums: vec(i32, 1) };

/** One product a clock. */
export class MacCell extends Cell<West, readonly I8[], ValueOf<typeof OneSum>, readonly I32[]> {
  static readonly source = import.meta.url;
  readonly west = West;
  readonly north = One.weights;
  readonly state = OneSum;
  readonly emit = One.sums;

  step(
    { west, north }: Inputs<West, readonly I8[]>,
    s: Mutable<ValueOf<typeof OneSum>>,
  ): Outputs<West, readonly I8[], readonly I32[]> {
    s.sum = i32((west.first ? 0 : s.sum) + west.a * north[0]!);
    return { east: west, south: north, emit: west.last ? [s.sum] : undefined };
  }
}

const TwoSums = struct({ sum0: i32, sum1: i32 });
const Two = { weights: vec(i8, 2), sums: vec(i32, 2) };

/** Two adjacent columns: two products with one input, in one multiplier. */
export class PairCell extends Cell<West, readonly I8[], ValueOf<typeof TwoSums>, readonly I32[]> {
  static readonly source = import.meta.url;
  readonly west = West;
  readonly north = Two.weights;
  readonly state = TwoSums;
  readonly emit = Two.sums;

  step(
    { west, north }: Inputs<West, readonly I8[]>,
    s: Mutable<ValueOf<typeof TwoSums>>,
  ): Outputs<West, readonly I8[], readonly I32[]> {
    const products = mulPair(west.a, north[0]!, north[1]!);
    s.sum0 = i32((west.first ? 0 : s.sum0) + products[0]);
    s.sum1 = i32((west.first ? 0 : s.sum1) + products[1]);
    return { east: west, south: north, emit: west.last ? [s.sum0, s.sum1] : undefined };
  }
}

export class MacArray extends Module {
  static readonly source = import.meta.url;
  readonly parts: number;
  readonly partRows: number;
  readonly weightParts: number;
  readonly products: number;
  readonly resultTiles: number;
  readonly west: VecType<West>;
  readonly north: VecType<readonly I8[]>;
  readonly pair: VecType<I8>;
  readonly word: VecType<I8>;
  readonly rows: VecType<readonly I8[]>;
  readonly cols: VecType<readonly I8[]>;
  readonly bytes: number;

  readonly commands = this.channelIn(FeedCommand);
  readonly inputs: readonly ChannelIn<readonly (readonly I8[])[]>[];
  readonly weights: readonly ChannelIn<readonly (readonly I8[])[]>[];
  /** The results of a tile have been taken. */
  readonly credits = this.channelIn(bool);
  readonly cells: Grid<West, readonly I8[], never, readonly I32[]>;

  /** Tiles whose results have room in the outlet. */
  reserved = u8(0);

  constructor(parent: Module, name: string, config: SystolicConfig) {
    super(parent, name);
    this.parts = config.streams;
    this.partRows = config.partRows;
    this.weightParts = config.weightStreams;
    this.products = config.productsPerDsp;
    this.resultTiles = config.resultTiles;
    this.bytes = config.streamBytes;
    const word = (this.word = vec(i8, this.bytes));
    const cell = config.productsPerDsp === 2 ? new PairCell() : new MacCell();
    this.west = vec(West, config.rows);
    this.pair = cell.north;
    this.north = vec(cell.north, config.cellCols);
    this.inputs = Array.from({ length: this.parts }, () => this.channelIn(vec(word, config.partRows)));
    this.weights = Array.from({ length: this.weightParts }, () => this.channelIn(vec(word, config.partCols)));
    this.cells = this.grid(
      config.rows,
      config.cellCols,
      cell as unknown as Cell<West, readonly I8[], never, readonly I32[]>,
    );
    this.rows = vec(word, config.rows);
    this.cols = vec(word, config.cols);
    this.clocked(this.feed);
  }

  get results(): ChannelOut<readonly (readonly I32[])[]> {
    return this.cells.results;
  }

  *feed(): Process {
    const rows = this.rows.zero();
    const cols = this.cols.zero();
    for (;;) {
      const command = yield* this.commands.pop();
      assert(command.count >= 1, "a word has bytes that count");
      for (let p = 0; p < this.parts; p++) {
        const words = yield* this.inputs[p]!.pop();
        for (let r = 0; r < this.partRows; r++) rows[p * this.partRows + r] = this.word(words[r]!);
      }
      for (let p = 0; p < this.weightParts; p++) {
        const words = yield* this.weights[p]!.pop();
        for (let c = 0; c < words.length; c++) cols[c * this.weightParts + p] = this.word(words[c]!);
      }
      if (command.first) {
        if (this.reserved === this.resultTiles) yield* this.credits.pop();
        else this.reserved = u8(this.reserved + 1);
      }
      for (let k = u8(0); k < command.count; k = u8(k + 1)) {
        assert(k < this.bytes, "a word has so many bytes");
        const first = command.first && k === 0;
        const last = command.last && k === command.count - 1;
        this.cells.feed(
          this.west((r) => ({ a: rows[r]![k]!, first, last })),
          this.north((c) => this.pair((p) => cols[c * this.products + p]![k]!)),
        );
        yield;
      }
      yield* clocks(command.gap);
    }
  }
}
