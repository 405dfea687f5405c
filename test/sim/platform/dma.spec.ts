import { expect } from "chai";
import fc from "fast-check";
import { boardValues } from "../../../sim/platform/platform.js";
import { drive, stream } from "./drive.js";

const board = boardValues();
const MHZ = board["pl.clock"];
/** Clocks that the processor needs to start one transfer. */
const START = board["dma.registers"] * board["driver.registerWrite"] * MHZ;

describe("DMA and memory of the PYNQ-Z1", () => {
  it("gives a single reader a beat per clock after start and latency, as PG021 measures", () => {
    const beats = 10_000;
    const { clocks, timing } = drive([stream("a", "in", [beats])], board);
    const fill = START + board["hp.readLatency"];
    expect(clocks).to.be.within(fill + beats, fill + 1.01 * beats);
    const [trace] = timing.transfers;
    expect(trace).to.include({ stream: "a", bytes: 8 * beats, issued: 0, started: START });
    expect(trace!.first).to.be.at.least(fill);
    expect(trace!.eighths).to.have.length(8);
    expect(trace!.eighths[7]).to.equal(trace!.last);
  });

  it("lets a single writer reach 75 % of a beat per clock, as PG021 measures", () => {
    const { clocks } = drive([stream("a", "out", [10_000])], board);
    expect(10_000 / (clocks - START)).to.be.closeTo(0.7464, 0.01);
  });

  it("shares the memory: four readers together get 97 % of its peak, and no more", () => {
    const clock = { ...board, "pl.clock": 150 };
    const streams = [0, 1, 2, 3].map((i) => stream(`a${i}`, "in", [8192], { firstStep: i }));
    const { clocks, timing } = drive(streams, clock);
    const rate = ((4 * 8192 * 8) / clocks) * 150;
    expect(rate).to.be.within(0.95 * 0.97 * 2100, 0.97 * 2100 + 1);
    expect(timing.ddr.bytes).to.equal(4 * 8192 * 8);
  });

  it("loses time where reads and writes take turns", () => {
    const clock = { ...board, "pl.clock": 150, "dma.receiveGap": 0 };
    const one = (direction: "in" | "out") => (i: number) =>
      stream(`${direction}${i}`, direction, [8192], { firstStep: i });
    const { clocks } = drive([...[0, 1].map(one("in")), ...[0, 1].map(one("out"))], clock);
    const rate = ((4 * 8192 * 8) / clocks) * 150;
    expect(rate).to.be.within(0.84 * 2100, 0.91 * 2100);
  });

  it("keeps streams on different ports from slowing each other while the memory has room", () => {
    const alone = drive([stream("a", "in", [4096])], board).clocks;
    const both = drive([stream("a", "in", [4096]), stream("b", "in", [4096], { firstStep: 1 })], board).clocks;
    expect(both).to.be.within(alone, alone + START + 50);
  });

  it("makes each further transfer of a stream wait for the processor to see the end of the last one", () => {
    const one = drive([stream("a", "in", [64])], board).clocks;
    const five = drive([stream("a", "in", [64, 64, 64, 64, 64])], board);
    const perTransfer = board["driver.transfer"] * MHZ;
    expect((five.clocks - one) / 4).to.be.within(perTransfer + 64, perTransfer + 64 + board["hp.readLatency"] + 4);
    expect(five.timing.processorClocks).to.be.closeTo(5 * perTransfer, 1e-6);
  });

  it("starts the first transfer of every stream in the order of the program", () => {
    const { timing } = drive([stream("late", "in", [8], { firstStep: 5 }), stream("early", "in", [8])], board);
    const started = Object.fromEntries(timing.transfers.map((trace) => [trace.stream, trace.started]));
    expect(started).to.deep.equal({ early: START, late: 2 * START });
  });

  it("is never faster than any of its parts allows, for any set of streams", () => {
    const some = fc.array(
      fc.record({
        direction: fc.constantFrom("in" as const, "out" as const),
        transfers: fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 3 }),
        bytes: fc.constantFrom(4, 8, 16),
      }),
      { minLength: 1, maxLength: 6 },
    );
    fc.assert(
      fc.property(some, (list) => {
        const streams = list.map(({ direction, transfers, bytes }, i) =>
          stream(`s${i}`, direction, transfers, { bytes, firstStep: 4 * i }),
        );
        const { timing, clocks } = drive(streams, board);
        const total = list.reduce((sum, s) => sum + s.bytes * s.transfers.reduce((a, b) => a + b, 0), 0);
        expect(timing.transfers).to.have.length(list.reduce((sum, s) => sum + s.transfers.length, 0));
        expect(timing.transfers.reduce((sum, { bytes }) => sum + bytes, 0)).to.equal(total);
        expect(timing.ddr.bytes).to.equal(total);
        // What the memory moves until the last beat (a write may follow it).
        const done = Math.max(...timing.transfers.map((trace) => trace.done));
        expect(total / done).to.be.at.most((0.97 * 2100) / MHZ + 1e-6);
        for (const { first, last, bytes, started, done: end, stream: name } of timing.transfers) {
          const beat = list[Number(name.slice(1))]!.bytes;
          // Times of the processor are sums of fractions of a clock.
          expect(first).to.be.at.least(started - 1e-6);
          expect(last - first).to.be.at.least((bytes / beat - 1) * Math.max(1, beat / 8) - 1);
          expect(end).to.be.greaterThan(last);
        }
        expect(clocks).to.equal(Math.max(...timing.transfers.map(({ last }) => last)) + 1);
      }),
      { numRuns: 150 },
    );
  });

  it("lets readers and writers that are started at one time, but for the last bit of a sum, move in one clock", () => {
    // Six streams of transfers of one beat: the sum of the processor's times ends in ...4.0000000000005.
    const kinds = ["in", "in", "in", "out", "in", "in"] as const;
    const streams = kinds.map((direction, i) =>
      stream(`s${i}`, direction, i < 4 ? [1, 1, 1] : [1, 1], { bytes: 4, firstStep: 4 * i }),
    );
    const { timing } = drive(streams, board);
    for (const { first, started, direction } of timing.transfers) {
      expect(first).to.be.at.least(started - 1e-6);
      if (direction === "out") expect(first).to.be.lessThan(started + 1);
    }
  });
});
