/** The answer of a network: its strongest outputs, with labels where a file of them is known. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { TandemError } from "../../hw/errors.js";
import type { Tensor } from "../graph/tensor.js";
import { elements, viewAs } from "../graph/tensor.js";

/** ImageNet's networks have 1,000 classes, or 1,001 with a background class in front. */
const IMAGENET_CLASSES = 1000;

export interface Answer {
  readonly index: number;
  readonly label: string | undefined;
  /** In real units: scale * (stored value - zero point). */
  readonly value: number;
}

/** The `count` largest elements of an output, the largest first. */
export function strongest(
  tensor: Tensor,
  bytes: Uint8Array,
  labels: readonly string[] | undefined,
  count: number,
): Answer[] {
  const scale = tensor.quantisation?.scales[0] ?? 1;
  const zero = tensor.quantisation?.zeroPoints[0] ?? 0;
  const values = [...viewAs(bytes, tensor.dtype)].map((stored) => scale * (Number(stored) - zero));
  return [...values.keys()]
    .sort((a, b) => values[b]! - values[a]! || a - b)
    .slice(0, count)
    .map((index) => ({ index, label: labels?.[index], value: values[index]! }));
}

/**
 * Labels of a network's outputs, one per line: the given file; else `MODEL.labels.txt` beside the model; else, for 1,000
 * or 1,001 outputs, `imagenet_labels.txt` beside it or in `images` beside its folder. Undefined where there is none.
 * @throws TandemError if a given file cannot be read or has another number of lines.
 */
export function findLabels(given: string | undefined, model: string, output: Tensor): string[] | undefined {
  const outputs = elements(output.shape);
  if (given !== undefined) return readLabels(given, outputs) ?? mismatch(given, outputs);
  const folder = dirname(model);
  const imagenet = outputs === IMAGENET_CLASSES || outputs === IMAGENET_CLASSES + 1;
  const candidates = [
    model.replace(/\.[^./\\]*$/, ".labels.txt"),
    ...(imagenet ? [join(folder, "imagenet_labels.txt"), join(folder, "..", "images", "imagenet_labels.txt")] : []),
  ];
  const found = candidates.find((path) => existsSync(path));
  return found === undefined ? undefined : readLabels(found, outputs);
}

function mismatch(path: string, outputs: number): never {
  throw new TandemError(`${path}: not one label per line for ${outputs} outputs`, {
    hint: "The file has one label per line, in the order of the outputs.",
  });
}

/** Undefined if the number of lines does not fit. A background class that the network lacks is left out. */
function readLabels(path: string, outputs: number): string[] | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new TandemError(`${path}: cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown"})`, {
      hint: "Check the path given with --labels.",
      cause: error,
    });
  }
  const lines = text.replace(/\r?\n$/, "").split(/\r?\n/);
  if (lines.length === outputs) return lines;
  const background = lines.length === outputs + 1 && lines[0]!.toLowerCase() === "background";
  return background ? lines.slice(1) : undefined;
}
