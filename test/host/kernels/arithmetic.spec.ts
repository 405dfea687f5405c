import { expect } from "chai";
import fc from "fast-check";
import {
  multiplyByQuantisedMultiplier,
  quantiseMultiplier,
  roundHalfAway,
  roundingDivideByPot,
  saturatingRoundingDoublingHighMul,
  saturatingShiftLeft,
} from "../../../host/kernels/arithmetic.js";

const int32 = () => fc.oneof(fc.integer(), fc.constantFrom(-(2 ** 31), 2 ** 31 - 1, 0, 1, -1, 2 ** 30));

/** gemmlowp's definition, in exact integers: nudge by the sign of the product, divide towards zero. */
function highMul(a: number, b: number): number {
  if (a === -(2 ** 31) && b === a) return 2 ** 31 - 1;
  const product = BigInt(a) * BigInt(b);
  const nudge = product >= 0n ? 1n << 30n : 1n - (1n << 30n);
  return Number((product + nudge) / (1n << 31n));
}

describe("Fixed point arithmetic", () => {
  it("multiplies high with rounding as gemmlowp defines it, for all int32", () => {
    fc.assert(
      fc.property(int32(), int32(), (a, b) => {
        expect(saturatingRoundingDoublingHighMul(a, b)).to.equal(highMul(a, b));
      }),
      { numRuns: 5000 },
    );
  });

  it("divides by powers of two with ties away from zero", () => {
    fc.assert(
      fc.property(int32(), fc.integer({ min: 0, max: 31 }), (x, exponent) => {
        const exact = x / 2 ** exponent;
        expect(roundingDivideByPot(x, exponent)).to.equal(Math.sign(exact) * Math.round(Math.abs(exact)) + 0);
      }),
      { numRuns: 5000 },
    );
    expect(roundingDivideByPot(-3, 1)).to.equal(-2);
    expect(roundingDivideByPot(3, 1)).to.equal(2);
  });

  it("rounds a scaled sum twice: first in the product, then in the shift", () => {
    // 0.5 exactly after the product's rounding, away from zero after the shift's; once rounded it would be 0.
    expect(multiplyByQuantisedMultiplier(1, 2 ** 31 - 1, -1)).to.equal(1);
    expect(multiplyByQuantisedMultiplier(-1, 2 ** 31 - 1, -1)).to.equal(-1);
    expect(multiplyByQuantisedMultiplier(3, 2 ** 30, 4)).to.equal(24);
  });

  it("represents real multipliers to 31 bits, and takes those below 2^-32 for zero", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-9, max: 1e9, noNaN: true }), (real) => {
        const { multiplier, shift } = quantiseMultiplier(real);
        expect(multiplier).to.be.within(2 ** 30, 2 ** 31 - 1);
        expect(Math.abs((multiplier * 2 ** (shift - 31)) / real - 1)).to.be.at.most(2 ** -31);
      }),
    );
    expect(quantiseMultiplier(0)).to.deep.equal({ multiplier: 0, shift: 0 });
    expect(quantiseMultiplier(2 ** -32)).to.deep.equal({ multiplier: 2 ** 30, shift: -31 });
    expect(quantiseMultiplier(2 ** -32.5)).to.deep.equal({ multiplier: 0, shift: 0 });
    expect(quantiseMultiplier(1 - 2 ** -40)).to.deep.equal({ multiplier: 2 ** 30, shift: 1 });
    for (const bad of [-1, NaN, Infinity, 2 ** 30]) expect(() => quantiseMultiplier(bad)).to.throw(RangeError);
  });

  it("saturates left shifts and rounds halves away from zero", () => {
    expect(saturatingShiftLeft(1 << 28, 3)).to.equal(2 ** 31 - 1);
    expect(saturatingShiftLeft(-(2 ** 28), 3)).to.equal(-(2 ** 31));
    expect(saturatingShiftLeft(-(2 ** 28) - 1, 3)).to.equal(-(2 ** 31));
    expect(saturatingShiftLeft(-5, 3)).to.equal(-40);
    expect([0.5, -0.5, 1.5, -1.5, 0.49999999999999994].map(roundHalfAway)).to.deep.equal([1, -1, 2, -2, 0]);
  });
});
