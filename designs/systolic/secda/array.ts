/**
 * Scheduler and array of SECDA's SA v4: 16 x 16 outputs at a time, four clocks a step, filled and drained for each tile. The scheduler feeds a
 * tile into queues that hold all of it and goes on; the array has one buffer for its results.
 */
import { assert, bool, i32, type Module, u16, vec } from "../../../hw/index.js";
import type { Channel, ChannelIn, ChannelOut, Process, U16, ValueOf } from "../../../hw/index.js";
import {
  ARRAY_BLOCKS,
  BLOCK,
  BLOCK_BITS,
  FEED_AFTER,
  FEED_PER_WORD,
  FILL_STEPS,
  RESULT_WAIT,
  RESULT_WRITE,
  ROW_BLOCK,
  SA_END,
  SA_LOAD_START,
  SA_OPEN_WEIGHTS,
  SA_SIZES,
  SKEW,
  STEP_CLOCKS,
  TILE_BEFORE,
} from "../../secda/facts.js";
import { Four, Loader } from "../../secda/loader.js";
import { Parameters, Word } from "../../secda/tokens.js";
import { BlockRow, Command, SquareBlock, Sums, Tile } from "./tokens.js";

const Side = vec(Word, ARRAY_BLOCKS);
const AllParameters = vec(Parameters, ARRAY_BLOCKS);
const AllTerms = vec(Four, ARRAY_BLOCKS);
const { inputWords: INPUT_WORDS, weightWords: WEIGHT_WORDS, mostRows: MOST_ROWS, mostColumns: MOST_COLUMNS } = SA_SIZES;

export class SecdaArray extends Loader {
  static override readonly source = import.meta.url;
  readonly results: ChannelOut<ValueOf<typeof Tile>>;
  /** The buffer of results is empty. */
  readonly idle: ChannelIn<boolean>;
  readonly drained: ChannelIn<boolean>;

  readonly commands: Channel<ValueOf<typeof Command>>;
  /** The array takes another tile. */
  readonly ready: Channel<boolean>;
  readonly weights = this.memory(Word, WEIGHT_WORDS);
  readonly weightWrite = this.weights.writePort();
  readonly weightRead = this.weights.readPort();

  constructor(parent: Module, name: string) {
    super(parent, name, { ...SA_SIZES, loadStart: SA_LOAD_START, openWeights: SA_OPEN_WEIGHTS });
    this.results = this.channelOut(Tile);
    this.idle = this.channelIn(bool);
    this.drained = this.channelIn(bool);
    this.commands = this.channel(Command, { name: "commands" });
    this.ready = this.channel(bool, { name: "ready" });
    this.clocked(this.handle);
    this.clocked(this.multiply);
  }

  protected override *keepWeights(address: U16, word: ValueOf<typeof Word>): Process {
    assert(address < WEIGHT_WORDS, "the weights of a tile fit");
    this.weightWrite.write(address, word);
  }

  protected override *compute(inputRows: U16, channels: U16): Process {
    const rows = u16((inputRows + BLOCK - 1) >> BLOCK_BITS);
    const columns = u16((channels + BLOCK - 1) >> BLOCK_BITS);
    assert(rows >= 1 && columns >= 1 && this.depth >= 1, "a tile has blocks");
    for (let row = u16(0); row < rows; row = u16(row + ARRAY_BLOCKS)) {
      yield* this.estimate(ROW_BLOCK);
      for (let column = u16(0); column < columns; column = u16(column + ARRAY_BLOCKS)) {
        yield* this.estimate(TILE_BEFORE);
        yield* this.ready.pop();
        yield* this.estimate(SKEW);
        const last = row + ARRAY_BLOCKS >= rows && column + ARRAY_BLOCKS >= columns;
        yield* this.commands.push({ row, column, rows, columns, depth: this.depth, ending: this.ending, last });
        for (let k = u16(0); k < this.depth; k = u16(k + 1)) yield* this.estimate(FEED_PER_WORD);
        yield* this.estimate(FEED_AFTER);
      }
    }
    yield* this.drained.pop();
    yield* this.estimate(SA_END);
  }

  *multiply(): Process {
    for (;;) {
      yield* this.ready.push(true);
      const { row, column, rows, columns, depth, ending, last } = yield* this.commands.pop();
      const rowsLeft = u16(rows - row);
      const columnsLeft = u16(columns - column);
      const sums = yield* this.products(row, column, rowsLeft, columnsLeft, depth);
      const parameters = AllParameters.zero();
      const terms = AllTerms.zero();
      for (let j = 0; j < ARRAY_BLOCKS; j++) {
        const r = u16(j < rowsLeft ? row + j : row);
        const c = u16(j < columnsLeft ? column + j : column);
        assert(r < MOST_ROWS / BLOCK && c < MOST_COLUMNS / BLOCK, "a tile has so many rows and channels");
        this.termRead.read(r);
        this.parameterRead.read(c);
        yield;
        terms[j] = Four(this.termRead.q);
        parameters[j] = Parameters(this.parameterRead.q);
      }
      yield* this.estimate(FILL_STEPS * STEP_CLOCKS - ARRAY_BLOCKS + RESULT_WAIT);
      yield* this.idle.pop();
      yield* this.estimate(RESULT_WRITE);
      yield* this.results.push({ sums, parameters, terms, ending, rows: rowsLeft, columns: columnsLeft, last });
    }
  }

  /** The sums of 16 x 16 outputs: words of four steps each. What lies outside of the tile is computed with what lies in it. */
  *products(row: U16, column: U16, rowsLeft: U16, columnsLeft: U16, depth: U16): Process<ValueOf<typeof Sums>> {
    let sums: ValueOf<typeof Sums> = Sums.zero();
    const x = Side.zero();
    const w = Side.zero();
    for (let k = u16(0); k < depth; k = u16(k + 1)) {
      for (let j = 0; j < ARRAY_BLOCKS; j++) {
        const input = u16((j < rowsLeft ? row + j : row) * depth + k);
        const weight = u16((j < columnsLeft ? column + j : column) * depth + k);
        assert(input < INPUT_WORDS && weight < WEIGHT_WORDS, "the operands stand in their memories");
        this.inputRead.read(input);
        this.weightRead.read(weight);
        yield;
        x[j] = Word(this.inputRead.q);
        w[j] = Word(this.weightRead.q);
      }
      const before = sums;
      sums = Sums((R) =>
        BlockRow((C) =>
          SquareBlock((r) =>
            Four((c) =>
              i32(
                before[R]![C]![r]![c]! +
                  x[R]![r]![0]! * w[C]![c]![0]! +
                  x[R]![r]![1]! * w[C]![c]![1]! +
                  x[R]![r]![2]! * w[C]![c]![2]! +
                  x[R]![r]![3]! * w[C]![c]![3]!,
              ),
            ),
          ),
        ),
      );
      yield* this.estimate(BLOCK * STEP_CLOCKS - ARRAY_BLOCKS);
    }
    return sums;
  }
}
