import { expect } from "chai";
import fc from "fast-check";
import { fillsOf } from "../../../sim/fast/image.js";

describe("The memory of a compiled design", () => {
  it("is made again by filling long runs of one byte and copying the rest", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ byte: fc.constantFrom(0, 255, 7), length: fc.integer({ min: 1, max: 12_000 }) })),
        (parts) => {
          const bytes = Uint8Array.from(parts.flatMap(({ byte, length }) => new Array<number>(length).fill(byte)));
          const fills = fillsOf(bytes);
          for (const [start, end, byte] of fills) {
            expect(end - start).to.be.at.least(4096);
            expect(bytes.subarray(start, end).every((each) => each === byte)).to.equal(true);
            expect([bytes[start - 1], bytes[end]]).to.not.include(byte);
          }
          fills.slice(1).forEach(([start], i) => expect(start).to.be.at.least(fills[i]![1]));
          const long = fills.reduce((sum, [start, end]) => sum + end - start, 0);
          const rest = bytes.length - long;
          // Between two of them there is not enough of one byte for another.
          expect(rest).to.be.at.most(parts.length * 4095);
        },
      ),
      { numRuns: 30 },
    );
  });

  it("leaves out what may be anything", () => {
    const bytes = new Uint8Array(30_000).fill(7, 9000, 20_000);
    expect(
      fillsOf(bytes, [
        [8000, 10_000],
        [15_000, 15_100],
      ]),
    ).to.deep.equal([
      [0, 8000, 0],
      [8000, 10_000, -1],
      [10_000, 15_000, 7],
      [15_000, 15_100, -1],
      [15_100, 20_000, 7],
      [20_000, 30_000, 0],
    ]);
  });
});
