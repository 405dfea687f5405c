/** Rows of twelve bytes, which no SIMD register fills: those of a matrix lie without a gap, and so do those of an outer stream. */
import { andU, i8, Module, struct, u8, uint, vec, xorU, type Process } from "../../../hw/index.js";

const u2 = uint(2);
export const COLUMNS = 12;
export const ROWS = 4;
const Row = vec(i8, COLUMNS);
const Matrix = vec(Row, ROWS);

export const RowIn = struct({ row: Row, at: u2, x: u8 });
const RowOut = struct({ matrix: Matrix, flipped: Row, x: u8 });

export class Rows extends Module {
  static readonly source = import.meta.url;
  readonly in = this.channelIn(RowIn);
  readonly out = this.channelOut(RowOut);
  /** A row alone, the last column of its stream. */
  readonly alone = this.channelOut(struct({ x: u8, row: Row }));

  constructor() {
    super(null, "rows");
    this.clocked(this.run);
  }

  *run(): Process {
    const matrix = Matrix.zero();
    for (;;) {
      const { row, at, x } = yield* this.in.pop();
      matrix[at] = Row((c) => i8(xorU(row[c]!, x)));
      yield;
      matrix[0] = Row((c) => i8(row[c]! + 1));
      const flipped = Row((c) => i8(andU(matrix[at]![c]!, 127)));
      yield* this.out.push({ matrix, flipped, x });
      yield* this.alone.push({ x, row: Row((c) => i8(row[c]! - 1)) });
    }
  }
}
