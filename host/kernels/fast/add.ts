/** ADD of equal shapes by a table of all 65,536 pairs of bytes, made on the first run. */
import { inputTensors, outputTensor } from "../../graph/graph.js";
import { sameShape } from "../../graph/tensor.js";
import { bytesOf, cpu } from "../implementation.js";
import { addParameters, type AddParameters } from "../parameters/elementwise.js";
import { scaleInput } from "../reference/add.js";
import { openElementwise } from "./elementwise-code.js";
import { equalChannels, LANES, requantisesInSimd, TABLE_BYTES, writeTables } from "./requantise-simd.js";
import { byteTable } from "./table.js";

export const add = cpu({
  name: "fast",
  operator: "ADD",
  dtypes: ["uint8", "int8"],
  refuses(graph, operator) {
    const [a, b] = inputTensors(graph, operator);
    if (!sameShape(a!.shape, b!.shape)) return "broadcasting";
    return requantisesInSimd(equalChannels(addParameters(graph, operator).output))
      ? null
      : "a shift of more than 31 bits";
  },
  prepare(graph, operator) {
    const parameters = addParameters(graph, operator);
    const dtype = outputTensor(graph, operator).dtype as "int8" | "uint8";
    let table: Uint8Array | undefined;
    return ([left, right], output) => {
      table ??= pairs(parameters, dtype);
      const { functions, room } = openElementwise();
      const count = output.length;
      const bytes = room(PAIRS + 2 * count);
      bytes.set(table);
      bytes.set(bytesOf(left!), PAIRS);
      bytes.set(bytesOf(right!), PAIRS + count);
      if (count > 0) functions.lookupPairs(PAIRS, PAIRS + count, PAIRS, count, 0);
      bytesOf(output).set(bytes.subarray(PAIRS, PAIRS + count));
    };
  },
});

const PAIRS = 1 << 16;

/** The output for the bytes a and b at `a << 8 | b`. */
function pairs(parameters: AddParameters, dtype: "int8" | "uint8"): Uint8Array {
  const { functions, room } = openElementwise();
  const tables = new Uint8Array(LANES * TABLE_BYTES);
  writeTables(tables, equalChannels(parameters.output), LANES);
  const [a, b] = ([0, 1] as const).map((which) =>
    byteTable(Int32Array, dtype, (value) => scaleInput(parameters, which, value)),
  ) as [Int32Array, Int32Array];
  const to = tables.length + a.byteLength + b.byteLength;
  const bytes = room(to + PAIRS);
  bytes.set(tables);
  bytes.set(new Uint8Array(a.buffer), tables.length);
  bytes.set(new Uint8Array(b.buffer), tables.length + a.byteLength);
  const { outputZero, range } = parameters;
  const make = dtype === "int8" ? functions.pairsSigned : functions.pairsUnsigned;
  make(tables.length, tables.length + a.byteLength, to, 0, outputZero, range.min, range.max);
  return bytes.slice(to, to + PAIRS);
}
