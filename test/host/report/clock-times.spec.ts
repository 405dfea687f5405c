/** Clocks of a layer in the intervals in which the accelerator works. */
import { expect } from "chai";
import fc from "fast-check";
import { between, stretches } from "../../../host/report/clock-times.js";

const track = (startMs: number, endMs: number, layer = 1, name = "accelerator") => ({
  track: name,
  kind: "accelerator",
  layer,
  startMs,
  endMs,
});

describe("Clocks on the board", () => {
  const tracks = [track(20, 24), track(10, 16), track(0, 50, 2), track(16, 20, 1, "cpu")];
  const all = stretches({ tracks }, 1, 100);

  it("pass only while the accelerator works", () => {
    expect(all).to.deep.equal([
      { from: 0, to: 60, startMs: 10, endMs: 16 },
      { from: 60, to: 100, startMs: 20, endMs: 24 },
    ]);
    expect(stretches({ tracks }, 3, 100)).to.deep.equal([]);
  });

  it("are cut where it pauses", () => {
    expect(between(all, 50, 70)).to.deep.equal([
      { from: 50, to: 60, startMs: 15, endMs: 16 },
      { from: 60, to: 70, startMs: 20, endMs: 21 },
    ]);
    expect(between(all, 0, 60)).to.deep.equal([all[0]]);
    expect(between(all, 60, 100)).to.deep.equal([all[1]]);
    expect(between(all, 30, 30)).to.deep.equal([]);
  });

  it("lose none, in whatever pieces", () => {
    const lengths = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 9 });
    const cuts = fc.array(fc.integer({ min: 0, max: 1000 }), { maxLength: 9 });
    fc.assert(
      fc.property(lengths, cuts, (list, places) => {
        fc.pre(list.some((length) => length > 0));
        const own = list.map((length, i) => track(100 * i, 100 * i + length));
        const whole = stretches({ tracks: own }, 1, 1000);
        const bounds = [0, ...places.sort((a, b) => a - b), 1000];
        const parts = bounds.slice(1).flatMap((to, i) => between(whole, bounds[i]!, to));
        expect(parts.reduce((sum, { from, to }) => sum + to - from, 0)).to.equal(1000);
        parts.forEach((part, i) => {
          expect(part.endMs).to.be.at.least(part.startMs);
          if (i > 0) expect(part.startMs).to.be.at.least(parts[i - 1]!.endMs - 1e-9);
        });
      }),
    );
  });
});
