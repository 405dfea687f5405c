/**
 * Integer matrix product for the fast convolutions, on doubles: two 9-bit weights share one double as `w0 + w1 * 2^27`, so
 * that one multiplication gives two products, exactly, as long as both sums stay below 2^26 in magnitude. (The same idea
 * as two int8 products in one DSP slice.) On V8 this is about twice as fast as int32 arithmetic.
 */

/** Where the second weight of a pair starts. */
const PAIR = 2 ** 27;
/** Depth after which sums are split and put away: 1024 * 255 * 255 < 2^26. */
const MAX_DEPTH = 1024;
/** Rows and columns that one inner loop computes. */
const TILE = 4;

/** Weights of `columns` outputs, in panels of four columns: `[columns / 4][depth][2]`, a pair of columns in each double. */
export interface PackedWeights {
  readonly columns: number;
  readonly depth: number;
  readonly panels: Float64Array;
}

/** Packs rows `first` to `first + columns - 1` of `weights`, `[row][depth]`, with `zero` taken off. */
export function packWeights(
  weights: Int8Array | Uint8Array,
  first: number,
  columns: number,
  depth: number,
  zero: number,
): PackedWeights {
  const panels = new Float64Array(roundUp(columns) * (depth / 2));
  for (let column = 0; column < columns; column++) {
    const factor = column % 2 === 0 ? 1 : PAIR;
    let target = (column - (column % TILE)) * (depth / 2) + ((column % TILE) >> 1);
    const source = (first + column) * depth;
    for (let k = 0; k < depth; k++, target += 2) panels[target]! += (weights[source + k]! - zero) * factor;
  }
  return { columns, depth, panels };
}

/** Number of rows or columns with whole tiles. */
export function roundUp(count: number): number {
  return Math.ceil(count / TILE) * TILE;
}

/**
 * `sums[row][column] = sum over k of input[row][k] * weights[column][k]`, modulo 2^32. `input` is in panels of four rows,
 * `[rows / 4][depth][4]`, values within 255 of zero; `sums` has `roundUp(columns)` columns and `roundUp(rows)` rows.
 */
export function multiply(input: Float64Array, rows: number, weights: PackedWeights, sums: Int32Array): void {
  const { depth, panels, columns } = weights;
  const width = roundUp(columns);
  sums.fill(0, 0, roundUp(rows) * width);
  for (let column = 0; column < columns; column += TILE) {
    for (let row = 0; row < rows; row += TILE) {
      for (let k = 0; k < depth; k += MAX_DEPTH) {
        const steps = Math.min(MAX_DEPTH, depth - k);
        tile(
          input,
          row * depth + k * TILE,
          panels,
          column * (depth / 2) + k * 2,
          steps,
          sums,
          row * width + column,
          width,
        );
      }
    }
  }
}

/** Adds the product of one panel of rows and one of columns, over `steps`, to a 4 x 4 tile of `sums`. */
function tile(
  a: Float64Array,
  i: number,
  b: Float64Array,
  j: number,
  steps: number,
  sums: Int32Array,
  at: number,
  width: number,
): void {
  let [p, q, r, s, t, u, v, w] = [0, 0, 0, 0, 0, 0, 0, 0];
  for (const end = i + TILE * steps; i < end; i += TILE, j += 2) {
    const [w01, w23] = [b[j]!, b[j + 1]!];
    const [x0, x1, x2, x3] = [a[i]!, a[i + 1]!, a[i + 2]!, a[i + 3]!];
    p += x0 * w01;
    q += x0 * w23;
    r += x1 * w01;
    s += x1 * w23;
    t += x2 * w01;
    u += x2 * w23;
    v += x3 * w01;
    w += x3 * w23;
  }
  split(sums, at, p, q);
  split(sums, at + width, r, s);
  split(sums, at + 2 * width, t, u);
  split(sums, at + 3 * width, v, w);
}

/** Adds the four sums in two doubles to one row of a tile. */
function split(sums: Int32Array, at: number, first: number, second: number): void {
  const high1 = Math.floor(first / PAIR + 0.5);
  const high3 = Math.floor(second / PAIR + 0.5);
  sums[at]! += first - high1 * PAIR;
  sums[at + 1]! += high1;
  sums[at + 2]! += second - high3 * PAIR;
  sums[at + 3]! += high3;
}
