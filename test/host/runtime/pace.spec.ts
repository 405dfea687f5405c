import { expect } from "chai";
import { Pace } from "../../../host/runtime/steps.js";

describe("The pace of a machine", () => {
  it("is its best where layers take the least that they ever took, and before anything was seen", () => {
    const pace = new Pace();
    expect(pace.factor).to.equal(1);
    for (let i = 0; i < 5; i++) pace.saw(3 + i, 3 + i);
    expect(pace.factor).to.equal(1);
  });

  it("is that of the last layers, the long ones above all", () => {
    const pace = new Pace();
    for (let i = 0; i < 30; i++) pace.saw(30, 10);
    expect(pace.factor).to.be.closeTo(3, 1e-9);
    pace.saw(0.1, 0.1);
    expect(pace.factor).to.be.closeTo(3, 0.1);
    for (let i = 0; i < 30; i++) pace.saw(10, 10);
    expect(pace.factor).to.be.closeTo(1, 0.01);
  });
});
