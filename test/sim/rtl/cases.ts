/** The designs of designs.ts with streams to run them on, drawn from a seed. */
import { elaborate, type Module } from "../../../hw/index.js";
import type { RtlRun } from "../../../sim/rtl/simulate.js";
import { Arbiter, Arithmetic, Buffered, Lanes, Product, Through, Tree } from "./designs.js";
import { Mac } from "../../hw/language/examples.js";

/** Mulberry32: a small generator, so that a seed is all that a failing case needs. */
export function random(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

type Draw = (below: number) => number;
const list = <T>(n: number, f: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => f(i));
const i8 = (draw: Draw): number => (draw(6) === 0 ? [-128, 127, 0, -1][draw(4)]! : draw(256) - 128);
const i32 = (draw: Draw): number =>
  draw(6) === 0 ? [-(2 ** 31), 2 ** 31 - 1, 0, -1, 2 ** 30][draw(5)]! : draw(2 ** 32) | 0;
/** No stalls at all, or up to a few clocks at random. */
const gaps = (draw: Draw): number[] => (draw(3) === 0 ? [] : list(7, () => (draw(2) === 0 ? 0 : draw(5))));

export interface Case {
  readonly name: string;
  build(): Module;
  streams(draw: Draw): NonNullable<RtlRun["inputs"]>;
}

function mac(draw: Draw): NonNullable<RtlRun["inputs"]> {
  const counts = list(6, () => draw(6));
  const total = counts.reduce((a, b) => a + b, 0);
  return {
    count: { values: counts, gaps: gaps(draw) },
    a: { values: list(total, () => i8(draw)), gaps: gaps(draw) },
    b: { values: list(total, () => i8(draw)), gaps: gaps(draw) },
  };
}

function product(draw: Draw, rows: number, cols: number): NonNullable<RtlRun["inputs"]> {
  // A tile of fewer waves than rows would meet the one before it in the column multiplexer.
  const depths = list(3, () => rows + draw(6));
  const total = depths.reduce((a, b) => a + b, 0);
  return {
    depth: { values: depths, gaps: gaps(draw) },
    a: { values: list(total, () => list(rows, () => i8(draw))), gaps: gaps(draw) },
    b: { values: list(total, () => list(cols, () => i8(draw))), gaps: gaps(draw) },
  };
}

const bytes = (draw: Draw, n: number): NonNullable<RtlRun["inputs"]> => ({
  in: { values: list(n, () => draw(256)), gaps: gaps(draw) },
});

export const cases: readonly Case[] = [
  { name: "a multiply-accumulate unit", build: () => new Mac(), streams: mac },
  ...(
    [
      [1, 1],
      [2, 1],
      [5, 1],
      [3, 2],
      [2, 3],
    ] as const
  ).map(([depth, lanes]) => ({
    name: `no yield, a channel of depth ${depth}, ${lanes} lanes`,
    build: () => new Through(depth, lanes),
    streams: (draw: Draw) => bytes(draw, 50),
  })),
  {
    name: "lanes, fields, waits of several clocks",
    build: () => new Lanes(),
    streams: (draw) => ({ in: { values: list(40, () => draw(3000) - 1500), gaps: gaps(draw) } }),
  },
  {
    name: "a memory handed over block by block, mulPair and requantisation",
    build: () => new Buffered(),
    streams: (draw) => ({ in: { values: list(32 * 5, () => i8(draw)), gaps: gaps(draw) } }),
  },
  {
    name: "polling and a signal",
    build: () => new Arbiter(),
    streams: (draw) => ({
      a: { values: list(15, () => draw(256)), gaps: gaps(draw) },
      b: { values: list(30, () => draw(256)), gaps: gaps(draw) },
    }),
  },
  { name: "an array of 3 x 4 cells", build: () => new Product(3, 4), streams: (draw) => product(draw, 3, 4) },
  { name: "an array of 1 x 1 cells", build: () => new Product(1, 1), streams: (draw) => product(draw, 1, 1) },
  {
    name: "a hierarchy and channels picked by number",
    build: () => new Tree(),
    streams: (draw) => ({ in: { values: list(50, () => draw(65536)), gaps: gaps(draw) } }),
  },
  {
    name: "all arithmetic",
    build: () => new Arithmetic(),
    streams: (draw) => ({
      in: {
        values: list(400, () => ({
          x: i32(draw),
          y: i32(draw),
          a: i8(draw),
          b: i8(draw),
          c: i8(draw),
          n: draw(32),
          u: draw(256),
        })),
      },
    }),
  },
];

/** Streams for one run, and sinks that pause. */
export function runOf(which: Case, seed: number): RtlRun {
  const draw = random(seed);
  const inputs = which.streams(draw);
  const sink = gaps(draw);
  const { outputs } = elaborate(which.build());
  return { inputs, outputs: Object.fromEntries(Object.keys(outputs).map((name) => [name, { gaps: sink }])) };
}
