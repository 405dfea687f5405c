import { expect } from "chai";
import fc from "fast-check";
import { fillsOf } from "../../../sim/fast/image.js";
import { partRow, placePristine, pristineBytes } from "../../../sim/fast/pristine.js";

/** The table's rows: address, length, byte, source. */
const rowsOf = (memory: ArrayBuffer, start: number, end: number): [number, number, number, number][] =>
  Array.from({ length: (end - start) / partRow.bytes }, (_, i) => {
    const row = new Int32Array(memory, start + i * partRow.bytes, 4);
    return [row[0]!, row[1]!, row[2]!, row[3]!];
  });

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

  it("lies behind itself in parts, from which a run begins: bytes that fill a part, and copies of the others", () => {
    const initial = new Uint8Array(20_000).fill(5, 4200, 9000);
    initial.set([1, 2, 3], 10);
    const fills = fillsOf(initial, [[12_000, 12_100]]);
    const memory = new Uint8Array(65_536);
    const { start, end, top } = placePristine(memory.buffer, { initial, fills }, initial.length);
    expect(top - start).to.be.at.most(pristineBytes({ initial, fills }));
    expect(memory.slice(0, initial.length)).to.deep.equal(initial);
    const covered = new Uint8Array(initial.length);
    for (const [at, length, byte, source] of rowsOf(memory.buffer, start, end)) {
      covered.fill(1, at, at + length);
      const part = initial.slice(at, at + length);
      if (byte < 0) expect(memory.slice(source, source + length)).to.deep.equal(part);
      else expect(part.every((each) => each === byte)).to.equal(true);
    }
    expect(covered.findIndex((each) => each === 0)).to.equal(12_000);
    expect(covered.filter((each) => each === 0)).to.have.length(100);
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
