/**
 * Resizing. All filters put sample centres at half pixels: output x looks at source `(x + 0.5) * scale - 0.5`.
 *
 * - `bilinear`: the triangle filter, widened by the scale where the picture shrinks, so that every source pixel counts. It is Pillow's
 *   `Image.BILINEAR` (and torchvision's with antialias), to the bit: 22-bit fixed point weights, columns first, rounded to 8 bit
 *   between the passes.
 * - `sampled`: the two by two nearest source pixels, whatever the scale: OpenCV's INTER_LINEAR and TensorFlow 2's
 *   `resize(..., antialias=False)`.
 * - `nearest`: the source pixel under the centre.
 */
import type { Image } from "./image.js";

export const filters = ["bilinear", "sampled", "nearest"] as const;
export type Filter = (typeof filters)[number];

/** Bits after the point of Pillow's 8-bit weights: 32 less 8 for the pixel and 2 for headroom. */
const weightBits = 22;

/** Weights of one output sample: those of source samples `first`, `first + 1`, ... */
interface Taps {
  readonly first: number;
  readonly weights: Int32Array;
}

/** The picture at `width` x `height`, both at least 1. */
export function resize(image: Image, width: number, height: number, filter: Filter): Image {
  const wide = resample(image, "x", width, filter);
  return resample(wide, "y", height, filter);
}

function resample(image: Image, axis: "x" | "y", length: number, filter: Filter): Image {
  const source = axis === "x" ? image.width : image.height;
  if (source === length) return image;
  const taps = Array.from({ length }, (_, i) => tapsOf(i, source, length, filter));
  const width = axis === "x" ? length : image.width;
  const height = axis === "y" ? length : image.height;
  const step = axis === "x" ? 3 : image.width * 3;
  const data = new Uint8Array(width * height * 3);
  let to = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const { first, weights } = taps[axis === "x" ? x : y]!;
      const from = (axis === "x" ? y * image.width * 3 : x * 3) + first * step;
      for (let c = 0; c < 3; c++) {
        // Sums stay below 255 * 2^22 plus rounding: within 32 bits.
        let sum = 1 << (weightBits - 1);
        for (let k = 0; k < weights.length; k++) sum += image.data[from + k * step + c]! * weights[k]!;
        data[to++] = Math.min(255, sum >> weightBits);
      }
    }
  }
  return { width, height, data };
}

/** Weights for output sample `i` of `length` over `source` samples. */
function tapsOf(i: number, source: number, length: number, filter: Filter): Taps {
  const scale = source / length;
  const centre = (i + 0.5) * scale;
  if (filter === "nearest") {
    const first = Math.min(source - 1, Math.floor(centre));
    return { first, weights: Int32Array.of(1 << weightBits) };
  }
  const support = filter === "bilinear" ? Math.max(scale, 1) : 1;
  const first = Math.max(0, Math.trunc(centre - support + 0.5));
  const end = Math.min(source, Math.trunc(centre + support + 0.5));
  const real = Array.from({ length: end - first }, (_, k) =>
    Math.max(0, 1 - Math.abs((first + k - centre + 0.5) / support)),
  );
  const total = real.reduce((sum, weight) => sum + weight, 0);
  return { first, weights: Int32Array.from(real, (weight) => Math.trunc((weight / total) * 2 ** weightBits + 0.5)) };
}
