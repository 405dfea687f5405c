import { expect } from "chai";
import fc from "fast-check";
import { expOnNegative, reciprocal } from "../../../host/kernels/fixedpoint.js";

describe("Fixed point functions of softmax", () => {
  it("take the exponential of numbers with 5 integer bits to within 2^-21, its fourth order", () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 31), max: 0 }), (raw) => {
        expect(expOnNegative(raw) / 2 ** 31).to.be.closeTo(Math.exp(raw / 2 ** 26), 2 ** -21);
      }),
      { numRuns: 2000 },
    );
    expect(expOnNegative(0)).to.equal(2 ** 31 - 1);
    // The bit pattern of gemmlowp's own check of exp(-1/8), its constant term.
    expect(expOnNegative(-(2 ** 23))).to.equal(1895147668);
  });

  it("take the reciprocal of a sum with 12 integer bits to within 2^-27 of it", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 31 - 1 }), (raw) => {
        const { scale, bitsOverUnit } = reciprocal(raw, 12);
        const value = (scale / 2 ** 31) * 2 ** -bitsOverUnit;
        expect(value * (raw / 2 ** 19)).to.be.closeTo(1, 2 ** -27);
      }),
      { numRuns: 2000 },
    );
  });
});
