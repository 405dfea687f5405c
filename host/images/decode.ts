/**
 * Bytes of a PNG, JPEG or BMP file to an RGB picture. The kind is told by the file's first bytes, not by its name.
 * PNG and JPEG are decoded by pngjs and jpeg-js; what is added here is that the sizes in the header, and with them the memory,
 * are checked first, and that whatever a damaged file does to a decoder ends in one line that names the file.
 */
import { createRequire } from "node:module";
import { inflateSync } from "node:zlib";
import { TandemError } from "../../hw/errors.js";
import { decodeBmp } from "./bmp.js";
import { checkSize, type Image, maxPixels, onWhite, reason } from "./image.js";

/** The decoders are CommonJS, and read when a picture of their kind is there: most networks run on none. */
const decoder = createRequire(import.meta.url);

const pngSignature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** The kind of picture that the bytes begin with, or null. */
export function pictureKind(bytes: Uint8Array): "png" | "jpeg" | "bmp" | null {
  if (pngSignature.every((byte, i) => bytes[i] === byte)) return "png";
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return "jpeg";
  if (bytes[0] === 0x42 && bytes[1] === 0x4d) return "bmp";
  return null;
}

/**
 * Decodes a picture; `file` is only named in errors.
 * @throws TandemError if the bytes are no PNG, JPEG or BMP, or are damaged, truncated or larger than 48 megapixels.
 */
export function decodeImage(file: string, bytes: Uint8Array): Image {
  switch (pictureKind(bytes)) {
    case "png":
      return decodePng(file, bytes);
    case "jpeg":
      return decodeJpeg(file, bytes);
    case "bmp":
      return decodeBmp(file, bytes);
    case null:
      throw new TandemError(
        bytes.length === 0 ? `${file}: the file is empty` : `${file}: neither PNG, JPEG nor BMP by its first bytes`,
        { hint: "Give a picture of one of these kinds, or a tensor as .npy or .bin." },
      );
  }
}

/** Deflate cannot shrink by more than this (RFC 1951: 258 bytes in 2 bits), and JPEG spends at least a bit on 64 pixels. */
const mostDeflated = 1032;

/** So that a few bytes that claim to be a large picture cost no memory. */
function tooShort(file: string, kind: string, width: number, height: number, bytes: number): TandemError {
  return new TandemError(`${file}: truncated ${kind}: ${bytes} bytes cannot hold ${width}x${height} pixels`);
}

function decodePng(file: string, bytes: Uint8Array): Image {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  checkPng(file, buffer);
  let png;
  try {
    const { PNG } = decoder("pngjs") as typeof import("pngjs");
    png = PNG.sync.read(buffer);
  } catch (error) {
    throw new TandemError(`${file}: damaged or truncated PNG: ${reason(error)}`, { cause: error });
  }
  const { width, height, data } = png;
  if (data.length !== width * height * 4) throw new TandemError(`${file}: damaged PNG: pixels are missing`);
  return { width, height, data: onWhite(data, width * height) };
}

/**
 * Checks a PNG's chunks before the decoder sees them: sizes within the limit; each chunk within the file; image data that
 * inflates to no more than the picture needs. pngjs inflates interlaced pictures without a limit of its own.
 */
function checkPng(file: string, bytes: Buffer): void {
  const truncated = (): TandemError => new TandemError(`${file}: truncated PNG: the file ends within a chunk`);
  if (bytes.length < 33) throw truncated();
  if (bytes.toString("latin1", 12, 16) !== "IHDR") throw new TandemError(`${file}: damaged PNG: no header chunk`);
  const width = bytes.readUInt32BE(16);
  const height = bytes.readUInt32BE(20);
  checkSize(file, width, height);
  const samples = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }[bytes[25]!] ?? 1;
  const smallest = (width * height * samples * bytes[24]!) / 8 / mostDeflated;
  if (bytes.length < smallest) throw tooShort(file, "PNG", width, height, bytes.length);
  const data: Buffer[] = [];
  for (let at = 8; ;) {
    if (at + 12 > bytes.length) throw truncated();
    const length = bytes.readUInt32BE(at);
    const type = bytes.toString("latin1", at + 4, at + 8);
    if (at + 12 + length > bytes.length) throw truncated();
    if (type === "IDAT") data.push(bytes.subarray(at + 8, at + 8 + length));
    if (type === "IEND") break;
    at += 12 + length;
  }
  if (bytes[28] === 0) return;
  // At most 8 bytes a pixel and one filter byte per row of each of the seven passes.
  const most = width * height * 8 + 7 * (height + 8);
  try {
    inflateSync(Buffer.concat(data), { maxOutputLength: most });
  } catch (error) {
    throw new TandemError(`${file}: damaged or truncated PNG: ${reason(error)}`, { cause: error });
  }
}

function decodeJpeg(file: string, bytes: Uint8Array): Image {
  const size = jpegSize(bytes);
  if (size === null) throw new TandemError(`${file}: damaged or truncated JPEG: no frame header`);
  checkSize(file, size.width, size.height);
  if (bytes.length * 8 * 64 < size.width * size.height)
    throw tooShort(file, "JPEG", size.width, size.height, bytes.length);
  let image;
  try {
    const jpeg = decoder("jpeg-js") as typeof import("jpeg-js");
    image = jpeg.decode(bytes, {
      useTArray: true,
      formatAsRGBA: false,
      tolerantDecoding: false,
      maxResolutionInMP: maxPixels / 1e6,
      maxMemoryUsageInMB: 1024,
    });
  } catch (error) {
    throw new TandemError(`${file}: damaged, truncated or unsupported JPEG: ${reason(error)}`, { cause: error });
  }
  const { width, height, data } = image;
  if (data.length !== width * height * 3) throw new TandemError(`${file}: damaged JPEG: pixels are missing`);
  return { width, height, data };
}

/** Size in the first frame header (ITU-T T.81, B.2.2), or null if the markers run out before one. */
function jpegSize(bytes: Uint8Array): { width: number; height: number } | null {
  const word = (at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  for (let at = 2; at + 9 < bytes.length;) {
    if (bytes[at] !== 0xff) return null;
    const marker = bytes[at + 1]!;
    if (marker === 0xff) at += 1;
    else if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker))
      return { height: word(at + 5), width: word(at + 7) };
    else at += 2 + word(at + 2);
  }
  return null;
}
