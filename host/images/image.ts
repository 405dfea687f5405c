/**
 * A decoded picture, and the limits that every decoder holds: the size in the header is checked before a pixel is
 * allocated, so that a file of a few bytes cannot ask for gigabytes.
 */
import { TandemError } from "../../hw/errors.js";

/** 8-bit RGB, rows from the top, `[height][width][3]`; transparent pictures are already laid on white. */
export interface Image {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** Pixels of the largest picture that is read: 48 megapixels, 144 MB decoded. */
export const maxPixels = 48_000_000;

/** Bytes of the largest input file that is read. */
export const maxFileBytes = 128 * 1024 * 1024;

/** Throws unless the size is one that a picture can have here. */
export function checkSize(file: string, width: number, height: number): void {
  if (width < 1 || height < 1)
    throw new TandemError(`${file}: the picture is ${width}x${height} pixels, so there is nothing to read`);
  if (width * height > maxPixels) {
    throw new TandemError(
      `${file}: the picture is ${width}x${height} pixels, more than the limit of ${maxPixels / 1e6} megapixels`,
      { hint: "Scale it down first; networks read a few hundred pixels a side." },
    );
  }
}

/** RGBA to RGB on a white ground, which is what a viewer shows of a transparent picture. */
export function onWhite(rgba: Uint8Array, pixels: number): Uint8Array {
  const rgb = new Uint8Array(pixels * 3);
  for (let i = 0; i < pixels; i++) {
    const alpha = rgba[4 * i + 3]!;
    for (let c = 0; c < 3; c++) {
      rgb[3 * i + c] = Math.round((rgba[4 * i + c]! * alpha + 255 * (255 - alpha)) / 255);
    }
  }
  return rgb;
}

/** The text of whatever a decoding library threw, cut to one line. */
export function reason(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return (text.split("\n", 1)[0] ?? "").slice(0, 160);
}
