import { expect } from "chai";
import { Simulator, type SimulatorOptions } from "../../../driver/transport/simulator.js";
import { systolic } from "../../../designs/systolic/index.js";
import { FastSimulator } from "../../../driver/transport/fast-simulator.js";
import type { Timeline } from "../../../sim/profile/timeline.js";
import { randomLayer } from "../../designs/layers.js";
import { boardValues } from "../../../sim/platform/platform.js";
import { adder, adderProgram, ramp } from "../../driver/transport/adder.js";

const run = async (bytes: number, options: SimulatorOptions, parameters = {}) => {
  const simulator = Simulator.of(adder, parameters, { timeline: true, ...options });
  const handle = await simulator.load(adderProgram(bytes));
  await simulator.run(handle, { x: ramp(bytes) });
  return simulator.run(handle, { x: ramp(bytes) });
};
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Clocks by root of the stall, over all watched processes. */
const byRoot = ({ causes }: Timeline): Record<string, number> => {
  const clocks: Record<string, number> = {};
  for (const { root, name, clocks: n } of causes.flatMap((each) => each.causes))
    clocks[`${root} ${name}`] = (clocks[`${root} ${name}`] ?? 0) + n;
  return clocks;
};

describe("timeline of a run on the fast engine", () => {
  const shape = { height: 14, width: 14, inChannels: 48, outChannels: 72 };
  for (const [title, options] of [
    ["an ideal run", {}],
    ["the board's DMA", { board: boardValues() }],
    ["random stalls", { stalls: { seed: 5, chance: 0.3, most: 9 } }],
  ] as const)
    it(`is that of the kernel, causes by sampling: ${title}`, async function () {
      this.timeout(60_000);
      const { layer, input } = randomLayer(shape, 3);
      const { program, inputs } = systolic.compile(layer, systolic.configure({}));
      const record = async (device: Simulator | FastSimulator): Promise<Timeline> => {
        const result = await device.run(await device.load(program), inputs(input));
        expect(result.timeline!.bins).to.equal(Math.ceil(result.clocks / result.timeline!.binClocks));
        return result.timeline!;
      };
      const kernel = await record(Simulator.of(systolic, {}, { timeline: true, ...options }));
      const fast = await record(await FastSimulator.of(systolic, {}, { timeline: true, ...options }));
      expect(fast.binClocks).to.equal(kernel.binClocks);
      const sorted = ({ processes }: Timeline): unknown =>
        processes.map(({ path, busy, stalls }) => ({
          path,
          busy,
          stalls: Object.fromEntries(
            stalls.flatMap(({ channel, on, clocks }) => (sum(clocks) > 0 ? [[`${on} ${channel}`, clocks]] : [])),
          ),
        }));
      expect(sorted(fast)).to.deep.equal(sorted(kernel));
      fast.channels.forEach(({ path, held }, i) =>
        held.forEach((mean, bin) => expect(mean, path).to.be.closeTo(kernel.channels[i]!.held[bin]!, 1e-9)),
      );
      const [exact, sampled] = [byRoot(kernel), byRoot(fast)];
      const total = sum(Object.values(exact));
      expect(sum(Object.values(sampled))).to.equal(total);
      expect(fast.samples).to.be.greaterThan(500);
      for (const root of new Set([...Object.keys(exact), ...Object.keys(sampled)]))
        expect((sampled[root] ?? 0) / total, root).to.be.closeTo((exact[root] ?? 0) / total, 0.05);
      expect(sampled["busy "]).to.equal(exact["busy "]);
    });
});

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
    expect(board.transfers!.all.map(({ stream, bytes }) => [stream, bytes])).to.deep.equal([
      ["a", 4000],
      ["y", 4000],
    ]);
  });
});
