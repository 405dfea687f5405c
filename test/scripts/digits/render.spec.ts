import { expect } from "chai";
import { fonts } from "../../../scripts/digits/fonts.js";
import { sample, side } from "../../../scripts/digits/render.js";

describe("rendered digits", () => {
  it("follow from seed and number alone", () => {
    const first = Array.from({ length: 20 }, (_, i) => sample(5, i));
    // In another order, and with other pictures in between.
    const again = Array.from({ length: 20 }, (_, i) => (sample(6, i), sample(5, 19 - i))).reverse();
    expect(again).to.deep.equal(first);
  });

  it("differ from number to number and from seed to seed", () => {
    const texts = [3, 4].flatMap((seed) => Array.from({ length: 200 }, (_, i) => sample(seed, i).pixels.join(",")));
    expect(new Set(texts).size).to.equal(400);
  });

  it("show every digit in every font, in ink that stands off the ground", () => {
    for (const { name } of fonts) {
      for (let digit = 0; digit < 10; digit++) {
        for (let i = 0; i < 5; i++) {
          const { pixels, ...rest } = sample(21, i, side, { digit, font: name });
          expect(rest).to.deep.equal({ digit, font: name });
          const sorted = pixels.toSorted();
          expect(sorted.at(-1)! - sorted[0]!).to.be.above(60);
        }
      }
    }
  });

  it("come dark on light and light on dark, about as often", () => {
    const corner = (i: number): number =>
      sample(8, i)
        .pixels.subarray(0, 3)
        .reduce((sum, value) => sum + value, 0) / 3;
    const middle = (i: number): number => {
      const sorted = sample(8, i).pixels.toSorted();
      return (sorted[0]! + sorted.at(-1)!) / 2;
    };
    const light = Array.from({ length: 400 }, (_, i) => corner(i) > middle(i)).filter(Boolean).length;
    expect(light).to.be.within(140, 260);
  });

  it("are the same drawing at another size", () => {
    const small = sample(9, 3, side, { digit: 8, font: "print" }).pixels;
    const large = sample(9, 3, 4 * side, { digit: 8, font: "print" }).pixels;
    let difference = 0;
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        let sum = 0;
        for (let k = 0; k < 16; k++) sum += large[(4 * y + (k >> 2)) * 4 * side + 4 * x + (k & 3)]!;
        difference += Math.abs(sum / 16 - small[y * side + x]!);
      }
    }
    // Noise differs; strokes half a pixel off would add tens.
    expect(difference / small.length).to.be.below(15);
  });
});
