/** A device that is Verilog under Icarus: its results, and what it says of a design that does not do what the program asks. */
import { expect } from "chai";
import { RtlSimulator, type RtlOptions } from "../../../driver/transport/rtl-simulator.js";
import type { ParameterValue, RunResult } from "../../../driver/device.js";
import type { Program } from "../../../driver/program.js";
import { TandemError } from "../../../hw/index.js";
import { simulatorVersion } from "../../../sim/rtl/tools.js";
import { rejection } from "../../support/rejection.js";
import { adder, adderProgram, ramp } from "./adder.js";

describe("The Verilog of a design as a device", function () {
  this.timeout(60_000);
  before(function () {
    if (simulatorVersion("icarus") === undefined) this.skip();
  });

  async function runOnce(
    program: Program,
    x: Uint8Array,
    parameters: Readonly<Record<string, ParameterValue>> = {},
    options: RtlOptions = {},
  ): Promise<RunResult> {
    const device = await RtlSimulator.of(adder, parameters, { simulator: "icarus", ...options });
    return device.run(await device.load(program), { x });
  }

  it("computes", async () => {
    const { outputs, exact } = await runOnce(adderProgram(24, 8), ramp(24), { add: 3 });
    expect(outputs["sum"]).to.deep.equal(ramp(24).map((x) => x + 3));
    expect(exact).to.equal(true);
  });

  it("says which stream is not done", async () => {
    const few = await rejection(runOnce(adderProgram(16, 4), ramp(16), { fault: "swallow" }), TandemError);
    expect(few.message).to.match(/nothing moves any more after clock \d+; unfinished: y: beat 4 of 4/);
    const untaken = await rejection(runOnce(adderProgram(64, 4, 4), ramp(64)), TandemError);
    expect(untaken.message).to.match(/unfinished: a: beat \d+ of 16, .*a: \d+ beats that nobody took/);
    const surplus = await rejection(runOnce(adderProgram(16), ramp(16), { fault: "surplus" }), TandemError);
    expect(surplus.message).to.include("y: 1 beats that nobody took");
  });

  it("ends a transfer early or late, by TLAST", async () => {
    const late = await rejection(runOnce(adderProgram(16), ramp(16), { fault: "nolast" }), TandemError);
    expect(late.message).to.include("y: beat 4 of 4 of step 1 came without TLAST");
  });

  it("gives up what runs on without a beat, and what takes too long", async () => {
    const spins = { fault: "spin" };
    const quiet = await rejection(runOnce(adderProgram(16), ramp(16), spins, { patience: 3000 }), TandemError);
    expect(quiet.message).to.match(/no token has passed an outer port for 3000 clocks, yet the design runs on/);
    const long = await rejection(runOnce(adderProgram(16), ramp(16), spins, { timeout: 500 }), TandemError);
    expect(long.message).to.include("was ended after 500 ms");
  });

  it("refuses an estimate, which is no hardware", async () => {
    const error = await rejection(runOnce(adderProgram(16), ramp(16), { estimate: 2 }), TandemError);
    expect(error.message).to.match(/adder\.js:\d+:\d+: .*holds an estimate|adder\.ts:\d+:\d+: .*holds an estimate/);
  });
});
