/**
 * Golden files: the SHA-256 of every operator's output under a reference runtime, with the input that gave them and the
 * raw bytes of the final outputs. Written by whoever ran the reference; here they are read, and compared against.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { TandemError } from "../../hw/errors.js";
import type { Graph, Operator } from "../graph/graph.js";
import { viewAs } from "../graph/tensor.js";

export interface GoldenOperator {
  readonly op: number;
  readonly type: string;
  /** Index of the output tensor. */
  readonly tensor: number;
  readonly sha256: string;
}

export interface Golden {
  readonly path: string;
  /** Which kernels gave the results, as the file says. */
  readonly kernels: string;
  readonly inputs: readonly Uint8Array[];
  readonly operators: readonly GoldenOperator[];
  /** Raw bytes of tensors, by tensor index, where the file has them. */
  readonly raw: ReadonlyMap<number, Uint8Array>;
}

type Json = Record<string, unknown>;

/** @throws TandemError naming the file and what it lacks. */
export function readGolden(path: string): Golden {
  const fail = (problem: string): never => {
    throw new TandemError(`${path}: ${problem}`, {
      hint: "A golden file is JSON with inputs [{file}], operators [{op, type, tensor, sha256}] and outputs [{file, tensor}].",
    });
  };
  let parsed: unknown;
  try {
    parsed = JSON.parse(read(path).toString("utf8"));
  } catch (error) {
    if (error instanceof TandemError) throw error;
    return fail("not JSON");
  }
  if (typeof parsed !== "object" || parsed === null) return fail("not a JSON object");
  const json = parsed as Json;
  const list = (name: string): Json[] => {
    const value = json[name];
    if (!Array.isArray(value) || value.some((item) => typeof item !== "object" || item === null)) {
      return fail(`"${name}" is not a list of objects`);
    }
    return value as Json[];
  };
  const number = (item: Json, name: string): number => {
    const value = item[name];
    return typeof value === "number" ? value : fail(`an entry lacks the number "${name}"`);
  };
  const string = (item: Json, name: string): string => {
    const value = item[name];
    return typeof value === "string" ? value : fail(`an entry lacks the text "${name}"`);
  };
  const file = (item: Json): Uint8Array => read(join(dirname(path), string(item, "file")));
  return {
    path,
    kernels: typeof json["kernels"] === "string" ? json["kernels"] : "unknown kernels",
    inputs: list("inputs").map(file),
    operators: list("operators").map((item) => ({
      op: number(item, "op"),
      type: string(item, "type"),
      tensor: number(item, "tensor"),
      sha256: string(item, "sha256"),
    })),
    raw: new Map(list("outputs").map((item) => [number(item, "tensor"), file(item)])),
  };
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new TandemError(`${path}: cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown"})`, {
      hint: "Check the path given with --golden, and the files that it names.",
      cause: error,
    });
  }
}

/** One operator's result against the golden one; undefined where they agree or the file says nothing. */
export interface Difference {
  readonly operator: Operator;
  readonly expected: string;
  readonly found: string;
  /** Where the raw golden output is at hand: how many elements differ, and the largest difference. */
  readonly elements?: { readonly count: number; readonly of: number; readonly largest: number };
}

export function compare(
  golden: Golden,
  graph: Graph,
  operator: Operator,
  output: Uint8Array,
  sha256: string,
): Difference | undefined {
  const expected = golden.operators.find(({ op }) => op === operator.index);
  if (expected === undefined || expected.sha256 === sha256) return undefined;
  const tensor = graph.tensors[operator.outputs[0]!]!;
  const raw = golden.raw.get(expected.tensor);
  const difference = { operator, expected: expected.sha256, found: sha256 };
  if (raw?.length !== output.length) return difference;
  const [a, b] = [viewAs(output.slice(), tensor.dtype), viewAs(raw.slice(), tensor.dtype)];
  const gaps = [...a].map((value, i) => Math.abs(Number(value) - Number(b[i])));
  const largest = gaps.reduce((most, gap) => Math.max(most, gap), 0);
  return { ...difference, elements: { count: gaps.filter((gap) => gap !== 0).length, of: gaps.length, largest } };
}
