/**
 * A file to the bytes of a network's input tensor: pictures (PNG, JPEG, BMP) through `Preprocess`; `.npy` arrays and raw bytes
 * (`.bin`, `.raw`) as they are, for inputs that are no pictures (vectors, spectrograms) and for exact repetition.
 */
import { readFileSync, statSync } from "node:fs";
import { TandemError } from "../../hw/errors.js";
import { decodeImage } from "./decode.js";
import { maxFileBytes, reason } from "./image.js";
import { isNpy, type NpyArray, readNpy } from "./npy.js";
import { imageToTensor, type InputTensor, pictureShape, type Preprocess, quantise } from "./preprocess.js";

export { defaultPreprocess, describe, type InputTensor, type Preprocess } from "./preprocess.js";

/** True if the file's name says raw tensor bytes. */
const isRaw = (path: string): boolean => /\.(bin|raw)$/i.test(path);

/** True if `loadInput` would treat the file as a picture, so that `Preprocess` applies and is worth showing. */
export function isPicture(path: string): boolean {
  return !isRaw(path) && !/\.npy$/i.test(path);
}

/**
 * The input tensor's bytes, little-endian, for a file.
 * @throws TandemError naming the file if it cannot be read, is damaged, or does not fit the tensor.
 */
export function loadInput(path: string, tensor: InputTensor, options: Preprocess): Uint8Array {
  const bytes = readInput(path);
  if (isRaw(path)) return fromRaw(path, bytes, tensor);
  if (isNpy(bytes) || !isPicture(path)) return fromNpy(path, readNpy(path, bytes), tensor);
  if (pictureShape(tensor) === null) {
    throw new TandemError(`${path}: a picture cannot fill an input of shape [${tensor.shape.join(", ")}]`, {
      hint: "Give the tensor itself, as .npy or as raw bytes in a .bin file.",
    });
  }
  return imageToTensor(decodeImage(path, bytes), tensor, options);
}

function readInput(path: string): Uint8Array {
  try {
    const stat = statSync(path);
    if (!stat.isFile()) throw new TandemError(`${path}: not a file`);
    if (stat.size > maxFileBytes)
      throw new TandemError(`${path}: ${stat.size} bytes, more than the limit of ${maxFileBytes} for an input`);
    return readFileSync(path);
  } catch (error) {
    if (error instanceof TandemError) throw error;
    throw new TandemError(`${path}: cannot be read: ${reason(error)}`, { cause: error });
  }
}

function fromRaw(path: string, bytes: Uint8Array, tensor: InputTensor): Uint8Array {
  const needed = elements(tensor) * (tensor.dtype === "float32" ? 4 : 1);
  if (bytes.length !== needed) {
    throw new TandemError(
      `${path}: ${bytes.length} bytes of raw data for an input of ${needed} bytes (${tensor.dtype}, shape [${tensor.shape.join(", ")}])`,
      { hint: "Raw files hold exactly the tensor's elements in C order, little-endian, with no header." },
    );
  }
  return bytes;
}

/** Elements of the tensor's own type go in as they are; floats are quantised with the tensor's scale and zero point. */
function fromNpy(path: string, array: NpyArray, tensor: InputTensor): Uint8Array {
  // Axes of length 1 carry no order, so (49, 10) fills [1, 49, 10, 1].
  const core = (shape: readonly number[]): string => shape.filter((n) => n !== 1).join(", ");
  if (core(array.shape) !== core(tensor.shape)) {
    throw new TandemError(
      `${path}: array of shape (${array.shape.join(", ")}) for an input of shape [${tensor.shape.join(", ")}]`,
    );
  }
  const own = { uint8: "u1", int8: "i1", float32: "f4" }[tensor.dtype];
  if (array.type === own) return array.bytes;
  if (array.type === "u1" || array.type === "i1") {
    throw new TandemError(
      `${path}: array of ${array.type === "u1" ? "uint8" : "int8"} for an input of ${tensor.dtype}`,
      {
        hint: "Convert the array, or give real values as float32.",
      },
    );
  }
  return converted(path, realValues(array), tensor);
}

function realValues(array: NpyArray): number[] {
  const view = new DataView(array.bytes.buffer, array.bytes.byteOffset, array.bytes.byteLength);
  return array.type === "f8"
    ? Array.from({ length: array.bytes.length / 8 }, (_, i) => view.getFloat64(8 * i, true))
    : Array.from({ length: array.bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
}

function converted(path: string, values: readonly number[], tensor: InputTensor): Uint8Array {
  const { dtype } = tensor;
  if (dtype === "float32") return new Uint8Array(Float32Array.from(values).buffer);
  const bad = values.findIndex((value) => Number.isNaN(value));
  if (bad >= 0) throw new TandemError(`${path}: element ${bad} is not a number, which ${dtype} cannot hold`);
  return Uint8Array.from(values, (value) => quantise(value, { ...tensor, dtype }));
}

function elements(tensor: InputTensor): number {
  return tensor.shape.reduce((product, n) => product * n, 1);
}
