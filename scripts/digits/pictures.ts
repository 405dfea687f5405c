/** The pictures that ship beside the network: from the renderer's test set, chosen for variety of font, ground, noise and size. */
import { PNG } from "pngjs";
import { sample } from "./render.js";
import { seeds } from "./train.js";

export interface Picture {
  readonly name: string;
  readonly digit: number;
  readonly font: string;
  /** Which picture of the test set it is drawn like. */
  readonly index: number;
  /** Pixels on a side; larger ones go through the resize as a user's do. */
  readonly size: number;
}

export const pictures: readonly Picture[] = [
  { name: "seven", digit: 7, font: "hand", index: 1, size: 28 },
  { name: "three", digit: 3, font: "print", index: 10, size: 28 },
  { name: "four", digit: 4, font: "plate", index: 3, size: 28 },
  { name: "nine", digit: 9, font: "book", index: 4, size: 96 },
  { name: "two", digit: 2, font: "segments", index: 5, size: 28 },
  { name: "five", digit: 5, font: "dots", index: 6, size: 160 },
];

/** The picture as an 8-bit grey PNG. */
export function pngOf({ digit, font, index, size }: Picture): Uint8Array {
  const { pixels } = sample(seeds.test, index, size, { digit, font });
  const png = new PNG({ width: size, height: size });
  pixels.forEach((pixel, i) => png.data.set([pixel, pixel, pixel, 255], 4 * i));
  return PNG.sync.write(png, { colorType: 0 });
}
