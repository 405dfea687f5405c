/**
 * A weight-stationary array: R x C cells hold a matrix; vectors come from the west, one a clock, sums go south, and the
 * bottom row lets a vector of products leave each clock. The dataflow is that of the TPU's matrix unit (Jouppi et al., ISCA
 * 2017). An example of a second kind of array: nothing in the engines knows it (docs/engines.md).
 */
import { bool, Cell, i32, i8, Module, struct, u16, u8, vec } from "../../../hw/index.js";
import type { I32, Inputs, Mutable, Outputs, Process, ValueOf } from "../../../hw/index.js";

/** From the west: an element of a vector; `load` takes the weight from the north, `result` lets the sum leave. */
const West = struct({ a: i8, load: bool, result: bool });
/** From the north: the sum so far, and a weight on its way down. */
const North = struct({ sum: i32, weight: i8 });
const State = struct({ weight: i8 });

export class StationaryCell extends Cell<ValueOf<typeof West>, ValueOf<typeof North>, ValueOf<typeof State>, I32> {
  static readonly source = import.meta.url;
  readonly west = West;
  readonly north = North;
  readonly state = State;
  readonly emit = i32;
  readonly bottom: number;

  constructor(rows: number) {
    super();
    this.bottom = rows - 1;
  }

  step(
    { west, north }: Inputs<ValueOf<typeof West>, ValueOf<typeof North>>,
    s: Mutable<ValueOf<typeof State>>,
    at: { row: number; col: number },
  ): Outputs<ValueOf<typeof West>, ValueOf<typeof North>, I32> {
    const passed = s.weight;
    if (west.load) s.weight = north.weight;
    const sum = i32(north.sum + west.a * s.weight);
    return {
      east: west,
      south: { sum, weight: passed },
      emit: at.row === this.bottom && west.result ? sum : undefined,
    };
  }
}

/** Vectors whose results have room at a time, and how many such blocks may be under way. */
const BLOCK = 16;
const BLOCKS = 4;

/** Takes the results, block by block, and returns a credit for each block. */
class Collector extends Module {
  static readonly source = import.meta.url;
  readonly blocks = this.channelIn(u8);
  readonly credits = this.channelOut(bool);
  readonly results;
  readonly sums;

  constructor(parent: Module, name: string, cols: number) {
    super(parent, name);
    this.results = this.channelIn(vec(i32, cols));
    this.sums = this.channelOut(vec(i32, cols));
    this.clocked(this.collect);
  }

  *collect(): Process {
    for (;;) {
      const block = yield* this.blocks.pop();
      for (let k = u8(0); k < block; k = u8(k + 1)) {
        const row = yield* this.results.pop();
        yield* this.sums.push(row);
        yield;
      }
      yield* this.credits.push(true);
    }
  }
}

/** Feeds the array: R rows of C weights, the last row first, then vectors. */
class Feeder extends Module {
  static readonly source = import.meta.url;
  readonly rows: number;
  readonly tiles = this.channelIn(struct({ vectors: u16 }));
  readonly credits = this.channelIn(bool);
  readonly blocks = this.channelOut(u8);
  readonly weights;
  readonly vectors;
  readonly west;
  readonly north;
  readonly cells;
  /** Blocks under way. */
  reserved = u8(0);

  constructor(parent: Module, name: string, rows: number, cols: number) {
    super(parent, name);
    this.rows = rows;
    this.weights = this.channelIn(vec(i8, cols));
    this.vectors = this.channelIn(vec(i8, rows));
    this.west = vec(West, rows);
    this.north = vec(North, cols);
    this.cells = this.grid(rows, cols, new StationaryCell(rows));
    this.clocked(this.feed);
  }

  *feed(): Process {
    for (;;) {
      const tile = yield* this.tiles.pop();
      for (let r = u16(0); r < this.rows; r = u16(r + 1)) {
        const row = yield* this.weights.pop();
        this.cells.feed(
          this.west(() => ({ a: i8(0), load: true, result: false })),
          this.north((c) => ({ sum: i32(0), weight: row[c]! })),
        );
        yield;
      }
      let left = tile.vectors;
      while (left > 0) {
        // An array cannot stall: first there must be room for the results of a block.
        if (this.reserved === BLOCKS) yield* this.credits.pop();
        else this.reserved = u8(this.reserved + 1);
        const block = u8(left < BLOCK ? left : BLOCK);
        yield* this.blocks.push(block);
        for (let k = u8(0); k < block; k = u8(k + 1)) {
          const vector = yield* this.vectors.pop();
          this.cells.feed(
            this.west((r) => ({ a: vector[r]!, load: false, result: true })),
            this.north(() => ({ sum: i32(0), weight: i8(0) })),
          );
          yield;
        }
        left = u16(left - block);
      }
    }
  }
}

/**
 * For each tile: R rows of C weights, the last row first, then `vectors` vectors of R numbers, each of which gives C sums:
 * sums[c] = sum over r of vector[r] * weights[r][c].
 */
export class StationaryMatrix extends Module {
  static readonly source = import.meta.url;
  readonly tiles = this.channelIn(struct({ vectors: u16 }));
  readonly weights;
  readonly vectors;
  readonly sums;

  constructor(rows: number, cols: number) {
    super(null, "matrix");
    this.weights = this.channelIn(vec(i8, cols));
    this.vectors = this.channelIn(vec(i8, rows));
    this.sums = this.channelOut(vec(i32, cols));
    const feeder = new Feeder(this, "feeder", rows, cols);
    const collector = new Collector(this, "collector", cols);
    this.connect(this.tiles, feeder.tiles);
    this.connect(this.weights, feeder.weights);
    this.connect(this.vectors, feeder.vectors);
    this.connect(feeder.blocks, collector.blocks, { depth: BLOCKS });
    this.connect(collector.credits, feeder.credits, { depth: BLOCKS });
    this.connect(feeder.cells.results, collector.results, { depth: BLOCK * BLOCKS });
    this.connect(collector.sums, this.sums);
  }
}
