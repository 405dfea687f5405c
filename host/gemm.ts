/** One random int8 matrix product as a layer: what `tandem gemm` and the benchmarks give to a design. */
import { productShape, type ConvLayer } from "../driver/layer.js";
import { TandemError } from "../hw/errors.js";
import { mulberry32 } from "../sim/environment.js";

export interface Gemm {
  readonly layer: ConvLayer;
  /** `[M][K]`, row by row. */
  readonly input: Uint8Array;
}

/** Most of any dimension, and of products in all. */
const MOST = 2 ** 20;
const MOST_MACS = 2 ** 36;

/**
 * M rows of inputs by N channels of weights, K deep: a 1 x 1 convolution over a picture of 1 x M pixels. Operands, zero
 * points, bias and multipliers are drawn from `seed`; the outputs fill the range of int8.
 * @throws TandemError if the size is out of range.
 */
export function randomGemm(m: number, n: number, k: number, seed: number): Gemm {
  for (const [name, size] of Object.entries({ M: m, N: n, K: k }))
    if (!Number.isInteger(size) || size < 1 || size > MOST)
      throw new TandemError(`${name} = ${size}: expected a whole number from 1 to ${MOST}`);
  if (m * n * k > MOST_MACS)
    throw new TandemError(
      `${m} x ${n} x ${k}: that is ${m * n * k} multiply-accumulates; at most ${MOST_MACS} are simulated`,
    );
  const random = mulberry32(seed);
  const within = (min: number, max: number): number => min + Math.floor(random() * (max - min + 1));
  const int8s = (length: number): Int8Array => Int8Array.from({ length }, () => within(-128, 127));
  const input = new Uint8Array(int8s(m * k).buffer);
  const weights = int8s(n * k);
  const inputZero = within(-128, 127);
  // A sum of K products of uniform int8 has a spread of about 5,461 sqrt(K), and more where the zero point is off centre.
  const spread = Math.sqrt(k * ((256 ** 2 / 12 + inputZero ** 2) * (256 ** 2 / 12)));
  const multipliers = new Int32Array(n);
  const shifts = new Int32Array(n);
  for (let c = 0; c < n; c++) {
    const scale = ((0.5 + random()) * 64) / spread;
    const exponent = Math.floor(Math.log2(scale)) + 1;
    multipliers[c] = Math.min(2 ** 31 - 1, Math.round((scale / 2 ** exponent) * 2 ** 31));
    shifts[c] = exponent;
  }
  const layer: ConvLayer = {
    name: `gemm ${m} x ${n} x ${k}`,
    dtype: "int8",
    ...productShape(m, n, k),
    weights,
    bias: Int32Array.from({ length: n }, () => within(-4096, 4095)),
    inputZero,
    weightZero: 0,
    outputZero: within(-16, 15),
    multipliers,
    shifts,
    clampMin: -128,
    clampMax: 127,
  };
  return { layer, input };
}
