/**
 * NumPy's `.npy` arrays, format versions 1.0, 2.0 and 3.0, C order.
 * Source: NumPy documentation, "NumPy file formats" (numpy.lib.format, NEP 1): magic, version, length of header, then a Python
 * dictionary literal with `descr`, `fortran_order` and `shape`, then the raw elements.
 */
import { TandemError } from "../../hw/errors.js";

/** Element types that are read, by the part of `descr` after the byte order. */
const types = { u1: 1, i1: 1, f4: 4, f8: 8 } as const;
type Type = keyof typeof types;

export interface NpyArray {
  /** `u1`, `i1`, `f4` or `f8`: the array's element type in NumPy's notation, without the byte order. */
  readonly type: Type;
  readonly shape: readonly number[];
  /** Elements in C order, little-endian. */
  readonly bytes: Uint8Array;
}

/** True if the bytes begin as a `.npy` file does. */
export function isNpy(bytes: Uint8Array): boolean {
  return [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59].every((byte, i) => bytes[i] === byte);
}

/**
 * Reads an array; `file` is only named in errors.
 * @throws TandemError if the file is no `.npy`, is truncated, in Fortran order, or of another type than uint8, int8, float32, float64.
 */
export function readNpy(file: string, bytes: Uint8Array): NpyArray {
  if (!isNpy(bytes)) throw new TandemError(`${file}: not an .npy file: it does not begin with NumPy's magic string`);
  const major = bytes[6] ?? 0;
  if (major < 1 || major > 3) throw new TandemError(`${file}: .npy format version ${major}; 1, 2 and 3 are read`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = major === 1 ? 10 : 12;
  if (bytes.length < start) throw new TandemError(`${file}: truncated .npy file: ${bytes.length} bytes`);
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (start + length > bytes.length) throw new TandemError(`${file}: truncated .npy file: it ends within its header`);
  // NumPy itself refuses headers beyond 10,000 characters by default.
  if (length > 10_000) throw new TandemError(`${file}: damaged .npy file: its header has ${length} bytes`);
  const header = Buffer.from(bytes.subarray(start, start + length)).toString(major === 3 ? "utf8" : "latin1");

  const descr = /'descr'\s*:\s*'([<>|=])([a-zA-Z]\d+)'/.exec(header);
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(header);
  const shapeText = /'shape'\s*:\s*\(([\d\s,]*)\)/.exec(header);
  if (descr === null || order === null || shapeText === null) {
    throw new TandemError(`${file}: .npy header not understood: ${JSON.stringify(header.trim().slice(0, 120))}`, {
      hint: "Save a plain array with numpy.save; records and objects are not read.",
    });
  }
  const type = descr[2]!;
  if (!isType(type)) {
    throw new TandemError(
      `${file}: elements of type '${descr[1]!}${type}'; uint8, int8, float32 and float64 are read`,
      {
        hint: "Convert with array.astype(...) before numpy.save.",
      },
    );
  }
  const shape = (shapeText[1]!.match(/\d+/g) ?? []).map(Number);
  const data = bytes.subarray(start + length);
  const count = shape.reduce((product, n) => product * n, 1);
  if (count * types[type] !== data.length) {
    throw new TandemError(
      `${file}: ${count > data.length / types[type] ? "truncated .npy file" : ".npy file with bytes left over"}: shape (${shape.join(", ")}) of ${type} needs ${count * types[type]} bytes of data, the file has ${data.length}`,
    );
  }
  const vectorLike = shape.filter((n) => n !== 1).length < 2;
  if (order[1] === "True" && !vectorLike) {
    throw new TandemError(`${file}: the array is in Fortran order, C order is read`, {
      hint: "Save numpy.ascontiguousarray(array).",
    });
  }
  return { type, shape, bytes: descr[1] === ">" ? swapped(data, types[type]) : data.slice() };
}

function isType(text: string): text is Type {
  return Object.hasOwn(types, text);
}

/** A copy with the bytes of each element turned round. */
function swapped(data: Uint8Array, size: number): Uint8Array {
  const copy = data.slice();
  for (let at = 0; at < copy.length; at += size) copy.subarray(at, at + size).reverse();
  return copy;
}
