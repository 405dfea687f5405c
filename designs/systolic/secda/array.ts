/**
 * SECDA's SA v4 as far as it is known: loads a tile of inputs and of weights, computes 16 x 16 outputs at a time at four clocks per step with fill and
 * drain between them, and hands them to four post-processors while the next ones are computed.
 */
import { assert, bool, i32, type Module, struct, u16, u24, vec } from "../../../hw/index.js";
import type { Channel, ChannelIn, ChannelOut, Process, U16, ValueOf } from "../../../hw/index.js";
import {
  ARRAY_BLOCKS,
  BLOCK,
  FILL_STEPS,
  INPUT_WORDS,
  STEP_CLOCKS,
  TILE_MOST,
  UNITS,
  WEIGHT_WORDS,
} from "../../secda/facts.js";
import { Four, Loader } from "../../secda/loader.js";
import { Ending, Parameters, Result, Word } from "../../secda/tokens.js";

const Side = vec(Word, ARRAY_BLOCKS);
const Block = vec(Four, BLOCK);
const BlockRow = vec(Block, ARRAY_BLOCKS);
/** By block of rows, block of channels, row, channel. */
const Sums = vec(BlockRow, ARRAY_BLOCKS);
const AllParameters = vec(Parameters, ARRAY_BLOCKS);
const AllTerms = vec(Four, ARRAY_BLOCKS);
const Tile = struct({ sums: Sums, parameters: AllParameters, terms: AllTerms, ending: Ending, last: bool });

export class SecdaArray extends Loader {
  static override readonly source = import.meta.url;
  readonly results: readonly ChannelOut<ValueOf<typeof Result>>[];
  readonly idle: readonly ChannelIn<boolean>[];
  readonly drained: readonly ChannelIn<boolean>[];

  readonly tiles: Channel<ValueOf<typeof Tile>>;
  readonly weights = this.memory(Word, WEIGHT_WORDS);
  readonly weightWrite = this.weights.writePort();
  readonly weightRead = this.weights.readPort();

  constructor(parent: Module, name: string) {
    super(parent, name);
    const each = <T>(make: () => T): T[] => Array.from({ length: UNITS }, make);
    this.results = each(() => this.channelOut(Result));
    this.idle = each(() => this.channelIn(bool));
    this.drained = each(() => this.channelIn(bool));
    this.tiles = this.channel(Tile, { name: "tiles", depth: 1 });
    this.clocked(this.compute);
    this.clocked(this.deliver);
  }

  protected override *keepWeights(address: U16, word: ValueOf<typeof Word>): Process {
    assert(address < WEIGHT_WORDS, "the weights of a tile fit");
    this.weightWrite.write(address, word);
  }

  *compute(): Process {
    for (;;) {
      yield* this.takeInstruction();
      const { rowBlocks, columnBlocks, depth, tileRows, tileColumns, ending } = this.decoded();
      assert(rowBlocks >= 1 && columnBlocks >= 1 && depth >= 1, "a layer has blocks");
      assert(tileRows >= 1 && tileColumns >= 1, "a tile has blocks");
      let rowsLeft = rowBlocks;
      while (rowsLeft > 0) {
        const rows = u16(rowsLeft < tileRows ? rowsLeft : tileRows);
        assert(rows >= 1, "a tile has rows");
        rowsLeft = u24(rowsLeft - rows);
        yield* this.loadInputs(rows, depth);
        let columnsLeft = columnBlocks;
        while (columnsLeft > 0) {
          const columns = u16(columnsLeft < tileColumns ? columnsLeft : tileColumns);
          assert(columns >= 1, "a tile has channels");
          columnsLeft = u16(columnsLeft - columns);
          yield* this.loadWeights(columns, depth);
          for (let row = u16(0); row < rows; row = u16(row + ARRAY_BLOCKS)) {
            for (let column = u16(0); column < columns; column = u16(column + ARRAY_BLOCKS)) {
              const sums = yield* this.products(row, column, depth);
              const parameters = AllParameters.zero();
              const terms = AllTerms.zero();
              for (let j = 0; j < ARRAY_BLOCKS; j++) {
                const r = u16(row + j);
                const c = u16(column + j);
                assert(r < TILE_MOST / BLOCK && c < TILE_MOST / BLOCK, "a tile has so many rows and channels");
                this.termRead.read(r);
                this.parameterRead.read(c);
                yield;
                terms[j] = Four(this.termRead.q);
                parameters[j] = Parameters(this.parameterRead.q);
              }
              yield* this.estimate(FILL_STEPS * STEP_CLOCKS - ARRAY_BLOCKS);
              const last =
                rowsLeft === 0 && columnsLeft === 0 && row + ARRAY_BLOCKS >= rows && column + ARRAY_BLOCKS >= columns;
              yield* this.tiles.push({ sums, parameters, terms, ending, last });
            }
          }
        }
      }
      for (let u = 0; u < UNITS; u++) yield* this.drained[u]!.pop();
    }
  }

  /** The sums of 16 x 16 outputs: words of four steps each. */
  *products(row: U16, column: U16, depth: U16): Process<ValueOf<typeof Sums>> {
    let sums: ValueOf<typeof Sums> = Sums.zero();
    const x = Side.zero();
    const w = Side.zero();
    for (let k = u16(0); k < depth; k = u16(k + 1)) {
      let input = u16(row * depth + k);
      let weight = u16(column * depth + k);
      for (let j = 0; j < ARRAY_BLOCKS; j++) {
        assert(input < INPUT_WORDS && weight < WEIGHT_WORDS, "the operands stand in their memories");
        this.inputRead.read(input);
        this.weightRead.read(weight);
        yield;
        x[j] = Word(this.inputRead.q);
        w[j] = Word(this.weightRead.q);
        input = u16(input + depth);
        weight = u16(weight + depth);
      }
      const before = sums;
      sums = Sums((R) =>
        BlockRow((C) =>
          Block((r) =>
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

  *deliver(): Process {
    for (;;) {
      const { sums, parameters, terms, ending, last } = yield* this.tiles.pop();
      for (let i = 0; i < ARRAY_BLOCKS; i++) {
        const rows = sums[i]!;
        for (let u = 0; u < UNITS; u++) {
          yield* this.idle[u]!.pop();
          const final = last && i === ARRAY_BLOCKS - 1;
          yield* this.results[u]!.push({
            sums: Block(rows[u]!),
            parameters: parameters[u]!,
            terms: Four(terms[i]!),
            ending,
            final,
            last: final,
          });
        }
        yield;
      }
    }
  }
}
