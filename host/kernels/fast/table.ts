/** Tables over the 256 values of a byte: what an operator computes of one value is computed once per value. */
import type { DType } from "../../graph/tensor.js";

/** `table[value & 255] = of(value)` for every value of an 8-bit type. */
export function byteTable<T extends Int32Array | Float32Array>(
  type: new (length: number) => T,
  dtype: DType,
  of: (value: number) => number,
): T {
  const table = new type(256);
  for (let i = 0; i < 256; i++) table[i] = of(dtype === "int8" ? (i << 24) >> 24 : i);
  return table;
}
