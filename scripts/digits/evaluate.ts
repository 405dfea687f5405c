/** How well a `.tflite` of the digits reads rendered pictures, through the host's runtime with the reference kernels. */
import type { Graph } from "../../host/graph/graph.js";
import { defaultPreprocess, imageToTensor } from "../../host/images/preprocess.js";
import { CPU_IMPLEMENTATIONS } from "../../host/kernels/registry.js";
import { execute } from "../../host/runtime/executor.js";
import { makePlan } from "../../host/runtime/plan.js";
import { readTflite } from "../../host/tflite/reader.js";
import { largest } from "./network.js";
import { sample, side } from "./render.js";

export interface Evaluation {
  readonly count: number;
  readonly right: number;
  /** `confusion[digit][answer]`. */
  readonly confusion: readonly (readonly number[])[];
  /** Right and all pictures, by font. */
  readonly fonts: ReadonlyMap<string, { right: number; count: number }>;
}

/** The input tensor's bytes for a rendered picture, as a picture file would give them. */
function tensorOf(pixels: Uint8Array, graph: Graph): Uint8Array {
  const { shape, quantisation } = graph.tensors[graph.inputs[0]!]!;
  const tensor = {
    shape,
    dtype: "int8",
    scale: quantisation!.scales[0]!,
    zeroPoint: quantisation!.zeroPoints[0]!,
  } as const;
  const data = Uint8Array.from({ length: pixels.length * 3 }, (_, i) => pixels[Math.floor(i / 3)]!);
  return imageToTensor({ width: side, height: side, data }, tensor, defaultPreprocess(tensor));
}

/** Reads pictures 0 to `count - 1` of the set named by `seed`. */
export async function evaluate(model: Uint8Array, seed: number, count: number): Promise<Evaluation> {
  const graph = readTflite(model, "digits.tflite");
  const plan = makePlan(graph, { implementations: CPU_IMPLEMENTATIONS, prefer: ["reference"] });
  const confusion = Array.from({ length: 10 }, () => Array<number>(10).fill(0));
  const fonts = new Map<string, { right: number; count: number }>();
  let right = 0;
  for (let i = 0; i < count; i++) {
    const { digit, font, pixels } = sample(seed, i);
    const { outputs } = await execute(plan, [tensorOf(pixels, graph)]);
    const answer = largest(Int8Array.from(outputs[0]!));
    const tally = fonts.get(font) ?? { right: 0, count: 0 };
    fonts.set(font, tally);
    tally.count++;
    confusion[digit]![answer]!++;
    if (answer === digit) {
      right++;
      tally.right++;
    }
  }
  return { count, right, confusion, fonts };
}
