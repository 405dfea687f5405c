/** The input of a network from the command line: a picture or tensor through `host/images`, or reproducible noise. */
import { relative } from "node:path";
import type { Argv } from "yargs";
import { TandemError } from "../../hw/errors.js";
import type { Graph } from "../graph/graph.js";
import { byteLength } from "../graph/tensor.js";
import {
  defaultPreprocess,
  describe,
  isPicture,
  loadInput,
  type InputTensor,
  type Preprocess,
} from "../images/input.js";
import { colours, fits } from "../images/preprocess.js";
import { filters } from "../images/resize.js";
import { UsageError } from "./errors.js";

/** How a picture becomes the input tensor; what is not given follows from the tensor (docs/images.md). */
export function inputOptions<T>(yargs: Argv<T>) {
  return yargs
    .option("input", {
      type: "string",
      requiresArg: true,
      describe: "Picture (PNG, JPEG, BMP) or tensor (.npy, .bin, .raw)",
    })
    .option("fit", { choices: fits, describe: "How a picture of another aspect fits" })
    .option("crop-share", { type: "number", describe: "Share of the picture that --fit crop keeps" })
    .option("filter", { choices: filters, describe: "Resizing filter" })
    .option("colour", { choices: colours, describe: "Order of the channels" })
    .option("mean", {
      type: "string",
      requiresArg: true,
      describe: "Subtracted from the pixels: one value, or one per channel (a,b,c)",
    })
    .option("std", {
      type: "string",
      requiresArg: true,
      describe: "Divides the pixels after that: one value, or one per channel",
    });
}

export interface InputArguments {
  input: string | undefined;
  fit: Preprocess["fit"] | undefined;
  "crop-share": number | undefined;
  filter: Preprocess["filter"] | undefined;
  colour: Preprocess["colour"] | undefined;
  mean: string | undefined;
  std: string | undefined;
}

export interface LoadedInput {
  readonly bytes: Uint8Array;
  /** What was loaded and how, in one line. */
  readonly description: string;
}

/** @throws TandemError if the file does not fit the network's input. */
export function readInput(graph: Graph, args: InputArguments): LoadedInput {
  if (graph.inputs.length !== 1) {
    throw new TandemError(`${graph.source}: has ${graph.inputs.length} inputs; only one can be given`);
  }
  const tensor = inputTensorOf(graph);
  const preprocess: Preprocess = {
    ...defaultPreprocess(tensor),
    ...(args.fit && { fit: args.fit }),
    ...(args["crop-share"] !== undefined && { cropShare: args["crop-share"] }),
    ...(args.filter && { filter: args.filter }),
    ...(args.colour && { colour: args.colour }),
    ...(args.mean !== undefined && { mean: numbers("--mean", args.mean) }),
    ...(args.std !== undefined && { std: numbers("--std", args.std) }),
  };
  if (args.input === undefined) {
    return {
      bytes: noise(byteLength(graph.tensors[graph.inputs[0]!]!)),
      description: "random bytes (no --input given)",
    };
  }
  const bytes = loadInput(args.input, tensor, preprocess);
  const path = relative(process.cwd(), args.input);
  const shown = path.startsWith("..") ? args.input : path;
  return { bytes, description: shown + (isPicture(args.input) ? ` (${describe(preprocess)})` : "") };
}

function inputTensorOf(graph: Graph): InputTensor {
  const { shape, dtype, name, quantisation } = graph.tensors[graph.inputs[0]!]!;
  if (dtype !== "uint8" && dtype !== "int8" && dtype !== "float32") {
    throw new TandemError(`${graph.source}: input "${name}" is of type ${dtype}; expected uint8, int8 or float32`);
  }
  return { shape, dtype, scale: quantisation?.scales[0] ?? 1, zeroPoint: quantisation?.zeroPoints[0] ?? 0 };
}

function numbers(option: string, text: string): number[] {
  const values = text.split(",").map((part) => (part.trim() === "" ? NaN : Number(part)));
  if (values.some((value) => !Number.isFinite(value))) {
    throw new UsageError(`${option} ${text}: expected numbers with commas between`);
  }
  return values;
}

/** The same bytes every time; as float32 they are numbers of any size, but never NaN or infinite. */
function noise(length: number): Uint8Array {
  let state = 1;
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    // The top byte of a little-endian float: an exponent around 1.
    bytes[i] = i % 4 === 3 ? 0x3f ^ ((state >>> 24) & 0x80) : state >>> 24;
  }
  return bytes;
}
