/** Tensors of the graph: element type, shape, quantisation, and the limits that every tensor is held to. */
export type DType = "float32" | "int32" | "int64" | "uint8" | "int8";

export const DTYPE_BYTES: Readonly<Record<DType, number>> = { float32: 4, int32: 4, int64: 8, uint8: 1, int8: 1 };

/** The typed array that views a tensor's bytes. */
export type TensorArray = Float32Array | Int32Array | BigInt64Array | Uint8Array | Int8Array;

/** Largest tensor, in elements. A bound for files that lie, not for networks that fit an edge device. */
export const MAX_ELEMENTS = 1 << 28;
/** Largest rank of a tensor. */
export const MAX_RANK = 8;

/**
 * Real value = scale * (stored value - zero point). One scale: per tensor. More than one: per slice along `axis`
 * (TFLite's per-channel weights, all zero points 0).
 */
export interface Quantisation {
  /** Float32 values, as stored in the model. */
  readonly scales: readonly number[];
  readonly zeroPoints: readonly number[];
  readonly axis: number;
}

export interface Tensor {
  readonly index: number;
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly quantisation: Quantisation | undefined;
  /** Constant data, little-endian, `elements(shape) * DTYPE_BYTES[dtype]` bytes; undefined if an operator writes it. */
  readonly data: Uint8Array | undefined;
}

/** What is wrong with a shape as a clause, or undefined: every dimension is positive and their product is bounded. */
export function shapeProblem(shape: readonly number[]): string | undefined {
  let product = 1;
  for (const size of shape) {
    if (!Number.isInteger(size) || size < 1)
      return `has shape [${shape.join(", ")}]; every dimension must be at least 1`;
    product *= size;
    if (product > MAX_ELEMENTS) return `has shape [${shape.join(", ")}] of more than ${MAX_ELEMENTS} elements`;
  }
  return undefined;
}

/** Number of elements of a shape that `shapeProblem` has passed. */
export function elements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Bytes of a tensor's elements. */
export function byteLength(tensor: Pick<Tensor, "shape" | "dtype">): number {
  return elements(tensor.shape) * DTYPE_BYTES[tensor.dtype];
}

/** A typed view of little-endian bytes; copies them where their address does not suit the type. */
export function viewAs(bytes: Uint8Array, dtype: DType): TensorArray {
  const size = DTYPE_BYTES[dtype];
  const aligned = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  const { buffer, byteOffset } = aligned;
  const length = Math.floor(aligned.byteLength / size);
  switch (dtype) {
    case "float32":
      return new Float32Array(buffer, byteOffset, length);
    case "int32":
      return new Int32Array(buffer, byteOffset, length);
    case "int64":
      return new BigInt64Array(buffer, byteOffset, length);
    case "uint8":
      return new Uint8Array(buffer, byteOffset, length);
    case "int8":
      return new Int8Array(buffer, byteOffset, length);
  }
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}
