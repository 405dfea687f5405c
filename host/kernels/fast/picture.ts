/** A picture as convolutions on the CPU want it: 16 bits less the zero point, with zeros around it. */
import type { GroupedConvLayer } from "../parameters/conv.js";
import { openConv2d } from "./conv2d-code.js";

/** Where it stands; addresses and steps in bytes. */
export interface Picture {
  /** The picture with its border in 16 bits: a line, a pixel. */
  readonly lineBytes: number;
  readonly pixelBytes: number;
  readonly image: number;
  /** The input as it comes, behind the picture. */
  readonly raw: number;
}

export function placePicture(layer: GroupedConvLayer, picture: Picture, bytes: Uint8Array): void {
  const { inHeight, inWidth, inChannels, padTop, padLeft, inputZero } = layer;
  const { image, raw, lineBytes, pixelBytes } = picture;
  const { widenSigned, widenUnsigned } = openConv2d().functions;
  const widen = layer.dtype === "int8" ? widenSigned : widenUnsigned;
  const count = inWidth * inChannels;
  let end = image;
  for (let y = 0; y < inHeight; y++) {
    const start = image + (y + padTop) * lineBytes + padLeft * pixelBytes;
    // Also takes back what the line before has written beyond its end.
    bytes.fill(0, end, start);
    widen(raw + y * count, start, count, inputZero);
    end = start + 2 * count;
  }
  bytes.fill(0, end, raw);
}
