import { expect } from "chai";
import fc from "fast-check";
import { existsSync } from "node:fs";
import { readMeasurements } from "../../../host/cli/measurements.js";
import { TandemError } from "../../../hw/errors.js";
import { calibrate, predict } from "../../../sim/platform/calibrate.js";
import { equationsOf, type Equation, type Measurement } from "../../../sim/platform/evidence.js";
import { boardValues, constantNames, constantOf, platformOf } from "../../../sim/platform/platform.js";
import type { ConstantName } from "../../../sim/platform/pynq-z1.constants.js";

const board = boardValues();
const own = (quantity: string, value: string): Measurement => ({
  id: "mine",
  quantity,
  value,
  unit: "us",
  conditions: "",
  source: "here",
  confidence: "high",
});
const equation = (terms: Equation["terms"], observed: number, more: Partial<Equation> = {}): Equation => ({
  id: "e",
  what: "",
  observed,
  unit: "us",
  offset: 0,
  terms,
  weight: 1,
  use: "fit",
  ...more,
});

describe("calibration", () => {
  it("finds the constants that made the measurements, whatever they were", () => {
    const factor = fc.double({ min: 0.2, max: 5, noNaN: true });
    const names: ConstantName[] = ["driver.transfer", "driver.storeUncached", "driver.loadUncached"];
    fc.assert(
      fc.property(fc.tuple(factor, factor, factor), (factors) => {
        const truth = { ...board, ...Object.fromEntries(names.map((n, i) => [n, board[n] * factors[i]!])) };
        const equations = [
          [1, 0, 0.1],
          [3, 0.5, 0],
          [0, 0.2, 0.7],
          [2, 1, 1],
        ].map((row) => {
          const terms = Object.fromEntries(names.map((n, i) => [n, row[i]!]));
          return equation(terms, predict(equation(terms, 1), truth));
        });
        const { values, error } = calibrate(equations, board);
        for (const name of names) expect(values[name] / truth[name]).to.be.closeTo(1, 1e-5);
        expect(error.fit.after).to.be.lessThan(1e-6);
      }),
    );
  });

  it("leaves alone what no measurement speaks of, and what is only compared", () => {
    const { values, changed, error } = calibrate(
      [equation({ "cpu.copy": 1 }, 6), equation({ "cpu.im2col": 1 }, 10 * board["cpu.im2col"], { use: "check" })],
      board,
    );
    expect(changed.map(({ name }) => name)).to.deep.equal(["cpu.copy"]);
    expect(values["cpu.copy"]).to.be.closeTo(6, 1e-5);
    expect(error.check.after).to.be.closeTo(0.9, 1e-9);
  });

  it("weighs measurements that disagree by their confidence", () => {
    const { values } = calibrate(
      [equation({ "cpu.copy": 1 }, 4, { weight: 1 }), equation({ "cpu.copy": 1 }, 4.4, { weight: 0.25 })],
      board,
    );
    expect(values["cpu.copy"]).to.be.within(4.02, 4.15);
  });

  it("takes no negative constant", () => {
    const { values, refused } = calibrate([equation({ "cpu.copy": 1 }, 5, { offset: 9 })], board);
    expect(refused).to.deep.equal(["cpu.copy"]);
    expect(values["cpu.copy"]).to.equal(board["cpu.copy"]);
  });

  it("reads rows of one's own", () => {
    const found = equationsOf(own("fit driver.transfer=2 ~mine=1", "7"), board) as Equation[];
    expect(found[0]).to.deep.include({ observed: 7, use: "fit", terms: { "driver.transfer": 2, "~mine": 1 } });
    expect(() => equationsOf(own("fit driver.transfr=2", "7"), board)).to.throw(TandemError, /driver.transfr=2/);
    expect(() => equationsOf(own("fit driver.transfer=2", "seven"), board)).to.throw(TandemError, /seven/);
  });

  it("gives a platform by name, and refuses damaged calibrations", () => {
    const text = JSON.stringify({ constants: { "cpu.copy": 9 } });
    expect(platformOf("pynq-z1", { source: "c.json", text }).board!["cpu.copy"]).to.equal(9);
    expect(() => platformOf("zcu102")).to.throw(TandemError, /zcu102/);
    for (const bad of ["{", "[]", '{"constants":{"x":1}}', '{"constants":{"cpu.copy":-1}}'])
      expect(() => platformOf("pynq-z1", { source: "c.json", text: bad })).to.throw(TandemError, /c\.json/);
  });

  it("every constant has a unit and a source, and a measured one names its rows", () => {
    for (const name of constantNames) {
      const { value, unit, source, evidence } = constantOf(name);
      expect(value, name).to.be.greaterThan(0);
      expect(unit, name).to.not.equal("");
      expect(source.length, name).to.be.greaterThan(4);
      if (evidence === "measured") expect(source, name).to.match(/[A-Z]{2,}/);
    }
  });

  it("the built-in constants are those that the published measurements give", function () {
    const file = "../shared/golden/board/measurements.csv";
    if (!existsSync(file)) this.skip();
    const equations = readMeasurements(file).flatMap((row) => {
      const found = equationsOf(row, board);
      return typeof found === "string" ? [] : found;
    });
    expect(equations.length).to.be.greaterThan(120);
    const { values, error } = calibrate(equations, board);
    for (const name of constantNames) {
      const fitted = values[name];
      expect(fitted / board[name], name).to.be.closeTo(1, 0.005);
      if (equations.some(({ terms, use }) => use === "fit" && name in terms))
        expect(constantOf(name).evidence, name).to.equal("measured");
    }
    expect(error.fit.after).to.be.lessThan(0.05);
  });
});
