import { expect } from "chai";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beatType, type Beat } from "../../../driver/stream.js";
import { Module, u8, type Process } from "../../../hw/index.js";
import { AXI_ID, axiWrapper } from "../../../hw/verilog/axi.js";
import { simulatorVersion } from "../../../sim/rtl/tools.js";
import { verilogOf } from "../../sim/rtl/compare.js";

/** Adds 1 to the first byte of every beat. */
class Increment extends Module {
  static readonly source = import.meta.url;
  readonly in = this.channelIn(beatType(4));
  readonly out = this.channelOut(beatType(4));
  constructor() {
    super(null, "increment");
    this.clocked(this.run);
  }
  *run(): Process {
    for (;;) {
      const beat: Beat = yield* this.in.pop();
      const { data, last } = beat;
      yield* this.out.push({ data: [u8(data[0]! + 1), data[1]!, data[2]!, data[3]!], last });
      yield;
    }
  }
}

/** A master of both interfaces: prints what it reads and what comes out. */
const MASTER = `
\`timescale 1ns/1ns
module master;
  reg clk = 0, resetn = 0, awvalid = 0, wvalid = 0, arvalid = 0, in_valid = 0, in_last = 0;
  reg [4:0] awaddr = 0, araddr = 0;
  reg [31:0] wdata = 0, in_data = 0;
  wire awready, wready, bvalid, arready, rvalid, in_ready, out_valid, out_last;
  wire [1:0] bresp, rresp;
  wire [31:0] rdata, out_data;
  always #5 clk = !clk;
  Increment_axi dut (
    .aclk(clk), .aresetn(resetn),
    .s_axi_awaddr(awaddr), .s_axi_awvalid(awvalid), .s_axi_awready(awready), .s_axi_wdata(wdata), .s_axi_wstrb(4'hf),
    .s_axi_wvalid(wvalid), .s_axi_wready(wready), .s_axi_bresp(bresp), .s_axi_bvalid(bvalid), .s_axi_bready(1'b1),
    .s_axi_araddr(araddr), .s_axi_arvalid(arvalid), .s_axi_arready(arready), .s_axi_rdata(rdata), .s_axi_rresp(rresp),
    .s_axi_rvalid(rvalid), .s_axi_rready(1'b1),
    .s_axis_in_tdata(in_data), .s_axis_in_tlast(in_last), .s_axis_in_tvalid(in_valid), .s_axis_in_tready(in_ready),
    .m_axis_out_tdata(out_data), .m_axis_out_tlast(out_last), .m_axis_out_tvalid(out_valid), .m_axis_out_tready(1'b1)
  );
  always @(posedge clk) if (out_valid) $display("beat %h %b", out_data, out_last);
  task read(input [4:0] address); begin
    @(negedge clk) araddr = address; arvalid = 1;
    while (!arready) @(negedge clk);
    @(negedge clk) arvalid = 0;
    while (!rvalid) @(negedge clk);
    $display("read %0d %0d", address, rdata);
  end endtask
  task write(input [4:0] address, input [31:0] value); begin
    @(negedge clk) awaddr = address; wdata = value; awvalid = 1; wvalid = 1;
    while (!(awready && wready)) @(negedge clk);
    @(negedge clk) awvalid = 0; wvalid = 0;
    while (bvalid) @(negedge clk);
  end endtask
  task send(input [31:0] value, input last); begin
    @(negedge clk) in_data = value; in_last = last; in_valid = 1;
    while (!in_ready) @(negedge clk);
    @(negedge clk) in_valid = 0;
  end endtask
  initial begin
    repeat (3) @(negedge clk);
    resetn = 1;
    read(5'h00);
    send(32'h04030201, 0);
    send(32'h080706ff, 1);
    repeat (6) @(negedge clk);
    read(5'h10); read(5'h14);
    write(5'h04, 1);
    read(5'h04); read(5'h10); read(5'h08);
    write(5'h04, 0);
    send(32'h00000041, 1);
    repeat (6) @(negedge clk);
    read(5'h10);
    $finish;
  end
endmodule
`;

describe("The AXI wrapper", function () {
  this.timeout(180_000);

  const inFolder = async (command: string, args: (files: readonly string[]) => string[]): Promise<string> => {
    const design = await verilogOf(new Increment());
    const { name, text } = axiWrapper(design);
    const folder = mkdtempSync(join(tmpdir(), "tandem-axi-"));
    try {
      const files = new Map([...design.files, [`${name}.v`, text], ["master.v", MASTER]]);
      for (const [file, content] of files) writeFileSync(join(folder, file), content);
      const first = spawnSync(command, args([...files.keys()]), { cwd: folder, encoding: "utf8" });
      expect(first.stderr).to.equal("");
      expect(first.status).to.equal(0);
      return command === "iverilog" ? spawnSync("vvp", ["a.out"], { cwd: folder, encoding: "utf8" }).stdout : "";
    } finally {
      rmSync(folder, { recursive: true });
    }
  };

  it("carries beats with TLAST, counts them, and resets the design", async function () {
    if (simulatorVersion("icarus") === undefined) this.skip();
    const out = await inFolder("iverilog", (files) => ["-g2005", "-s", "master", "-o", "a.out", ...files]);
    const lines = out.split("\n").filter((line) => /^(read|beat)/.test(line));
    expect(lines).to.deep.equal([
      `read 0 ${AXI_ID}`,
      "beat 04030202 0",
      "beat 08070600 1",
      "read 16 2",
      "read 20 2",
      "read 4 1",
      "read 16 0",
      "read 8 0",
      "beat 00000042 1",
      "read 16 1",
    ]);
  });

  it("is clean under verilator --lint-only -Wall", async function () {
    if (simulatorVersion("verilator") === undefined) this.skip();
    await inFolder("verilator", (files) => [
      ...["--lint-only", "-Wall", "--top-module", "Increment_axi"],
      ...files.filter((file) => file !== "master.v"),
    ]);
  });
});
