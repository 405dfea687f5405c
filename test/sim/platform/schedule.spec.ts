import { expect } from "chai";
import fc from "fast-check";
import { scheduleNetwork, type LayerWork } from "../../../sim/platform/network.js";
import { boardValues } from "../../../sim/platform/platform.js";
import { schedule, type Activity } from "../../../sim/platform/schedule.js";

const activity = (more: Partial<Activity>): Activity => ({
  resource: "cpu",
  cores: 1,
  kind: "x",
  layer: 0,
  ns: 10,
  bytes: 0,
  after: [],
  ...more,
});
const spans = (activities: readonly Activity[], cores = 1, memory = 1): [number, number][] =>
  schedule(activities, { cores, memory }).map(({ start, end }) => [start, end]);

describe("schedule of activities", () => {
  it("runs one thing at a time on one core, two on two, and the accelerator beside them", () => {
    const list = [activity({}), activity({ ns: 4 }), activity({ resource: "accelerator", ns: 12 })];
    expect(spans(list)).to.deep.equal([
      [0, 10],
      [10, 14],
      [0, 12],
    ]);
    expect(spans(list, 2)).to.deep.equal([
      [0, 10],
      [0, 4],
      [0, 12],
    ]);
  });

  it("waits for what an activity stands after", () => {
    const list = [activity({}), activity({ resource: "accelerator", after: [0] }), activity({ after: [1], ns: 1 })];
    expect(spans(list)).to.deep.equal([
      [0, 10],
      [10, 20],
      [20, 21],
    ]);
  });

  it("slows down all that use the memory together beyond what it gives", () => {
    // Each alone asks for 0.75 B/ns of 1: together they run at 2/3 of their speed until the shorter one ends.
    const list = [activity({ ns: 10, bytes: 7.5 }), activity({ resource: "accelerator", ns: 20, bytes: 15 })];
    const [[, first], [, second]] = spans(list) as [[number, number], [number, number]];
    expect(first).to.be.closeTo(15, 1e-9);
    expect(second).to.be.closeTo(25, 1e-9);
  });

  it("names a cycle instead of hanging", () => {
    expect(() => spans([activity({ after: [1] }), activity({ after: [0] })])).to.throw(/cycle/);
  });

  it("is as long as its longest chain at least, and as the sum of all at most", () => {
    const arbitrary = fc.array(
      fc.record({ ns: fc.integer({ min: 1, max: 50 }), cpu: fc.boolean(), back: fc.integer({ min: 0, max: 5 }) }),
      { minLength: 1, maxLength: 30 },
    );
    fc.assert(
      fc.property(arbitrary, (list) => {
        const activities = list.map(({ ns, cpu, back }, i) =>
          activity({ ns, resource: cpu ? "cpu" : "accelerator", after: back > 0 && i - back >= 0 ? [i - back] : [] }),
        );
        const intervals = schedule(activities, { cores: 1, memory: 1 });
        const end = Math.max(...intervals.map((each) => each.end));
        const chain: number[] = [];
        activities.forEach(({ ns, after }) => chain.push(ns + Math.max(0, ...after.map((j) => chain[j]!))));
        expect(end).to.be.at.least(Math.max(...chain) - 1e-6);
        expect(end).to.be.at.most(list.reduce((sum, { ns }) => sum + ns, 0) + 1e-6);
        for (const resource of ["cpu", "accelerator"]) {
          const own = intervals.filter(({ activity: a }) => activities[a]!.resource === resource);
          own.sort((a, b) => a.start - b.start);
          for (let i = 1; i < own.length; i++) expect(own[i]!.start).to.be.at.least(own[i - 1]!.end - 1e-6);
        }
      }),
    );
  });
});

describe("schedule of a network", () => {
  const board = { ...boardValues(), "cpu.operator": 0, "cpu.cacheClean": 0, "cpu.cacheInvalidate": 0 };
  const work = { clocks: 8000, bytesIn: 1000, bytesOut: 1000, unpackedBytes: 0, inputBytes: 1000, outputBytes: 1000 };
  const packing: LayerWork = { index: 0, inputs: [], accelerator: { ...work, packedBytes: 10_000 } };
  const nsPerClock = 1000 / board["pl.clock"];

  it("packs the next part while the accelerator works on the last one", () => {
    const pack = 10_000 * board["cpu.im2col"];
    const compute = 8000 * nsPerClock;
    const { total } = scheduleNetwork([packing], board, 1);
    expect(total).to.be.lessThan(pack + compute);
    expect(total).to.be.closeTo(Math.max(pack + compute / 8, compute + pack / 8), 1);
  });

  it("takes the accelerator's own clocks where the processor leaves the memory alone, however early the input is taken", () => {
    const early = { ...work, packedBytes: 0, bytesIn: 100_000, progress: [10, 20, 30, 40, 50, 60, 70, 80] };
    const { layers } = scheduleNetwork([{ index: 0, inputs: [-1], accelerator: early }], boardValues(), 1);
    expect(layers[0]!.accelerator).to.be.closeTo(8000 * nsPerClock, 1e-6);
  });

  it("needs no packing time where the tensor is sent as it is", () => {
    const plain: LayerWork = { index: 0, inputs: [], accelerator: { ...work, packedBytes: 0 } };
    const { total, layers } = scheduleNetwork([plain], board, 1);
    expect(total).to.be.closeTo(8000 * nsPerClock, 1e-6);
    expect(layers[0]!.exposedCpu).to.be.closeTo(0, 1e-6);
  });

  it("packs a layer beside the accelerator's work on another one, unless it reads its output", () => {
    const pack = 10_000 * board["cpu.im2col"];
    const compute = 8000 * nsPerClock;
    // It takes all its input in its first clocks, so its own packing hides nothing.
    const first: LayerWork = { index: 0, inputs: [-1], accelerator: { ...work, packedBytes: 0 } };
    const second = (input: number): LayerWork => ({
      index: 1,
      inputs: [input],
      accelerator: { ...work, packedBytes: 10_000, progress: [1, 1, 1, 1, 1, 1, 1, 1] },
    });
    const total = (input: number): number => scheduleNetwork([first, second(input)], board, 1).total;
    expect(total(-1)).to.be.closeTo(2 * compute, 0.01 * compute);
    expect(total(0)).to.be.closeTo(2 * compute + pack, 0.01 * compute);
    // The processor's own layers, too.
    const pool: LayerWork = { index: 1, inputs: [-1], cpu: [{ kind: "pool", amount: compute / 2, bytes: 0 }] };
    expect(scheduleNetwork([first, pool], board, 1).total).to.be.closeTo(compute, 0.01 * compute);
    expect(scheduleNetwork([first, { ...pool, inputs: [0] }], board, 1).total).to.be.greaterThan(compute * 1.2);
  });

  it("gives each layer a window; the windows add up to the whole, and inputs are done before what reads them ends", () => {
    const layer = fc.record({
      cpu: fc.boolean(),
      clocks: fc.integer({ min: 1, max: 20_000 }),
      packed: fc.constantFrom(0, 5000, 50_000),
      back: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 2 }),
    });
    fc.assert(
      fc.property(
        fc.array(layer, { minLength: 1, maxLength: 12 }),
        fc.constantFrom(1 as const, 2 as const),
        (list, threads) => {
          const layers = list.map(({ cpu, clocks, packed, back }, index): LayerWork => {
            const inputs = back.map((n) => Math.max(-1, index - n));
            if (cpu) return { index, inputs, cpu: [{ kind: "add", amount: clocks, bytes: 3 * clocks }] };
            return { index, inputs, accelerator: { ...work, clocks, packedBytes: packed } };
          });
          const { total, layers: windows, activities, intervals } = scheduleNetwork(layers, boardValues(), threads);
          let before = 0;
          for (const { start, end, accelerator, exposedCpu } of windows) {
            expect(start).to.equal(before);
            expect(accelerator + exposedCpu).to.be.closeTo(end - start, 1e-6);
            expect(accelerator).to.be.at.least(0);
            expect(exposedCpu).to.be.at.least(-1e-6);
            before = end;
          }
          expect(before).to.be.closeTo(total, 1e-6);
          const endOf = (index: number): number =>
            Math.max(0, ...intervals.filter(({ activity: a }) => activities[a]!.layer === index).map(({ end }) => end));
          const startOf = (index: number): number =>
            Math.min(
              ...intervals.filter(({ activity: a }) => activities[a]!.layer === index).map(({ start }) => start),
            );
          for (const { index, inputs } of layers)
            for (const input of inputs) if (input >= 0) expect(startOf(index)).to.be.at.least(endOf(input) - 1e-6);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("follows the clocks at which the accelerator really takes its input", () => {
    const late = { ...packing.accelerator!, progress: [7300, 7400, 7500, 7600, 7700, 7800, 7900, 8000] };
    const { total } = scheduleNetwork([{ ...packing, accelerator: late }], board, 1);
    const pack = 10_000 * board["cpu.im2col"];
    expect(total).to.be.closeTo(pack / 8 + 8000 * nsPerClock, 1);
  });

  it("cleans and invalidates caches only where processor and accelerator meet", () => {
    const real = boardValues();
    const layer = (index: number): LayerWork => ({
      index,
      inputs: [index - 1],
      accelerator: { ...work, packedBytes: 0 },
    });
    const { layers } = scheduleNetwork([layer(0), layer(1), layer(2)], real, 1);
    const lines = Math.ceil(1000 / 32);
    expect(layers[0]!.cpu.cache).to.be.closeTo(lines * real["cpu.cacheClean"], 1e-6);
    expect(layers[1]!.cpu.cache).to.equal(undefined);
    expect(layers[2]!.cpu.cache).to.be.closeTo(lines * real["cpu.cacheInvalidate"], 1e-6);
  });

  it("two threads shorten arithmetic more than copies", () => {
    const cpu = (kind: "conv" | "copy"): LayerWork => ({
      index: 0,
      inputs: [],
      cpu: [{ kind, amount: 1e6, bytes: 0 }],
    });
    const speedUp = (kind: "conv" | "copy"): number =>
      scheduleNetwork([cpu(kind)], board, 1).total / scheduleNetwork([cpu(kind)], board, 2).total;
    expect(speedUp("conv")).to.be.closeTo(board["cpu.twoThreads"], 1e-9);
    expect(speedUp("copy")).to.be.closeTo(board["cpu.twoThreadsMemory"], 1e-9);
  });
});
