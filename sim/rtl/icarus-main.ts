/** The same environment as sim/rtl/verilator-main.ts in Verilog, for Icarus; it also reports any X after reset. */
import type { VerilogDesign } from "../../hw/verilog/design.js";
import { span } from "../../hw/verilog/names.js";
import { portWires, type PortWires } from "./testbench.js";

export function icarusMain(design: VerilogDesign): string {
  const ports = portWires(design);
  const declare = ({ port, bits, data, mine, theirs }: PortWires, i: number): string[] => [
    `  reg ${mine};`,
    `  wire ${theirs};`,
    `  ${port.direction === "in" ? "reg" : "wire"} ${span(bits)}${data};`,
    `  integer file_${i}, gap_${i}, left_${i}, taken_${i}, count_${i};`,
    `  reg more_${i}, waits_${i};`,
    `  reg [63:0] at_${i};`,
    ...(port.direction === "out" ? [`  reg [31:0] gaps_${i} [0:65535];`] : [`  reg ${span(bits)}value_${i};`]),
  ];
  const read = (i: number): string[] => [
    `if ($fscanf(file_${i}, "%d %h", gap_${i}, value_${i}) == 2) more_${i} = 1'b1;`,
    `else more_${i} = 1'b0;`,
  ];
  const open = ({ port, mine, data }: PortWires, i: number): string[] =>
    port.direction === "in"
      ? [
          `${mine} = 1'b0; ${data} = 0; at_${i} = 0; more_${i} = 1'b0;`,
          `file_${i} = $fopen("${port.name}.in", "r");`,
          `if (file_${i} != 0) begin`,
          ...read(i).map((line) => `  ${line}`),
          `  at_${i} = gap_${i};`,
          "end",
        ]
      : [
          `${mine} = 1'b0; at_${i} = 0; left_${i} = -1; taken_${i} = 0; count_${i} = 0; waits_${i} = 1'b0;`,
          `file_${i} = $fopen("${port.name}.gaps", "r");`,
          `if (file_${i} != 0) begin`,
          `  if ($fscanf(file_${i}, "%d", left_${i}) != 1) left_${i} = -1;`,
          `  while ($fscanf(file_${i}, "%d", gap_${i}) == 1) begin`,
          `    gaps_${i}[count_${i}] = gap_${i};`,
          `    count_${i} = count_${i} + 1;`,
          "  end",
          `  if (count_${i} > 0) at_${i} = gaps_${i}[0];`,
          `  waits_${i} = at_${i} > 0;`,
          "end",
        ];
  const drive = ({ port, mine, data }: PortWires, i: number): string[] =>
    port.direction === "in"
      ? [`${mine} = more_${i} && now >= at_${i};`, `if (${mine}) ${data} = value_${i};`]
      : [`${mine} = left_${i} != 0 && now >= at_${i};`];
  const settle = ({ port, mine, theirs, data }: PortWires, i: number): string[] =>
    port.direction === "in"
      ? [
          `if (${mine} && ${theirs}) begin`,
          ...read(i).map((line) => `  ${line}`),
          "  beat = now;",
          `  at_${i} = now + (more_${i} && gap_${i} > 0 ? gap_${i} : 1);`,
          "end",
          `if (at_${i} > now && more_${i}) any = 1'b1;`,
        ]
      : [
          `if (${mine} && ${theirs}) begin`,
          "  beat = now;",
          `  $display("o ${i} %0d %h", now, ${data});`,
          `  taken_${i} = taken_${i} + 1;`,
          `  gap_${i} = count_${i} == 0 ? 0 : gaps_${i}[taken_${i} % count_${i}];`,
          `  if (left_${i} > 0) left_${i} = left_${i} - 1;`,
          `  waits_${i} = gap_${i} > 0;`,
          `  at_${i} = now + (gap_${i} > 0 ? gap_${i} : 1);`,
          "end",
          `if (at_${i} > now && left_${i} != 0 && waits_${i}) any = 1'b1;`,
        ];
  const indent = (lines: readonly string[], by: number): string[] => lines.map((line) => " ".repeat(by) + line);
  const controls = ports.map(({ theirs }) => theirs);
  const pins = [
    ...["clk", "rst", "report", "moved", "active"],
    ...ports.flatMap(({ data, mine, theirs }) => [data, mine, theirs]),
  ];
  return [
    "`timescale 1ns/1ns",
    "module tandem_main;",
    "  reg clk, rst, report, any;",
    "  wire moved, active;",
    "  reg [63:0] now, last, until, limit, patience, beat;",
    "  reg stop;",
    ...ports.flatMap(declare),
    "  tandem_tb tb (",
    pins.map((name) => `    .${name}(${name})`).join(",\n"),
    "  );",
    "  initial begin",
    '    if (!$value$plusargs("until=%d", until)) until = 0;',
    '    if (!$value$plusargs("limit=%d", limit)) limit = 0;',
    '    if (!$value$plusargs("patience=%d", patience)) patience = 0;',
    "    clk = 1'b0; rst = 1'b1; report = 1'b0; stop = 1'b0; now = 0; last = 0; beat = 0;",
    ...indent(ports.flatMap(open), 4),
    "    repeat (3) begin #1 clk = 1'b1; #1 clk = 1'b0; end",
    "    rst = 1'b0;",
    "    while (!stop) begin",
    "      // What is driven counts from the next edge on.",
    ...indent(ports.flatMap(drive), 6),
    "      #1 clk = 1'b1;",
    "      #1 clk = 1'b0;",
    "      if (until != 0 && now >= until) stop = 1'b1;",
    '      else if (limit != 0 && now >= limit) begin $display("limit"); stop = 1\'b1; end',
    '      else if (patience != 0 && now > beat + patience) begin $display("quiet"); stop = 1\'b1; end',
    "      else begin",
    "        any = moved;",
    `        if ((^{moved, active${controls.map((c) => `, ${c}`).join("")}}) === 1'bx) $display("x %0d", now);`,
    ...indent(ports.flatMap(settle), 8),
    "        if (any) last = now + 1;",
    "        else if (!active) stop = 1'b1;",
    "        if (!stop) now = now + 1;",
    "      end",
    "    end",
    '    $display("end %0d %0d", last, now);',
    "    report = 1'b1;",
    "    #1 clk = 1'b1;",
    "    #1 $finish;",
    "  end",
    "endmodule",
    "",
  ].join("\n");
}
