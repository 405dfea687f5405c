/** A board's DMA with random constants around a design, under both engines. */
import { expect } from "chai";
import type { Module } from "../../../hw/index.js";
import { sink, source } from "../../../sim/environment.js";
import type { FastEngine } from "../../../sim/fast/engine.js";
import type { Counters } from "../../../sim/kernel/counters.js";
import { Kernel } from "../../../sim/kernel/kernel.js";
import { DmaTiming, type PacedStream, type TransferTrace } from "../../../sim/platform/dma.js";
import { boardValues, type BoardValues } from "../../../sim/platform/platform.js";
import type { Case } from "./network.js";
import type { Random } from "./random.js";
import { comparable } from "./comparable.js";
import { sendInPieces } from "./pieces.js";

/** A board whose constants are anything, also nothing; `quick` ones let a short run see several transfers. */
export function randomBoard(random: Random, quick: boolean): BoardValues {
  const pick = (...values: number[]): number => random.pick(values);
  const slow = quick ? 0.1 : 1;
  return {
    ...boardValues(),
    "pl.clock": pick(25, 100, 100, 187.5),
    "ddr.read": pick(0, 0.49, 3, 20),
    "ddr.write": pick(0, 0.53, 4, 17.3),
    "ddr.turnaround": pick(0, 4.8, 33),
    "hp.width": pick(4, 8, 16),
    "hp.ports": pick(1, 2, 4),
    "hp.readLatency": pick(0, 1, 2.5, 30),
    "hp.writeLatency": pick(0, 1.25, 40),
    "dma.burst": pick(1, 2, 16),
    "dma.outstanding": pick(1, 2, 4),
    "dma.sendGap": pick(0, 0.04, 1.5),
    "dma.receiveGap": pick(0, 5.43),
    "driver.registerWrite": slow * pick(0, 0.25),
    "driver.registerRead": slow * pick(0, 0.13),
    "driver.transfer": slow * pick(0, 0.4, 2.694),
  };
}

export interface Outcome {
  readonly received: readonly (readonly [port: string, clock: number, value: unknown])[];
  readonly counters: Counters;
  readonly transfers: readonly TransferTrace[];
}

/** Tokens of each port in transfers of a random length. */
export function streamsOf(
  { ir }: Pick<Case, "ir">,
  tokens: (port: string) => number,
  random: Random,
  most = 30,
): PacedStream[] {
  let step = 0;
  const stream = (name: string, direction: "in" | "out"): PacedStream => {
    const transfers: { step: number; beats: number }[] = [];
    for (let left = tokens(name); left > 0;) {
      const beats = Math.min(left, 1 + random.below(most));
      transfers.push({ step: step++, beats });
      left -= beats;
    }
    return { name, direction, bytes: random.pick([4, 8, 16]), transfers };
  };
  return [
    ...Object.keys(ir.design.inputs).map((name) => stream(name, "in")),
    ...Object.keys(ir.design.outputs).map((name) => stream(name, "out")),
  ];
}

export interface Around {
  /** Tokens that are taken from each output. */
  readonly capacity: number;
  readonly inputs: Readonly<Record<string, readonly unknown[]>>;
  readonly streams: readonly PacedStream[];
  readonly board: BoardValues;
  readonly until: number;
}

export function inKernel(top: Module, { inputs, streams, board, until, capacity }: Around): Outcome {
  const kernel = new Kernel(top);
  const timing = new DmaTiming(streams, board);
  for (const [name, values] of Object.entries(inputs)) {
    const tokens = values.values();
    source(kernel, name, () => tokens.next().value, { pace: timing.pace(name) });
  }
  const received: [string, number, unknown][] = [];
  for (const [name, channel] of Object.entries(kernel.design.outputs)) {
    let left = capacity;
    const take = (value: unknown): boolean => {
      received.push([name, kernel.now, channel.type.copy(value)]);
      return --left > 0;
    };
    sink(kernel, name, take, { pace: timing.pace(name) });
  }
  kernel.run({ until });
  return { received, counters: kernel.counters, transfers: timing.transfers };
}

export function inFast(
  engine: FastEngine,
  { inputs, streams, board, until, capacity }: Around,
  split: boolean,
): Outcome {
  for (const [port, values] of Object.entries(inputs)) {
    // A piece for each transfer, as the driver has it.
    const { transfers } = streams.find(({ name }) => name === port)!;
    sendInPieces(
      engine,
      port,
      values,
      transfers.map(({ beats }) => beats),
    );
  }
  const outputs = Object.keys(engine.design.outputs);
  for (const name of outputs) engine.output(name, capacity);
  engine.pace(streams, board);
  if (split) for (let to = 7; to < until; to += 1 + Math.floor(until / 9)) engine.run({ until: to });
  engine.run({ until });
  const received = outputs.flatMap((name) =>
    engine.values(name).map(({ value, clock }) => [name, clock, value] as const),
  );
  return { received, counters: engine.counters, transfers: engine.transfers!.all };
}

export function expectEqual(got: Outcome, expected: Outcome, title: string): void {
  // In each engine's own order of the ports.
  const byPort = ({ received }: Outcome): unknown[] => [...received].sort(([a], [b]) => (a < b ? -1 : Number(a > b)));
  expect(byPort(got), title).to.deep.equal(byPort(expected));
  expect(comparable(got.counters), title).to.deep.equal(comparable(expected.counters));
  expect(got.transfers, title).to.deep.equal(expected.transfers);
}
