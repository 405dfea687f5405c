/** In place of the array of in-joint-range.ts: sums that one process adds outer products to, a few bytes of K in each clock. */
import { andU, asr, assert, bool, clocks, i32, i8, Module, struct, u8, vec } from "../../../hw/index.js";
import type { ChannelIn, ChannelOut, I32, I8, Process } from "../../../hw/index.js";

const BYTES = 8;
const DEPTH = 4;
export const Command = struct({ count: u8, first: bool, last: bool, gap: u8 });
export const Word = vec(i8, BYTES);
type Words = readonly (readonly I8[])[];

export class Units extends Module {
  static readonly source = import.meta.url;
  readonly parts: number;
  readonly partRows: number;
  readonly cols: number;
  readonly rows: number;
  readonly far: boolean;
  readonly commands = this.channelIn(Command);
  readonly inputs: readonly ChannelIn<Words>[];
  readonly weights: ChannelIn<Words>;
  readonly results: ChannelOut<readonly I32[]>;
  readonly tiles = this.channelIn(bool);
  readonly freed: readonly ChannelOut<boolean>[];
  readonly done;
  readonly word = Word;
  readonly rowWords;
  readonly columns;
  readonly block;
  readonly blocks;
  readonly row;
  readonly sums;

  constructor(parent: Module, { parts, rows, cols, far }: { parts: number; rows: number; cols: number; far: boolean }) {
    super(parent, "product");
    this.far = far;
    this.parts = parts;
    this.partRows = rows;
    this.rows = parts * rows;
    this.cols = cols;
    this.rowWords = vec(Word, this.rows);
    this.columns = vec(i8, cols);
    this.block = vec(this.columns, BYTES);
    this.blocks = vec(this.block, 1);
    this.row = vec(i32, cols);
    this.sums = vec(this.row, this.rows);
    this.inputs = Array.from({ length: parts }, () => this.channelIn(vec(Word, rows)));
    this.weights = this.channelIn(vec(Word, cols));
    this.results = this.channelOut(this.row);
    this.freed = Array.from({ length: parts + 1 }, () => this.channelOut(bool));
    this.done = this.channel(this.sums, { name: "done", depth: 1 });
    this.clocked(this.multiply);
    this.clocked(this.give);
  }

  *multiply(): Process {
    const rows = this.rowWords.zero();
    const weights = this.blocks.zero();
    let sums = this.sums.zero();
    for (;;) {
      const command = yield* this.commands.pop();
      assert(command.count >= 1, "a word has bytes that count");
      for (let p = 0; p < this.parts; p++) {
        const words = yield* this.inputs[p]!.pop();
        for (let r = 0; r < this.partRows; r++) rows[p * this.partRows + r] = this.word(words[r]!);
      }
      const words = yield* this.weights.pop();
      weights[0] = this.block((k) =>
        this.columns((c) => words[asr(k * this.cols + c, 3)]![andU(k * this.cols + c, BYTES - 1)]!),
      );
      for (let k = u8(0); k < command.count; k = u8(k + DEPTH)) {
        assert(k <= BYTES - DEPTH, "a word has so many bytes");
        const fresh = command.first && k === 0;
        const before = sums;
        sums = this.sums((r) =>
          this.row((c) =>
            i32(
              rows[r]![k]! * weights[0]![k]![c]! +
                rows[r]![k + 1]! * weights[0]![k + 1]![c]! +
                (rows[r]![k + 2]! * weights[0]![k + 2]![c]! + rows[r]![k + 3]! * weights[0]![k + 3]![c]!) +
                (fresh ? 0 : before[r]![c]!),
            ),
          ),
        );
        yield;
      }
      if (command.last) yield* this.done.push(sums);
      yield* clocks(command.gap);
    }
  }

  *give(): Process {
    for (;;) {
      const final = yield* this.tiles.pop();
      const sums = yield* this.done.pop();
      for (let r = u8(0); r < this.rows; r = u8(r + 1)) {
        yield* this.results.push(sums[r]!);
        yield;
      }
      if (this.far && final) for (let p = 0; p < this.parts + 1; p++) yield* this.freed[p]!.push(true);
    }
  }
}
