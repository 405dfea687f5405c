/**
 * The models that the SystemC benchmark runs; models.cpp has the same in C++. Each does `count` of its unit of work and
 * returns something that depends on all of it.
 */
import { Clock, Event, Fifo, ns, Signal, Simulation, spawn, wait, ZERO_TIME } from "../../../sim/systemc/index.js";
import type { Wait } from "../../../sim/systemc/index.js";

export type Model = (sim: Simulation, count: number) => number;

export const models: Record<string, Model> = {
  /** Two threads wake each other in turn; the unit is one switch. */
  thread_switch(sim, count) {
    const [a, b] = [new Event(sim, "a"), new Event(sim, "b")];
    let turns = 0;
    const player = (mine: Event, other: Event): (() => Generator<Wait, void, void>) =>
      function* () {
        while (turns < count) {
          turns++;
          other.notify(ZERO_TIME);
          yield wait(mine);
        }
      };
    spawn(player(a, b), "pa");
    spawn(player(b, a), "pb");
    sim.start();
    return turns;
  },

  /** A ring of 32 methods, each writes the signal that the next is sensitive to; the unit is one write and wake-up. */
  signal_to_method(sim, count) {
    const size = 32;
    const ring = Array.from({ length: size }, (_, i) => new Signal(sim, `s${i}`, 0));
    let left = count;
    for (let i = 0; i < size; i++) {
      const [mine, next] = [ring[i]!, ring[(i + 1) % size]!];
      const body = (): void => {
        if (left-- > 0) next.write(mine.read() + 1);
      };
      spawn(body, `m${i}`, { method: true, sensitive: [mine], dontInitialize: true });
    }
    ring[0]!.write(1);
    sim.start();
    return ring[count % size]!.read();
  },

  /** A producer and a consumer with a FIFO of 16; the unit is one value handed over. */
  fifo_hand_over(sim, count) {
    const fifo = new Fifo<number>(sim, "f", 16);
    let sum = 0;
    spawn(function* () {
      for (let i = 0; i < count; i++) yield* fifo.write(i);
    }, "producer");
    spawn(function* () {
      for (let i = 0; i < count; i++) sum = (sum + (yield* fifo.read())) | 0;
    }, "consumer");
    sim.start();
    return sum;
  },

  /** The same, looking first whether there is room or a value. */
  fifo_try_first(sim, count) {
    const fifo = new Fifo<number>(sim, "f", 16);
    let sum = 0;
    spawn(function* () {
      for (let i = 0; i < count; i++) if (!fifo.tryWrite(i)) yield* fifo.write(i);
    }, "producer");
    spawn(function* () {
      for (let i = 0; i < count; i++) sum = (sum + (fifo.tryRead() ?? (yield* fifo.read()))) | 0;
    }, "consumer");
    sim.start();
    return sum;
  },

  /** A clock with ten clocked threads; the unit is one clock. */
  ten_clocked_threads(sim, count) {
    const clk = new Clock(sim, "clk", { period: ns(10) });
    let sum = 0;
    for (let i = 0; i < 10; i++) {
      const body = function* (): Generator<Wait | undefined, void, void> {
        for (;;) {
          sum = (sum + i) | 0;
          yield;
        }
      };
      spawn(body, `t${i}`, { sensitive: [clk.posedgeEvent], dontInitialize: true });
    }
    sim.start(ns(10 * count));
    return sum;
  },

  /**
   * A 16 x 16 output-stationary array with six clocked threads (two feeders, the array, collector, post-processor,
   * controller) that meet in FIFOs; tiles of depth 64; the unit is one clock.
   */
  array_16x16(sim, count) {
    const [size, depth] = [16, 64];
    const clk = new Clock(sim, "clk", { period: ns(10) });
    const west = new Fifo<Int32Array>(sim, "west", 4);
    const north = new Fifo<Int32Array>(sim, "north", 4);
    const results = new Fifo<Int32Array>(sim, "results", 16);
    const jobs = new Fifo<number>(sim, "jobs", 2);
    const tiles = new Signal(sim, "tiles", 0);
    let check = 0;
    const clocked = (name: string, body: () => Generator<Wait | undefined, void, void>): void =>
      void spawn(body, name, { sensitive: [clk.posedgeEvent], dontInitialize: true });
    // C++ copies rows by value; here a row is a reference, so rows come from pools larger than what a FIFO holds.
    const pool = (rows: number): Int32Array[] => Array.from({ length: rows }, () => new Int32Array(size));
    const feeder = (out: Fifo<Int32Array>, seed: number): (() => Generator<Wait | undefined, void, void>) => {
      return function* () {
        const beats = pool(8);
        for (let k = 0; ; k++) {
          const beat = beats[k & 7]!;
          for (let i = 0; i < size; i++) beat[i] = ((k * 7 + i * seed) & 15) - 8;
          yield* out.write(beat);
          yield;
        }
      };
    };
    clocked("feed_west", feeder(west, 3));
    clocked("feed_north", feeder(north, 5));
    clocked("controller", function* () {
      for (let tile = 0; ; tile++) {
        yield* jobs.write(tile);
        yield;
      }
    });
    clocked("array", function* () {
      const acc = new Int32Array(size * size);
      const rows = pool(64);
      for (let tile = 0; ; tile++) {
        yield* jobs.read();
        acc.fill(0);
        for (let k = 0; k < depth; k++) {
          const a = yield* west.read();
          const b = yield* north.read();
          outerProduct(acc, a, b);
          yield;
        }
        for (let r = 0; r < size; r++) {
          const row = rows[((tile & 3) << 4) | r]!;
          for (let c = 0; c < size; c++) row[c] = acc[(r << 4) | c]!;
          yield* results.write(row);
        }
      }
    });
    clocked("collector", function* () {
      for (let row = 0; ; row++) {
        const values = yield* results.read();
        for (let c = 0; c < size; c++) check = (check + values[c]!) | 0;
        if (row % size === size - 1) tiles.write(tiles.read() + 1);
        yield;
      }
    });
    clocked("post", function* () {
      for (;;) {
        check = (check ^ tiles.read()) | 0;
        yield;
      }
    });
    sim.start(ns(10 * count));
    return check;
  },
};

/** acc += a x b, for 16 by 16. Four columns at a time, as V8 does not unroll loops itself. */
function outerProduct(acc: Int32Array, a: Int32Array, b: Int32Array): void {
  for (let c = 0; c < 16; c += 4) {
    const b0 = b[c]!;
    const b1 = b[c + 1]!;
    const b2 = b[c + 2]!;
    const b3 = b[c + 3]!;
    for (let r = 0, at = c; r < 16; r++, at += 16) {
      const x = a[r]!;
      acc[at] = acc[at]! + Math.imul(x, b0);
      acc[at + 1] = acc[at + 1]! + Math.imul(x, b1);
      acc[at + 2] = acc[at + 2]! + Math.imul(x, b2);
      acc[at + 3] = acc[at + 3]! + Math.imul(x, b3);
    }
  }
}
