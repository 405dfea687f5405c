/**
 * Windows bitmaps (BMP): 1, 4 and 8 bit with palette, 16 bit, 24 bit and 32 bit, rows from the bottom or from the top, uncompressed or
 * with bit fields. Run-length and embedded JPEG or PNG compression are refused by name.
 * Source: Microsoft, "Bitmap Storage" and BITMAPINFOHEADER, BITMAPV4HEADER, BITMAPV5HEADER (Windows GDI documentation).
 */
import { TandemError } from "../../hw/errors.js";
import { checkSize, type Image } from "./image.js";

interface Header {
  readonly width: number;
  readonly height: number;
  readonly topDown: boolean;
  readonly bits: number;
  /** Offset of the first pixel row. */
  readonly pixels: number;
  /** Offset of the palette, its entries, and the bytes of one (3 in the OS/2 header, else 4). */
  readonly palette: number;
  readonly colours: number;
  readonly paletteStride: number;
  /** Bit masks of red, green and blue, for 16 and 32 bit. */
  readonly masks: readonly [number, number, number];
}

const compressions = ["none", "RLE8", "RLE4", "bit fields", "JPEG", "PNG", "bit fields with alpha"];

/**
 * Reads a bitmap. Alpha is ignored, as most writers of 32-bit bitmaps leave the byte at 0.
 * @throws TandemError if the file is truncated, has impossible sizes, or uses a compression that is not read.
 */
export function decodeBmp(file: string, bytes: Uint8Array): Image {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = readHeader(file, view);
  const { width, height, bits } = header;
  const stride = Math.ceil((width * bits) / 32) * 4;
  const needed = header.pixels + stride * height;
  if (needed > bytes.length) {
    throw new TandemError(
      `${file}: truncated bitmap: ${width}x${height} pixels of ${bits} bit need ${needed} bytes, the file has ${bytes.length}`,
    );
  }
  const data = new Uint8Array(width * height * 3);
  const readRow = rowReader(file, bytes, view, header);
  for (let y = 0; y < height; y++) {
    const stored = header.topDown ? y : height - 1 - y;
    readRow(header.pixels + stored * stride, data, y * width * 3);
  }
  return { width, height, data };
}

function readHeader(file: string, view: DataView): Header {
  const truncated = (): TandemError =>
    new TandemError(`${file}: truncated bitmap: the file ends within its header (${view.byteLength} bytes)`);
  if (view.byteLength < 26) throw truncated();
  const pixels = view.getUint32(10, true);
  const size = view.getUint32(14, true);
  if (size !== 12 && (size < 40 || size > 4096))
    throw new TandemError(
      `${file}: not a bitmap that is read here: its header has ${size} bytes (12 or 40 to 124 are known)`,
    );
  if (view.byteLength < 14 + size) throw truncated();
  const os2 = size === 12;
  const width = os2 ? view.getUint16(18, true) : view.getInt32(18, true);
  const signedHeight = os2 ? view.getUint16(20, true) : view.getInt32(22, true);
  const height = Math.abs(signedHeight);
  checkSize(file, width, height);
  const bits = view.getUint16(os2 ? 24 : 28, true);
  if (![1, 4, 8, 16, 24, 32].includes(bits))
    throw new TandemError(`${file}: bitmap of ${bits} bits per pixel; 1, 4, 8, 16, 24 and 32 are read`);
  const compression = os2 ? 0 : view.getUint32(30, true);
  const fields = compression === 3 || compression === 6;
  if (compression !== 0 && !(fields && (bits === 16 || bits === 32))) {
    throw new TandemError(
      `${file}: bitmap with ${compressions[compression] ?? `unknown (${compression})`} compression at ${bits} bit is not read`,
      {
        hint: "Save it as an uncompressed bitmap, PNG or JPEG.",
      },
    );
  }
  // The masks follow a 40-byte header, and are part of the longer ones, at the same offset either way.
  if (fields && view.byteLength < 66) throw truncated();
  const colours = bits > 8 ? 0 : paletteLength(file, os2 ? 0 : view.getUint32(46, true), bits);
  return {
    width,
    height,
    topDown: signedHeight < 0,
    bits,
    pixels,
    palette: 14 + size,
    colours,
    paletteStride: os2 ? 3 : 4,
    masks: fields
      ? [view.getUint32(54, true), view.getUint32(58, true), view.getUint32(62, true)]
      : bits === 16
        ? [0x7c00, 0x03e0, 0x001f]
        : [0xff0000, 0x00ff00, 0x0000ff],
  };
}

/** Entries of the palette: as stated, or all that the bits can name where the header says 0. */
function paletteLength(file: string, stated: number, bits: number): number {
  const most = 2 ** bits;
  if (stated > most)
    throw new TandemError(`${file}: bitmap of ${bits} bit with a palette of ${stated} colours (at most ${most})`);
  return stated === 0 ? most : stated;
}

type RowReader = (from: number, rgb: Uint8Array, to: number) => void;

function rowReader(file: string, bytes: Uint8Array, view: DataView, header: Header): RowReader {
  const { width, bits } = header;
  if (bits <= 8) return paletteRow(file, bytes, header);
  if (bits === 24) {
    return (from, rgb, to) => {
      for (let x = 0; x < 3 * width; x += 3) {
        rgb[to + x] = bytes[from + x + 2]!;
        rgb[to + x + 1] = bytes[from + x + 1]!;
        rgb[to + x + 2] = bytes[from + x]!;
      }
    };
  }
  const channels = header.masks.map((mask) => channel(file, mask, bits));
  const step = bits / 8;
  return (from, rgb, to) => {
    for (let x = 0; x < width; x++) {
      const word = bits === 16 ? view.getUint16(from + x * step, true) : view.getUint32(from + x * step, true);
      for (let c = 0; c < 3; c++) rgb[to + 3 * x + c] = channels[c]!(word);
    }
  };
}

function paletteRow(file: string, bytes: Uint8Array, header: Header): RowReader {
  const { width, bits, palette, colours, paletteStride } = header;
  if (palette + colours * paletteStride > bytes.length)
    throw new TandemError(`${file}: truncated bitmap: the file ends within its palette`);
  const perByte = 8 / bits;
  return (from, rgb, to) => {
    for (let x = 0; x < width; x++) {
      const byte = bytes[from + Math.floor(x / perByte)]!;
      // The leftmost pixel is in the highest bits.
      const index = (byte >> (8 - bits - (x % perByte) * bits)) & (2 ** bits - 1);
      if (index >= colours)
        throw new TandemError(`${file}: damaged bitmap: a pixel names colour ${index} of a palette of ${colours}`);
      const entry = palette + index * paletteStride;
      rgb[to + 3 * x] = bytes[entry + 2]!;
      rgb[to + 3 * x + 1] = bytes[entry + 1]!;
      rgb[to + 3 * x + 2] = bytes[entry]!;
    }
  };
}

/** Reads one colour out of a pixel word and widens it to 0..255. */
function channel(file: string, mask: number, bits: number): (word: number) => number {
  if (mask === 0) return () => 0;
  if (mask >= 2 ** bits)
    throw new TandemError(`${file}: damaged bitmap: a colour mask lies outside the ${bits}-bit pixel`);
  const shift = 31 - Math.clz32(mask & -mask);
  const top = mask >>> shift;
  return (word) => Math.round((255 * ((word & mask) >>> shift)) / top);
}
