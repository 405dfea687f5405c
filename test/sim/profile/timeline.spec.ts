import { expect } from "chai";
import { Simulator, type SimulatorOptions } from "../../../driver/transport/simulator.js";
import { boardValues } from "../../../sim/platform/platform.js";
import { adder, adderProgram, ramp } from "../../driver/transport/adder.js";

const run = async (bytes: number, options: SimulatorOptions, parameters = {}) => {
  const simulator = Simulator.of(adder, parameters, { timeline: true, ...options });
  const handle = await simulator.load(adderProgram(bytes));
  await simulator.run(handle, { x: ramp(bytes) });
  return simulator.run(handle, { x: ramp(bytes) });
};
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

describe("timeline of a run", () => {
  const cases: [string, number, SimulatorOptions, object][] = [
    ["an ideal run", 400, {}, {}],
    ["a long run, with bins added together", 80_000, {}, {}],
    ["random stalls", 4000, { stalls: { seed: 5, chance: 0.4, most: 9 } }, {}],
    ["the board's DMA", 4000, { board: boardValues() }, {}],
    ["waits of many clocks", 400, {}, { estimate: 13 }],
  ];
  for (const [title, bytes, options, parameters] of cases)
    it(`adds up to the kernel's counters: ${title}`, async () => {
      const { timeline, counters, clocks } = await run(bytes, options, parameters);
      expect(timeline!.bins).to.be.at.most(64);
      expect(timeline!.bins).to.equal(Math.ceil(clocks / timeline!.binClocks));
      for (const process of counters!.processes) {
        const recorded = timeline!.processes.find(({ path }) => path === process.path)!;
        expect(sum(recorded.busy), process.path).to.equal(process.busy);
        for (const { channel, on, clocks: stalled } of process.stalls) {
          const series = recorded.stalls.find((stall) => stall.channel === channel && stall.on === on);
          expect(sum(series?.clocks ?? []), `${process.path} ${on} ${channel}`).to.equal(stalled);
        }
      }
      for (const channel of counters!.channels) {
        const { held } = timeline!.channels.find(({ path }) => path === channel.path)!;
        const mean = sum(
          held.map((value, i) => value * Math.min(timeline!.binClocks, clocks - i * timeline!.binClocks)),
        );
        expect(mean / clocks, channel.path).to.be.closeTo(channel.meanOccupancy, 1e-9);
      }
    });

  it("says why the computing process stood still, clock by clock", async () => {
    const fast = await run(400, {});
    // The adder's name does not say that it computes: nothing is watched.
    expect(fast.timeline!.causes).to.deep.equal([]);
  });

  it("is there only if asked for, and so are the transfers of a board", async () => {
    const { timeline, transfers } = await run(40, { timeline: false });
    expect(timeline).to.equal(undefined);
    expect(transfers).to.equal(undefined);
  });

  it("gives the same bytes at the board's pace, later", async () => {
    const ideal = await run(4000, {});
    const board = await run(4000, { board: boardValues() });
    expect(board.outputs).to.deep.equal(ideal.outputs);
    expect(board.clocks).to.be.greaterThan(ideal.clocks);
    expect(board.transfers!.map(({ stream, bytes }) => [stream, bytes])).to.deep.equal([
      ["a", 4000],
      ["y", 4000],
    ]);
  });
});
