/** A synchronous memory in the form that synthesis takes for block RAM: registered reads that hold, old data first. */
import { TandemError } from "../errors.js";
import type { Memory, MemoryPort } from "../memory.js";
import { addressBits } from "./interface.js";
import { span } from "./names.js";
import { packed } from "./pack.js";

/** Name of a port in the memory's module. */
export const memoryPortName = (port: MemoryPort): string => `p${port.memory.ports.indexOf(port)}`;

/** The text behind `module NAME`. */
export function memoryModule(memory: Memory): string {
  const { type, depth, ports, init } = memory;
  const writers = ports.filter((port) => port.canWrite).length;
  if (writers > 2)
    throw new TandemError(`${memory.path} has ${writers} ports that write; a block RAM has two ports`, {
      hint: "Split the memory into banks.",
    });
  const address = span(addressBits(depth));
  const word = span(type.bits);
  const list = ["  input wire clk"];
  const blocks: string[] = [];
  for (const port of ports) {
    const p = memoryPortName(port);
    list.push(`  input wire ${address}${p}_addr`);
    if (port.canRead) list.push(`  input wire ${p}_re`, `  output reg ${word}${p}_q`);
    if (port.canWrite) list.push(`  input wire ${p}_we`, `  input wire ${word}${p}_d`);
    blocks.push("  always @(posedge clk) begin");
    if (port.canWrite) blocks.push(`    if (${p}_we) words[${p}_addr] <= ${p}_d;`);
    if (port.canRead) blocks.push(`    if (${p}_re) ${p}_q <= words[${p}_addr];`);
    blocks.push("  end");
  }
  const initial = (init ?? []).map((value, i) => `    words[${i}] = ${packed(type, value)};`);
  return [
    " (",
    list.join(",\n"),
    ");",
    `  reg ${word}words [0:${depth - 1}];`,
    ...(initial.length > 0 ? ["  initial begin", ...initial, "  end"] : []),
    ...blocks,
    "endmodule",
    "",
  ].join("\n");
}
