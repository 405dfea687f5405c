/**
 * The vector-MAC units (the family of SECDA's VM, arXiv 2110.00478): each multiplies a few rows of inputs with a few
 * columns of weights, `depth` products deep, in every clock, and keeps the sums. All units work in step. Inputs are
 * broadcast to the units that share them, weights to those that share these; the next words come while the last ones are multiplied.
 */
import { andU, asr, assert, bool, i16, i32, i8, int, Module, mulPair, struct, u4, u8, vec } from "../../hw/index.js";
import type { Channel, ChannelIn, ChannelOut, I16, I32, I8, Int, Process, ValueOf, VecType } from "../../hw/index.js";
import { FeedCommand } from "../gemm/tokens.js";
import type { VmacConfig } from "./config.js";
import { windowType, type Window } from "./lines.js";

const i18 = int(18);
type I18 = Int<18>;
type Words = readonly (readonly I8[])[];
/** Sums by row, weight stream and column of that stream; `window`: only the first row counts. */
const tileType = (sums: VecType<readonly (readonly I32[])[]>) => struct({ sums, window: bool });
type Tile = ValueOf<ReturnType<typeof tileType>>;

export class MacUnits extends Module {
  static readonly source = import.meta.url;
  readonly parts: number;
  readonly partRows: number;
  readonly rows: number;
  readonly weightParts: number;
  readonly partCols: number;
  readonly bytes: number;
  /** Bytes of a word as a power of two. */
  readonly byteBits: number;
  readonly depth: number;
  /** Products whose sum is made before it is added to an output. */
  readonly group: number;
  readonly paired: boolean;
  readonly productsPerDsp: number;
  readonly word: VecType<I8>;
  readonly inputWords: VecType<readonly I8[]>;
  readonly columns: VecType<I8>;
  readonly block: VecType<readonly I8[]>;
  readonly blocks: VecType<Words>;
  readonly row: VecType<I32>;
  readonly rowSums: VecType<readonly I32[]>;
  readonly sums: VecType<readonly (readonly I32[])[]>;
  /** Of one multiplier: one product or two. */
  readonly product: VecType<I16>;
  readonly rowProducts: VecType<readonly I16[]>;
  readonly partProducts: VecType<readonly (readonly I16[])[]>;
  readonly rowsProducts: VecType<readonly (readonly (readonly I16[])[])[]>;
  /** Products that are added to each other: by depth, row, weight stream and multiplier of that stream. */
  readonly products: VecType<readonly (readonly (readonly (readonly I16[])[])[])[]>;
  readonly total: VecType<I18>;
  readonly rowTotals: VecType<readonly I18[]>;
  readonly partTotals: VecType<readonly (readonly I18[])[]>;
  readonly rowsTotals: VecType<readonly (readonly (readonly I18[])[])[]>;
  readonly taps: VecType<readonly (readonly I8[])[]>;
  readonly flat: VecType<I32>;
  readonly pair: VecType<I32>;
  readonly result: VecType<readonly I32[]>;

  readonly commands = this.channelIn(FeedCommand);
  readonly inputs: readonly ChannelIn<Words>[];
  readonly weights: readonly ChannelIn<Words>[];
  readonly results: ChannelOut<readonly (readonly I32[])[]>;
  /** The results of a tile have been taken. */
  readonly credits = this.channelIn(bool);
  /** Columns of depthwise windows, where there is a line buffer. */
  readonly windows: readonly ChannelIn<Window>[];
  readonly tiles: Channel<Tile>;
  /** The results of a tile have left the units; waited for where tiles do not overlap. */
  readonly given = this.channel(bool, { name: "given" });
  readonly overlaps: boolean;
  readonly resultTiles: number;

  /** Tiles whose results have room in the outlet. */
  reserved = u8(0);

  constructor(parent: Module, name: string, config: VmacConfig) {
    super(parent, name);
    this.parts = config.streams;
    this.partRows = config.partRows;
    this.rows = config.rows;
    this.weightParts = config.weightStreams;
    this.partCols = config.partCols;
    this.bytes = config.streamBytes;
    this.overlaps = config.overlapTiles;
    this.resultTiles = config.resultTiles;
    this.byteBits = Math.log2(config.streamBytes);
    this.depth = config.depth;
    this.group = Math.min(config.depth, 4);
    this.productsPerDsp = config.productsPerDsp;
    this.paired = config.productsPerDsp === 2;
    this.word = vec(i8, this.bytes);
    this.inputWords = vec(this.word, this.rows);
    this.columns = vec(i8, this.partCols);
    this.block = vec(this.columns, this.bytes);
    this.blocks = vec(this.block, this.weightParts);
    this.row = vec(i32, this.partCols);
    this.rowSums = vec(this.row, this.weightParts);
    this.sums = vec(this.rowSums, this.rows);
    this.product = vec(i16, config.productsPerDsp);
    this.rowProducts = vec(this.product, config.partCols / config.productsPerDsp);
    this.partProducts = vec(this.rowProducts, this.weightParts);
    this.rowsProducts = vec(this.partProducts, this.rows);
    this.products = vec(this.rowsProducts, this.group);
    this.total = vec(i18, config.productsPerDsp);
    this.rowTotals = vec(this.total, config.partCols / config.productsPerDsp);
    this.partTotals = vec(this.rowTotals, this.weightParts);
    this.rowsTotals = vec(this.partTotals, this.rows);
    this.taps = vec(vec(this.columns, this.weightParts), this.depth);
    this.flat = vec(i32, config.cols);
    this.pair = vec(i32, config.productsPerDsp);
    this.result = vec(this.pair, config.cellCols);
    this.inputs = Array.from({ length: this.parts }, () => this.channelIn(vec(this.word, config.partRows)));
    this.weights = Array.from({ length: this.weightParts }, () => this.channelIn(vec(this.word, config.partCols)));
    this.results = this.channelOut(this.result);
    this.windows = config.lineBytes > 0 ? [this.channelIn(windowType(config))] : [];
    this.tiles = this.channel(tileType(this.sums), { name: "tiles", depth: 1 });
    this.clocked(this.multiply);
    this.clocked(this.give);
  }

  /** A word of every row and column in `bytes / depth` clocks. */
  *multiply(): Process {
    const rows = this.inputWords.zero();
    const weights = this.blocks.zero();
    let sums = this.sums.zero();
    // Of a depthwise convolution: a sum for each channel.
    let channels = this.rowSums.zero();
    // Where in the word of weights the next column of a window stands.
    let column = u4(0);
    for (;;) {
      const command = yield* this.commands.pop();
      assert(command.count >= 1, "a command has products");
      if (!command.window)
        for (let p = 0; p < this.parts; p++) {
          const words = yield* this.inputs[p]!.pop();
          for (let r = 0; r < this.partRows; r++) rows[p * this.partRows + r] = this.word(words[r]!);
        }
      for (let p = 0; p < this.weightParts; p++) {
        const words = yield* this.weights[p]!.pop();
        // A block is packed byte of K by byte of K, the columns of the stream next to each other.
        weights[p] = this.block((k) =>
          this.columns(
            (c) => words[asr(k * this.partCols + c, this.byteBits)]![andU(k * this.partCols + c, this.bytes - 1)]!,
          ),
        );
      }
      for (let k = u8(0); k < command.count; k = u8(k + this.depth)) {
        assert(k <= this.bytes - this.depth, "a word has so many bytes");
        const fresh = command.first && k === 0;
        assert(column <= this.bytes - this.depth, "a column stands in a word");
        let taps = this.taps.zero();
        let weightZero = i8(0);
        if (command.window)
          for (const windows of this.windows) {
            const window = yield* windows.pop();
            taps = window.taps;
            weightZero = window.weightZero;
          }
        for (let g = 0; g < this.depth / this.group; g++) {
          // A command is a word of a matrix product, or one column of a window. The same multipliers in both modes: each
          // takes a tap of its own in place of a row's input, and one of its products counts: that of the row that its
          // column stands for.
          const products = this.products((d) =>
            this.rowsProducts((r) =>
              this.partProducts((p) =>
                this.rowProducts((q) =>
                  this.paired
                    ? mulPair(
                        command.window && r < 2
                          ? taps[g * this.group + d]![p]![q * 2 + andU(r, 1)]!
                          : rows[r]![k + g * this.group + d]!,
                        weights[p]![(command.window ? column : k) + g * this.group + d]![q * 2]! -
                          (command.window ? weightZero : 0),
                        weights[p]![(command.window ? column : k) + g * this.group + d]![q * 2 + 1]! -
                          (command.window ? weightZero : 0),
                      )
                    : this.product((_) =>
                        i16(
                          (command.window && r < 1
                            ? taps[g * this.group + d]![p]![q]!
                            : rows[r]![k + g * this.group + d]!) *
                            (weights[p]![(command.window ? column : k) + g * this.group + d]![q]! -
                              (command.window ? weightZero : 0)),
                        ),
                      ),
                ),
              ),
            ),
          );
          // Added to each other before the sum: short adders, and one of 32 bits.
          const totals = this.rowsTotals((r) =>
            this.partTotals((p) =>
              this.rowTotals((q) =>
                this.total((e) =>
                  i18(
                    products[0]![r]![p]![q]![e]! +
                      (this.group > 1 ? products[1]![r]![p]![q]![e]! : 0) +
                      ((this.group > 2 ? products[2]![r]![p]![q]![e]! : 0) +
                        (this.group > 3 ? products[3]![r]![p]![q]![e]! : 0)),
                  ),
                ),
              ),
            ),
          );
          if (command.window) {
            const before = channels;
            channels = this.rowSums((p) =>
              this.row((c) =>
                i32(
                  (this.paired ? totals[andU(c, 1)]![p]![asr(c, 1)]![andU(c, 1)]! : totals[0]![p]![c]![0]!) +
                    (fresh && g === 0 ? 0 : before[p]![c]!),
                ),
              ),
            );
          } else {
            const before = sums;
            sums = this.sums((r) =>
              this.rowSums((p) =>
                this.row((c) =>
                  i32(
                    (this.paired ? totals[r]![p]![asr(c, 1)]![andU(c, 1)]! : totals[r]![p]![c]![0]!) +
                      (fresh && g === 0 ? 0 : before[r]![p]![c]!),
                  ),
                ),
              ),
            );
          }
        }
        yield;
      }
      if (command.window) column = u4(command.last || column === this.bytes - this.depth ? 0 : column + this.depth);
      if (command.last) {
        if (command.window) {
          const others = sums;
          sums = this.sums((r) =>
            this.rowSums((p) => this.row((c) => (r === 0 ? channels[p]![c]! : others[r]![p]![c]!))),
          );
        }
        yield* this.tiles.push({ sums, window: command.window });
        if (!this.overlaps) yield* this.given.pop();
      }
    }
  }

  /** The rows of a tile, one a clock, their columns in the order of the channels. */
  *give(): Process {
    for (;;) {
      const { sums: all, window } = yield* this.tiles.pop();
      // The row that leaves is always the first: moving the others up costs less than choosing one of them.
      let sums = all;
      if (!window) {
        if (this.reserved === this.resultTiles) yield* this.credits.pop();
        else this.reserved = u8(this.reserved + 1);
      }
      const rows = u8(window ? 1 : this.rows);
      assert(rows >= 1, "a tile has rows");
      for (let r = u8(0); r < rows; r = u8(r + 1)) {
        const flat = this.flat.zero();
        for (let p = 0; p < this.weightParts; p++)
          for (let c = 0; c < this.partCols; c++) flat[c * this.weightParts + p] = sums[0]![p]![c]!;
        yield* this.results.push(this.result((q) => this.pair((e) => flat[q * this.productsPerDsp + e]!)));
        const before = sums;
        sums = this.sums((i) => before[i < this.rows - 1 ? i + 1 : i]!);
        yield;
      }
      if (!this.overlaps) yield* this.given.push(true);
    }
  }
}
