/** Test helpers: temporary files, and small writers of the formats under test. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import jpeg from "jpeg-js";
import { PNG } from "pngjs";
import type { Image } from "../../../host/images/image.js";

/** Calls `body` with a function that writes a temporary file and returns its path; removes them afterwards. */
export function withFiles<T>(body: (write: (name: string, bytes: Uint8Array) => string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "tandem-images-"));
  try {
    return body((name, bytes) => {
      const path = join(folder, name);
      writeFileSync(path, bytes);
      return path;
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A picture whose every sample differs from its neighbours, so that any mix-up of rows, columns or channels shows. */
export function pattern(width: number, height: number): Image {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 37 + (i >> 3) * 11) & 0xff);
  return { width, height, data };
}

export function png(image: Image, options: { alpha?: number } = {}): Uint8Array {
  const { width, height, data } = image;
  const file = new PNG({ width, height });
  for (let i = 0; i < width * height; i++) {
    file.data.set(data.subarray(3 * i, 3 * i + 3), 4 * i);
    file.data[4 * i + 3] = options.alpha ?? 255;
  }
  return new Uint8Array(PNG.sync.write(file));
}

/** An interlaced (Adam7) 8-bit grey PNG, which pngjs cannot write: W3C PNG specification, section 8. */
export function interlacedPng(width: number, height: number, grey: (x: number, y: number) => number): Uint8Array {
  const passes = [
    [0, 0, 8, 8],
    [4, 0, 8, 8],
    [0, 4, 4, 8],
    [2, 0, 4, 4],
    [0, 2, 2, 4],
    [1, 0, 2, 2],
    [0, 1, 1, 2],
  ] as const;
  const raw: number[] = [];
  for (const [left, top, across, down] of passes) {
    for (let y = top; y < height && left < width; y += down) {
      raw.push(0);
      for (let x = left; x < width; x += across) raw.push(grey(x, y));
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 0, 0, 0, 1], 8);
  const signature = Buffer.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
  const data = deflateSync(Buffer.from(raw));
  return Buffer.concat([
    signature,
    pngChunk("IHDR", header),
    pngChunk("IDAT", data),
    pngChunk("IEND", Buffer.alloc(0)),
  ]);
}

function pngChunk(type: string, data: Buffer): Buffer {
  const chunk = Buffer.alloc(12 + data.length);
  chunk.writeUInt32BE(data.length, 0);
  chunk.write(type, 4, "latin1");
  data.copy(chunk, 8);
  let crc = -1;
  for (const byte of chunk.subarray(4, 8 + data.length)) {
    crc ^= byte;
    for (let k = 0; k < 8; k++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  chunk.writeInt32BE(~crc, 8 + data.length);
  return chunk;
}

export function jpg(image: Image, quality = 95): Uint8Array {
  const { width, height, data } = image;
  const rgba = new Uint8Array(width * height * 4).fill(255);
  for (let i = 0; i < width * height; i++) rgba.set(data.subarray(3 * i, 3 * i + 3), 4 * i);
  return new Uint8Array(jpeg.encode({ width, height, data: rgba }, quality).data);
}

/** A bitmap with a 40-byte header and no palette. */
export function bmp(image: Image, options: { bits: 24 | 32; topDown?: boolean }): Uint8Array {
  const { width, height, data } = image;
  const step = options.bits / 8;
  const stride = Math.ceil((width * step) / 4) * 4;
  const bytes = bmpHeader(width, height, options.bits, stride * height, [], options.topDown);
  const start = bytes.length - stride * height;
  for (let y = 0; y < height; y++) {
    const row = start + (options.topDown === true ? y : height - 1 - y) * stride;
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) bytes[row + x * step + c] = data[(y * width + x) * 3 + 2 - c]!;
    }
  }
  return bytes;
}

/** A bitmap with a palette of `[red, green, blue]` and `indices` of its pixels, rows from the top. */
export function paletteBmp(
  width: number,
  height: number,
  bits: 1 | 4 | 8,
  palette: readonly (readonly [number, number, number])[],
  indices: readonly number[],
): Uint8Array {
  const stride = Math.ceil((width * bits) / 32) * 4;
  const bytes = bmpHeader(width, height, bits, stride * height, palette);
  const start = bytes.length - stride * height;
  indices.forEach((index, i) => {
    const bit = (i % width) * bits;
    const at = start + (height - 1 - Math.floor(i / width)) * stride + (bit >> 3);
    bytes[at] = bytes[at]! | (index << (8 - bits - (bit & 7)));
  });
  return bytes;
}

function bmpHeader(
  width: number,
  height: number,
  bits: number,
  pixels: number,
  palette: readonly (readonly [number, number, number])[],
  topDown = false,
): Uint8Array {
  const offset = 54 + 4 * palette.length;
  const bytes = new Uint8Array(offset + pixels);
  const view = new DataView(bytes.buffer);
  bytes.set([0x42, 0x4d]);
  view.setUint32(2, bytes.length, true);
  view.setUint32(10, offset, true);
  view.setUint32(14, 40, true);
  view.setInt32(18, width, true);
  view.setInt32(22, topDown ? -height : height, true);
  view.setUint16(26, 1, true);
  view.setUint16(28, bits, true);
  view.setUint32(46, palette.length, true);
  palette.forEach(([red, green, blue], i) => bytes.set([blue, green, red, 0], 54 + 4 * i));
  return bytes;
}

/** A `.npy` file, as numpy.save writes it. */
export function npy(
  descr: string,
  shape: readonly number[],
  data: Uint8Array,
  options: { version?: 1 | 2 | 3; fortran?: boolean } = {},
): Uint8Array {
  const version = options.version ?? 1;
  const tuple = shape.length === 1 ? `(${shape[0]!},)` : `(${shape.join(", ")})`;
  const dictionary = `{'descr': '${descr}', 'fortran_order': ${options.fortran === true ? "True" : "False"}, 'shape': ${tuple}, }`;
  const start = version === 1 ? 10 : 12;
  const header = `${dictionary.padEnd(Math.ceil((start + dictionary.length + 1) / 64) * 64 - start - 1)}\n`;
  const bytes = new Uint8Array(start + header.length + data.length);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0]);
  const view = new DataView(bytes.buffer);
  if (version === 1) view.setUint16(8, header.length, true);
  else view.setUint32(8, header.length, true);
  bytes.set(Buffer.from(header, "latin1"), start);
  bytes.set(data, start + header.length);
  return bytes;
}
