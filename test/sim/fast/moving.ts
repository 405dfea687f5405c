/**
 * A module that only moves elements: columns of several streams become one row in loops of loops, and rows move up as in a shift
 * register. Forms that the fast engine does at once (sim/fast/gather-loop.ts, move-up.ts), and others that look alike.
 */
import { i16, i32, i8, Module, u8, vec } from "../../../hw/index.js";
import type { ChannelIn, ChannelOut, IntType, Process, VecType } from "../../../hw/index.js";
import type { Random } from "./random.js";

/** How columns become a row: a stream's columns apart from each other, next to each other, backwards, or one of them twice. */
export const ORDERS = ["apart", "next", "backwards", "twice"] as const;
/** How rows move: by one or two towards the first, away from it, round, with the first kept for later, or read behind the loop, too. */
export const MOVES = ["one", "two", "away", "round", "kept", "after"] as const;
/** What else a row becomes in front of that: another in the place of the last (as a whole, or lane by lane), two that change places, or one doubled. */
export const CHANGES = ["none", "last", "lanes", "swapped", "doubled"] as const;
type Is<T extends string> = Readonly<Record<T, boolean>>;

export interface MovingOptions {
  readonly order: (typeof ORDERS)[number];
  readonly move: (typeof MOVES)[number];
  readonly change: (typeof CHANGES)[number];
  readonly bits: 8 | 16 | 32;
  readonly streams: number;
  readonly columns: number;
  readonly rows: number;
}

export function randomMoving(
  random: Random,
  order: MovingOptions["order"],
  move: MovingOptions["move"],
): MovingOptions {
  const [streams, columns] = [1 + random.below(4), 1 + random.below(9)];
  const change = random.pick(CHANGES);
  return { order, move, change, bits: random.pick([8, 16, 32]), streams, columns, rows: 2 + random.below(4) };
}

const types: Readonly<Record<number, IntType>> = { 8: i8, 16: i16, 32: i32 };

const is = <T extends string>(all: readonly T[], one: T): Is<T> =>
  Object.fromEntries(all.map((each) => [each, each === one])) as Is<T>;

export class Moving extends Module {
  static readonly source = import.meta.url;
  readonly order: Is<(typeof ORDERS)[number]>;
  readonly move: Is<(typeof MOVES)[number]>;
  readonly change: Is<(typeof CHANGES)[number]>;
  readonly streams: number;
  readonly columns: number;
  readonly rows: number;
  readonly row: VecType<number>;
  readonly parts: VecType<readonly number[]>;
  readonly flat: VecType<number>;
  readonly tile: VecType<readonly (readonly number[])[]>;
  readonly in: ChannelIn<readonly (readonly (readonly number[])[])[]>;
  readonly out: ChannelOut<readonly number[]>;

  constructor({ order, move, change, bits, streams, columns, rows }: MovingOptions) {
    super(null, "moving");
    this.order = is(ORDERS, order);
    this.move = is(MOVES, move);
    this.change = is(CHANGES, change);
    [this.streams, this.columns, this.rows] = [streams, columns, rows];
    const type = types[bits] as never;
    this.flat = vec<number>(type, streams * columns);
    this.row = vec<number>(type, columns);
    this.parts = vec(this.row, streams);
    this.tile = vec(this.parts, rows);
    this.in = this.channelIn(this.tile);
    this.out = this.channelOut(this.flat);
    this.clocked(this.run);
  }

  *run(): Process {
    for (;;) {
      const all = yield* this.in.pop();
      let rows = all;
      for (let r = u8(0); r < this.rows; r = u8(r + 1)) {
        const flat = this.flat.zero();
        if (this.order.apart)
          for (let p = 0; p < this.streams; p++)
            for (let c = 0; c < this.columns; c++) flat[c * this.streams + p] = rows[0]![p]![c]!;
        if (this.order.next)
          for (let p = 0; p < this.streams; p++)
            for (let c = 0; c < this.columns; c++) flat[p * this.columns + c] = rows[0]![p]![c]!;
        if (this.order.backwards)
          for (let p = 0; p < this.streams; p++)
            for (let c = 0; c < this.columns; c++) flat[c * this.streams + (this.streams - 1 - p)] = rows[0]![p]![c]!;
        if (this.order.twice)
          for (let p = 0; p < this.streams; p++)
            for (let c = 0; c < this.columns; c++) flat[(c >> 1) * this.streams + p] = rows[0]![p]![c]!;
        yield* this.out.push(flat);
        if (this.change.last) {
          const others = rows;
          rows = this.tile((i) => (i === this.rows - 1 ? all[0]! : others[i]!));
        }
        if (this.change.lanes) {
          const others = rows;
          rows = this.tile((i) =>
            this.parts((p) => this.row((c) => (i === this.rows - 1 ? all[0]![p]![c]! : others[i]![p]![c]!))),
          );
        }
        if (this.change.swapped) {
          const others = rows;
          rows = this.tile((i) => others[i === 0 ? 1 : i === 1 ? 0 : i]!);
        }
        if (this.change.doubled) {
          const others = rows;
          rows = this.tile((i) => (i === 0 ? others[1]! : others[i]!));
        }
        const before = rows;
        if (this.move.one || this.move.after) rows = this.tile((i) => before[i < this.rows - 1 ? i + 1 : i]!);
        if (this.move.two) rows = this.tile((i) => before[i < this.rows - 2 ? i + 2 : i]!);
        if (this.move.away) rows = this.tile((i) => before[i > 0 ? i - 1 : i]!);
        if (this.move.round) rows = this.tile((i) => before[i < this.rows - 1 ? i + 1 : 0]!);
        if (this.move.kept) {
          rows = this.tile((i) => before[i < this.rows - 1 ? i + 1 : i]!);
          const kept = before[0]!;
          if (r === 0) {
            const first = this.flat.zero();
            for (let c = 0; c < this.columns; c++) first[c] = kept[0]![c]!;
            yield* this.out.push(first);
          }
        }
        yield;
      }
      if (this.move.after) {
        const last = this.flat.zero();
        for (let c = 0; c < this.columns; c++) last[c] = rows[0]![0]![c]!;
        yield* this.out.push(last);
      }
    }
  }
}
