import { expect } from "chai";
import { systolic } from "../../../designs/systolic/index.js";
import { TandemError } from "../../../hw/index.js";

describe("A configuration of the systolic design", () => {
  it("is 16 x 16 with 128 multipliers and 16 lanes by default, and fits the XC7Z020's block RAM", () => {
    const config = systolic.configure();
    expect(config.rows * config.cellCols).to.equal(128);
    expect(config.lanes).to.equal(16);
    expect(systolic.peakMacsPerClock(config)).to.equal(256);
    // Banks of 64 bits: a RAMB36 is 512 x 72 bits. Outputs are 128 bits wide, 4096 words: 16 RAMB36 a stream.
    const banks = config.rows * Math.ceil(config.inputDepth / 512) + config.cols * Math.ceil(config.weightDepth / 512);
    const outputs = (config.streams * config.outputDepth * config.lanes * 8) / 32768;
    expect(banks + outputs).to.equal(32 + 16 + 32);
  });

  it("takes sizes that divide nothing", () => {
    expect(systolic.configure({ rows: 12, cols: 20 })).to.include({ lanes: 10, streams: 2, cellCols: 10, groups: 2 });
    expect(systolic.configure({ rows: 1, cols: 1 })).to.include({
      lanes: 1,
      streams: 1,
      weightStreams: 1,
      cellCols: 1,
    });
    expect(systolic.configure({ rows: 3, cols: 5 })).to.include({ lanes: 5, streams: 1, productsPerDsp: 1 });
  });

  it("takes values as text, as a command line gives them", () => {
    expect(systolic.configure({ rows: "8", overlapTiles: "false" })).to.include({ rows: 8, overlapTiles: false });
  });

  it("tells all its parameters", () => {
    const config = systolic.configure({ rows: 8, cols: 8 });
    expect(systolic.configure(systolic.describe(config))).to.deep.equal(config);
    for (const { name } of systolic.parameters) expect(systolic.describe(config)).to.have.property(name);
  });

  const wrong: [Record<string, number | string | boolean>, string, string][] = [
    [{ rws: 8 }, 'no parameter "rws"', "rows, cols"],
    [{ rows: 0 }, "rows = 0", "an integer from 1 to 64"],
    [{ rows: 8.5 }, "rows = 8.5", "an integer from 1 to 64"],
    [{ rows: "eight" }, "rows = eight", "an integer from 1 to 64"],
    [{ rows: true }, "rows = true", "an integer"],
    [{ overlapTiles: 1 }, "overlapTiles = 1", "a boolean"],
    [{ streamBytes: 6 }, "streamBytes = 6", "4, 8, 16"],
    [{ lanes: 3 }, "lanes = 3 does not divide cols = 16", "1, 2, 4, 8, 16"],
    [{ rows: 9, streams: 2 }, "streams = 2 does not divide rows = 9", "1, 3, 9"],
    [{ cols: 5, productsPerDsp: 2 }, "productsPerDsp = 2 does not divide cols = 5", "1, 5"],
    [{ inputBytes: 64 }, "inputBytes = 64 is less than one word in each bank", "128"],
  ];
  for (const [overrides, message, hint] of wrong)
    it(`is refused: ${JSON.stringify(overrides)}`, () => {
      try {
        systolic.configure(overrides);
        expect.fail("no error");
      } catch (error) {
        expect(error).to.be.instanceOf(TandemError);
        expect((error as TandemError).message).to.include(message);
        expect((error as TandemError).hint).to.include(hint);
      }
    });
});
