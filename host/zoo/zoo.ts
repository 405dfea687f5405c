/** What ships with Tandem: the default network, its labels, and pictures to try it on. */
import { fileURLToPath } from "node:url";

/** Data lies beside the sources, not in `dist`: `dist/host/zoo/zoo.js` is three folders below the package. */
const at = (name: string): string => fileURLToPath(new URL(`../../../host/zoo/${name}`, import.meta.url));

export const digits = {
  /** Reads one digit from a 28 x 28 grey picture, int8 per channel (docs/digits.md). */
  model: at("digits.tflite"),
  /** One label per line, in the order of the outputs. */
  labels: at("digits.labels.txt"),
  /** Folder of rendered PNGs, named for what they show. */
  pictures: at("digits"),
  /** The picture that is read when none is given. */
  picture: at("digits/seven.png"),
} as const;
