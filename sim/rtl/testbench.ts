/**
 * The test bench around a generated design, in Verilog that Verilator and Icarus both take: the design as `dut`, one wire
 * that says whether anything moves in this clock, and a report of all counters on standard output. What the environment
 * drives passes a register first: it is set before the edge with which its clock begins. So no input leads to anything within
 * a clock, and Verilator writes and evaluates the design's combinational text once instead of three times.
 */
import { wiresOf } from "../../hw/verilog/interface.js";
import type { OuterPort, VerilogDesign } from "../../hw/verilog/design.js";
import { span } from "../../hw/verilog/names.js";

/** The environment's side of an outer port. */
export interface PortWires {
  readonly port: OuterPort;
  readonly bits: number;
  readonly data: string;
  /** Driven by the environment: `valid` of an input, `ready` of an output. */
  readonly mine: string;
  readonly theirs: string;
}

export function portWires(design: VerilogDesign): PortWires[] {
  return design.ports.map((port) => {
    const { name, direction } = port;
    const valid = `${name}_valid`;
    const ready = `${name}_ready`;
    const [mine, theirs] = direction === "in" ? [valid, ready] : [ready, valid];
    return { port, bits: port.channel.type.bits, data: `${name}_data`, mine, theirs };
  });
}

export function testbench(design: VerilogDesign, counters: boolean): string {
  const ports = design.ports.flatMap(({ name, direction, channel }) =>
    wiresOf({ kind: direction === "in" ? "push" : "pop", part: channel }).map(({ suffix, width, byProcess }) => ({
      name: name + suffix,
      span: span(width),
      driven: byProcess,
    })),
  );
  const driven = [{ name: "rst", span: "" }, ...ports.filter((port) => port.driven)];
  const inside = (name: string): string => (driven.some((port) => port.name === name) ? `${name}_now` : name);
  const own = ["input wire clk", "input wire rst", "input wire report", "output wire moved", "output wire active"];
  const outer = ports.map(({ name, span: bits, driven: input }) => `${input ? "input" : "output"} wire ${bits}${name}`);
  return [
    "/* verilator lint_off UNUSED */",
    "module tandem_tb (",
    [...own, ...outer].map((line) => `  ${line}`).join(",\n"),
    ");",
    ...driven.map(({ name, span: bits }) => `  reg ${bits}${inside(name)};`),
    "  initial rst_now = 1'b1;",
    "  always @(posedge clk) begin",
    ...driven.map(({ name }) => `    ${inside(name)} <= ${name};`),
    "  end",
    `  ${design.top} dut (`,
    ["clk", "rst", ...ports.map(({ name }) => name)].map((name) => `    .${name}(${inside(name)})`).join(",\n"),
    "  );",
    ...(counters ? probes(design) : ["  assign moved = 1'b1;", "  assign active = 1'b1;"]),
    "endmodule",
    "",
  ].join("\n");
}

function probes({ probes: { processes, channels, grids, memories, boxes } }: VerilogDesign): string[] {
  const at = (path: string): string => `dut.${path}`;
  const moves = [
    ...processes.map(({ instance }) => at(`${instance}.busy`)),
    ...boxes.map(at),
    ...channels.flatMap(({ channel, instance }) =>
      channel.lanes === 1
        ? [at(`${instance}.push`), at(`${instance}.pop`)]
        : [`(|${at(`${instance}.in_valid`)})`, `(|${at(`${instance}.out_ready`)})`],
    ),
  ];
  const any = (list: readonly string[]): string => (list.length > 0 ? list.join(" ||\n    ") : "1'b0");
  const sum = (wires: readonly string[]): string => wires.map((w) => `{31'd0, ${at(w)}}`).join(" + ") || "32'd0";
  const memoryCounters = memories.flatMap(({ reads, writes }, i) => [
    `  reg [31:0] reads_${i}, writes_${i};`,
    "  always @(posedge clk)",
    "    if (rst_now) begin",
    `      reads_${i} <= 32'd0;`,
    `      writes_${i} <= 32'd0;`,
    "    end else begin",
    `      reads_${i} <= reads_${i} + ${sum(reads)};`,
    `      writes_${i} <= writes_${i} + ${sum(writes)};`,
    "    end",
  ]);
  const process = (index: number, instance: string, registers: readonly string[]): string =>
    `      $display("p ${index} %b${" %0d".repeat(registers.length + 1)}", ${[
      ...["stalled_now", "busy_clocks", ...registers].map((name) => at(`${instance}.${name}`)),
    ].join(", ")});`;
  const show = (kind: string, index: number, values: readonly string[]): string =>
    `      $display("${kind} ${index}${" %0d".repeat(values.length)}"${values.map((v) => `, ${v}`).join("")});`;
  const fifo = ["pushed", "popped", "occupied_clocks", "most"];
  return [
    `  assign moved = ${any(moves)};`,
    `  assign active = ${any(grids.map(({ instance }) => at(`${instance}.active`)))};`,
    ...memoryCounters,
    "  always @(posedge clk)",
    "    if (report) begin",
    ...processes.map(({ instance, stalls }, i) =>
      process(
        i,
        instance,
        stalls.map(({ register }) => register),
      ),
    ),
    ...channels.map(({ instance }, i) =>
      show(
        "c",
        i,
        fifo.map((name) => at(`${instance}.${name}`)),
      ),
    ),
    ...memories.map((_, i) => show("m", i, [`reads_${i}`, `writes_${i}`])),
    ...grids.map(({ instance }, i) => show("g", i, [at(`${instance}.waves`)])),
    "    end",
  ];
}
