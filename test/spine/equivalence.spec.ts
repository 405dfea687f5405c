/** Yosys tells a changed operator that changes nothing from one that does. */
import { expect } from "chai";
import { provedEqual } from "./equivalence.js";

const files = (operator: string): ReadonlyMap<string, string> =>
  new Map([
    [
      "Least.v",
      `module Least (input wire [3:0] a, input wire [3:0] b, output wire [3:0] y);
  assign y = a ${operator} b ? a : b;
endmodule
`,
    ],
    [
      "Keep.v",
      `module Keep (input wire clk, input wire [3:0] a, output reg [3:0] y);
  wire [3:0] least;
  Least least_of (.a(a), .b(y), .y(least));
  always @(posedge clk) y <= least;
endmodule
`,
    ],
  ]);

describe("A change in a module of Verilog", function () {
  this.timeout(120_000);

  it("that changes nothing is proved to be none", async () => {
    expect(await provedEqual(files("<"), files("<="), "Least.v")).to.equal(true);
  });

  it("that changes something in a module that it instantiates is not", async () => {
    expect(await provedEqual(files("<"), files(">"), "Keep.v")).to.equal(false);
  });
});
