/**
 * A thin wrapper that a block design takes: the outer ports as AXI4-Stream (ARM IHI 0051A), and a small AXI4-Lite slave
 * (IHI 0022E) for reset and status. The design inside has no register that the wrapper does not show here:
 *
 *     0x00  read   identification: 0x544e444d ("TNDM")
 *     0x04  write  bit 0: reset of the design while 1; read back
 *     0x08  read   clocks since reset, bits 31..0
 *     0x0c  read   clocks since reset, bits 63..32 as they were when 0x08 was read
 *     0x10  read   beats taken on all input streams since reset
 *     0x14  read   beats given on all output streams since reset
 */
import type { OuterPort, VerilogDesign } from "./design.js";
import { span } from "./names.js";

interface StreamPins {
  readonly port: OuterPort;
  readonly prefix: string;
  /** Bits of TDATA: whole bytes. */
  readonly width: number;
  /** Bits of the token that TDATA carries. */
  readonly payload: number;
  /** The token is a beat: its lowest bit is TLAST. */
  readonly beat: boolean;
}

function streamPins(port: OuterPort): StreamPins {
  const { type } = port.channel;
  const fields = type.kind === "struct" ? Object.entries((type as unknown as { fields: object }).fields) : [];
  const beat = fields.length === 2 && fields[1]![0] === "last" && (fields[1]![1] as { kind: string }).kind === "bool";
  const payload = beat ? type.bits - 1 : type.bits;
  const prefix = `${port.direction === "in" ? "s" : "m"}_axis_${port.name}`;
  return { port, prefix, payload, beat, width: 8 * Math.ceil(payload / 8) };
}

export const AXI_ID = 0x544e444d;

/** Name and text of the wrapper of a design; a file of its own beside the design's. */
export function axiWrapper(design: VerilogDesign): { name: string; text: string } {
  const name = `${design.top}_axi`;
  const streams = design.ports.map(streamPins);
  const ports = streams.flatMap(({ port, prefix, width, beat }) => {
    const [give, take] = port.direction === "in" ? ["input wire", "output wire"] : ["output wire", "input wire"];
    return [
      `  ${give} ${span(width)}${prefix}_tdata`,
      ...(beat ? [`  ${give} ${prefix}_tlast`] : []),
      `  ${give} ${prefix}_tvalid`,
      `  ${take} ${prefix}_tready`,
    ];
  });
  const wires = streams.flatMap(({ port, prefix, width, payload, beat }) => {
    const { bits } = port.channel.type;
    const lines = [`  wire ${span(bits)}${port.name}_data;`];
    const part = width === payload ? `${prefix}_tdata` : `${prefix}_tdata[${payload - 1}:0]`;
    if (port.direction === "in") {
      lines.push(`  assign ${port.name}_data = ${beat ? `{${part}, ${prefix}_tlast}` : part};`);
      return lines;
    }
    const value = beat ? `${port.name}_data[${bits - 1}:1]` : `${port.name}_data`;
    lines.push(
      `  assign ${prefix}_tdata = ${width === payload ? value : `{${width - payload}'d0, ${value}}`};`,
      ...(beat ? [`  assign ${prefix}_tlast = ${port.name}_data[0];`] : []),
    );
    return lines;
  });
  const pins = streams.flatMap(({ port, prefix }) => [
    `    .${port.name}_data(${port.name}_data)`,
    `    .${port.name}_valid(${prefix}_tvalid)`,
    `    .${port.name}_ready(${prefix}_tready)`,
  ]);
  const beats = (direction: "in" | "out"): string =>
    streams
      .filter(({ port }) => port.direction === direction)
      .map(({ prefix }) => `{31'd0, ${prefix}_tvalid && ${prefix}_tready}`)
      .join(" + ") || "32'd0";
  const text = `// AXI4-Stream and AXI4-Lite around ${design.top}. Written by tandem rtl.
/* verilator lint_off UNUSED */
module ${name} (
  input wire aclk,
  input wire aresetn,
  // AXI4-Lite: reset and status.
  input wire [4:0] s_axi_awaddr,
  input wire s_axi_awvalid,
  output wire s_axi_awready,
  input wire [31:0] s_axi_wdata,
  input wire [3:0] s_axi_wstrb,
  input wire s_axi_wvalid,
  output wire s_axi_wready,
  output wire [1:0] s_axi_bresp,
  output reg s_axi_bvalid,
  input wire s_axi_bready,
  input wire [4:0] s_axi_araddr,
  input wire s_axi_arvalid,
  output wire s_axi_arready,
  output reg [31:0] s_axi_rdata,
  output wire [1:0] s_axi_rresp,
  output reg s_axi_rvalid,
  input wire s_axi_rready${ports.length > 0 ? ",\n" : ""}${ports.join(",\n")}
);
  reg stop;
  reg held;
  wire rst = held;
  reg [63:0] clocks;
  reg [31:0] clocks_high;
  reg [31:0] beats_in, beats_out;

  // A write is taken when address and data are both there.
  wire write = s_axi_awvalid && s_axi_wvalid && !s_axi_bvalid;
  assign s_axi_awready = write;
  assign s_axi_wready = write;
  assign s_axi_bresp = 2'b00;
  wire read = s_axi_arvalid && !s_axi_rvalid;
  assign s_axi_arready = read;
  assign s_axi_rresp = 2'b00;

  always @(posedge aclk)
    if (!aresetn) begin
      stop <= 1'b0;
      held <= 1'b1;
      s_axi_bvalid <= 1'b0;
      s_axi_rvalid <= 1'b0;
      s_axi_rdata <= 32'd0;
      clocks_high <= 32'd0;
    end else begin
      held <= stop;
      if (write) begin
        s_axi_bvalid <= 1'b1;
        if (s_axi_awaddr[4:2] == 3'd1 && s_axi_wstrb[0]) stop <= s_axi_wdata[0];
      end else if (s_axi_bready) s_axi_bvalid <= 1'b0;
      if (read) begin
        s_axi_rvalid <= 1'b1;
        case (s_axi_araddr[4:2])
          3'd0: s_axi_rdata <= 32'h${AXI_ID.toString(16)};
          3'd1: s_axi_rdata <= {31'd0, stop};
          3'd2: begin
            s_axi_rdata <= clocks[31:0];
            clocks_high <= clocks[63:32];
          end
          3'd3: s_axi_rdata <= clocks_high;
          3'd4: s_axi_rdata <= beats_in;
          3'd5: s_axi_rdata <= beats_out;
          default: s_axi_rdata <= 32'd0;
        endcase
      end else if (s_axi_rready) s_axi_rvalid <= 1'b0;
    end

  always @(posedge aclk)
    if (rst) begin
      clocks <= 64'd0;
      beats_in <= 32'd0;
      beats_out <= 32'd0;
    end else begin
      clocks <= clocks + 64'd1;
      beats_in <= beats_in + ${beats("in")};
      beats_out <= beats_out + ${beats("out")};
    end

${wires.join("\n")}
  ${design.top} design_ (
    .clk(aclk),
    .rst(rst)${pins.length > 0 ? ",\n" : ""}${pins.join(",\n")}
  );
endmodule
`;
  return { name, text };
}
