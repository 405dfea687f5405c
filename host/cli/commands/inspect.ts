/** `tandem inspect MODEL`: what a model consists of, without running it. */
import type { CommandModule } from "yargs";
import { macs, parameters } from "../../graph/costs.js";
import { inputTensor, outputTensor, type Graph, type Operator } from "../../graph/graph.js";
import type { Tensor } from "../../graph/tensor.js";
import { planArena } from "../../runtime/arena.js";
import { readTfliteFile } from "../../tflite/reader.js";
import { count, table, type Column } from "../table.js";

interface Arguments {
  model: string;
}

export const inspect: CommandModule<object, Arguments> = {
  command: "inspect <model>",
  describe: "Show a model's operators, shapes, quantisation, MACs and parameters",
  builder: (yargs) => yargs.positional("model", { type: "string", demandOption: true, describe: "A .tflite file" }),
  handler({ model }) {
    const graph = readTfliteFile(model);
    process.stdout.write(`${describeGraph(graph)}\n`);
  },
};

/** The whole description as text. */
function describeGraph(graph: Graph): string {
  const columns: Column<Operator>[] = [
    { title: "#", cell: ({ index }) => index },
    { title: "operator", cell: ({ type }) => type, align: "left" },
    { title: "input", cell: (op) => shape(inputTensor(graph, op, 0)), align: "left" },
    {
      title: "weights",
      cell: (op) => (parameters(graph, op) > 0 ? shape(inputTensor(graph, op, 1)) : ""),
      align: "left",
    },
    { title: "output", cell: (op) => shape(outputTensor(graph, op)), align: "left" },
    { title: "type", cell: (op) => outputTensor(graph, op).dtype, align: "left" },
    { title: "scale", cell: (op) => scale(outputTensor(graph, op)) },
    { title: "zero", cell: (op) => outputTensor(graph, op).quantisation?.zeroPoints[0] },
    { title: "weight scales", cell: (op) => weightScales(graph, op), align: "left" },
    { title: "MACs", cell: (op) => macs(graph, op) || undefined },
    { title: "parameters", cell: (op) => parameters(graph, op) || undefined },
    { title: "attributes", cell: (op) => attributes(op), align: "left" },
  ];
  const sum = (of: (operator: Operator) => number) => graph.operators.reduce((total, op) => total + of(op), 0);
  const ends = (title: string, indices: readonly number[]) =>
    indices.map((index) => {
      const tensor = graph.tensors[index]!;
      const zero = tensor.quantisation?.zeroPoints[0];
      const quantised = zero === undefined ? "" : `, scale ${scale(tensor)}, zero point ${zero}`;
      return `${title} "${tensor.name}": ${shape(tensor)} ${tensor.dtype}${quantised}`;
    });
  return [
    table(graph.operators, columns),
    "",
    ...ends("input ", graph.inputs),
    ...ends("output", graph.outputs),
    `${count(graph.operators.length)} operators, ${count(sum((op) => macs(graph, op)))} MACs, ` +
      `${count(sum((op) => parameters(graph, op)))} parameters, ${count(planArena(graph).bytes)} bytes for activations`,
  ].join("\n");
}

function shape(tensor: Tensor | undefined): string {
  return tensor ? tensor.shape.join("x") || "scalar" : "";
}

function scale(tensor: Tensor): string {
  const [first] = tensor.quantisation?.scales ?? [];
  return first === undefined ? "" : String(Number(first.toPrecision(5)));
}

function weightScales(graph: Graph, operator: Operator): string {
  if (parameters(graph, operator) === 0) return "";
  const weights = inputTensor(graph, operator, 1)!;
  const { length } = weights.quantisation!.scales;
  return length > 1 ? `${length} per channel` : `${scale(weights)}, zero ${weights.quantisation!.zeroPoints[0]!}`;
}

/** What differs from the plain case: `SAME`, `stride 2`, `RELU6`. */
function attributes(operator: Operator): string {
  const all: Partial<Record<string, string | number | boolean>> = { ...operator.attributes };
  const pair = (name: string, a: string | number | boolean | undefined, b: typeof a) =>
    a === undefined || b === undefined || (a === 1 && b === 1) ? "" : `${name} ${a === b ? a : `${a}x${b}`}`;
  return [
    all["padding"],
    pair("stride", all["strideHeight"], all["strideWidth"]),
    pair("filter", all["filterHeight"], all["filterWidth"]),
    pair("dilation", all["dilationHeight"], all["dilationWidth"]),
    all["axis"] === undefined ? "" : `axis ${all["axis"]}`,
    all["beta"] === undefined || all["beta"] === 1 ? "" : `beta ${all["beta"]}`,
    all["keepDims"] === true ? "keep dimensions" : "",
    all["activation"] === "NONE" ? "" : all["activation"],
  ]
    .filter((part) => part !== undefined && part !== "")
    .join(", ");
}
