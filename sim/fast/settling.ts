/**
 * The way to rounds that all move alike (leap.ts). Behind a wait it takes several rounds until every clock of the state moves by the same
 * period; each of them is a function of the state alone, as long as every process takes the same steps (max-plus linear and
 * homogeneous, as told there). So what they did to the clocks is remembered beside the state that they began with, all clocks relative to one
 * of them: where rounds stand in such a state again, a range (joint-range-code.ts) may begin at once, and its clocks are those of
 * then, moved.
 */
import type { Plan } from "./plan.js";
import type { Player } from "./replay.js";
import type { RoundChannel } from "./round-channel.js";
import { KnownStep } from "./known-step.js";
import { emitRowCopy, emitRowStore, relativeTo, rowOf, up, VECTOR, vectors, type Row } from "./state-row.js";
import { rules } from "./rules.js";
import { Code } from "./wasm.js";

/** So many ways are remembered, the latest. */
const WAYS = 8;
/** After so many rounds that were not the way to anything the next is looked at, and so many at most. */
const PAUSE = 8;
const MOST_PAUSE = 1024;

/** What rounds are made of, as locals. */
export interface Rounds {
  readonly players: readonly Player[];
  readonly channels: readonly RoundChannel[];
  /** The clock of who feeds a grid, and by how much it moves on in a round without a gap between two feeds. */
  readonly feeder: { readonly time: number; readonly clocks: number } | undefined;
}

export class Settling {
  /** A local: the way that is taken, or 0. Behind it `period` holds from round to round. */
  readonly way: number;
  /** A local: the rounds of the way that has been taken. */
  readonly rounds: number;
  /** Single rounds that are remembered. */
  readonly step: KnownStep;
  readonly #code: Code;
  readonly #of: Rounds;
  /** Clocks of the processes, what decided how many clocks their last passes took, and whether they waited for the outside. */
  readonly #times: readonly number[];
  readonly #decided: readonly number[];
  readonly #held: readonly number[];
  readonly #clocks: readonly number[];
  readonly #last: readonly number[];
  readonly #counted: readonly number[];
  readonly #stays: readonly number[];
  /** Places of the state now, and of the one with which what is noted began. */
  readonly #now: { readonly clocks: Row; readonly decided: Row; readonly counts: Row; readonly last: Row };
  readonly #first: { readonly clocks: Row; readonly decided: Row; readonly counts: Row };
  /** Offsets within a way. */
  readonly #offsets: { readonly key: number; readonly moved: number; readonly counts: number; readonly last: number };
  readonly #bytes: number;
  readonly #ways: number;
  readonly #next: number;
  /** Locals: rounds that are being noted, and one; rounds until that is thought of, and how many they are next time. */
  readonly #noting: number;
  readonly #idle: number;
  readonly #pause: number;
  readonly #find: number;
  readonly #keep: number;
  readonly #begin: number;

  /** Once the code of a round alone has been emitted. */
  constructor(code: Code, { heap, module }: Plan, name: string, of: Rounds) {
    this.#code = code;
    this.#of = of;
    this.#times = of.players.map(({ time }) => time);
    this.#decided = of.players.flatMap(({ decided }) => decided);
    this.#held = of.players.map(({ held }) => held);
    const local = (): number => code.local("i32");
    [this.way, this.rounds, this.#noting, this.#idle, this.#pause] = [local(), local(), local(), local(), local()];
    this.#clocks = [...this.#times, ...of.channels.flatMap(({ clocks }) => clocks)];
    this.#last = of.channels.flatMap(({ sides: { push, pop } }) => [
      ...push.operations.map(({ wait }) => wait),
      ...pop.operations.flatMap(({ wait, stayed }) => [wait, stayed]),
    ]);
    this.#counted = of.channels.flatMap(({ sides: { push, pop } }) => [push.stall, pop.stall]);
    this.#stays = of.channels.map(({ sides }) => sides.pop.stay);
    const row = (length: number): Row => rowOf(heap, length);
    const [clocks, decided, counts, last] = [
      this.#clocks.length,
      this.#decided.length,
      this.#counted.length + this.#stays.length,
      this.#last.length,
    ];
    this.#now = { clocks: row(clocks), decided: row(decided), counts: row(counts), last: row(last) };
    this.#first = { clocks: row(clocks), decided: row(decided), counts: row(counts) };
    const key = VECTOR;
    const moved = key + (up(clocks) + up(decided)) * 4;
    this.#offsets = {
      key,
      moved,
      counts: moved + up(clocks) * 4,
      last: moved + (up(clocks) + up(counts)) * 4,
    };
    this.#bytes = this.#offsets.last + up(last) * 4;
    this.#ways = heap.take(WAYS * this.#bytes);
    this.#next = heap.take(4);
    this.#find = module.add(`${name} find`, this.#findCode());
    this.#begin = module.add(`${name} begin`, this.#beginCode());
    this.#keep = module.add(`${name} keep`, this.#keepCode());
    this.step = new KnownStep(code, heap, module, name, {
      clocks: this.#clocks,
      last: this.#last,
      decided: this.#decided,
      held: this.#held,
      now: this.#now,
    });
  }

  /** Behind a round alone that did not move all clocks alike; `no` leaves nonzero on the stack if nothing can come of it now. */
  emitTry(no: () => void): void {
    const code = this.#code;
    no();
    code.get(this.#idle).op("i32.or").if();
    this.#emitGiveUp();
    code.get(this.#idle).get(this.#idle).i32(0).op("i32.ne").op("i32.sub").set(this.#idle);
    code.else();
    code.get(this.#noting).if();
    // A round that was another, or waited for somebody else, is not told by the state.
    code.get(this.#noting).i32(1).op("i32.add").set(this.#noting);
    this.#emitDiffers();
    code.if();
    this.#emitGiveUp();
    code.end();
    code.else();
    this.#emitClocks();
    this.#decided.forEach((local, i) => code.storeAt(this.#now.decided.at + i * 4, () => code.get(local)));
    code.call(this.#find).tee(this.way).op("i32.eqz").if();
    this.#emitCounts();
    code.call(this.#begin).i32(1).set(this.#noting);
    code.end().end().end();
  }

  /** Behind a round alone that moved all clocks alike, by the period in a local: there the way ends. */
  emitEnd(period: number): void {
    const code = this.#code;
    code.get(this.#noting).if();
    this.#emitDiffers();
    code.op("i32.eqz").if();
    this.#emitClocks();
    this.#emitCounts();
    this.#last.forEach((local, i) => code.storeAt(this.#now.last.at + i * 4, () => code.get(local)));
    code.get(this.#noting).get(period).call(this.#keep);
    code.i32(PAUSE).set(this.#pause);
    code.end();
    code.i32(0).set(this.#noting);
    code.end();
  }

  /** On the stack: rounds, period, and by how much a process's clock moves at most, of the way that is taken. */
  emitRounds(): Code {
    return this.#code.get(this.way).mem("i32.load");
  }
  emitPeriod(): Code {
    return this.#code.get(this.way).mem("i32.load", 4);
  }
  emitMost(): Code {
    return this.#code.get(this.way).mem("i32.load", 8);
  }

  /** Nothing came of the way. */
  emitNone(): void {
    this.#code.i32(PAUSE).set(this.#idle);
  }

  /** The way is taken: clocks, what is counted, and how long all operations waited in its last round. */
  emitTake(): void {
    const code = this.#code;
    const { moved, counts, last } = this.#offsets;
    const from = (offset: number): Code => code.get(this.way).mem("i32.load", offset);
    this.#clocks.forEach((local, i) => {
      from(moved + i * 4)
        .get(local)
        .op("i32.add")
        .set(local);
    });
    if (rules.round.settleTime !== 0)
      code.get(this.#clocks[0]!).i32(rules.round.settleTime).op("i32.add").set(this.#clocks[0]!);
    this.#counted.forEach((local, i) => {
      from(counts + i * 4)
        .get(local)
        .op("i32.add")
        .set(local);
    });
    this.#stays.forEach((local, i) => {
      from(counts + (this.#counted.length + i) * 4)
        .op("i64.extend_i32_u")
        .get(local)
        .op("i64.add")
        .set(local);
    });
    this.#last.forEach((local, i) => {
      from(last + i * 4).set(local);
    });
    for (const local of this.#held) code.i32(0).set(local);
    this.emitRounds().set(this.rounds);
    code.i32(0).set(this.way);
  }

  /** What was noted is of no use; it is tried less often if that is so again. */
  #emitGiveUp(): void {
    const code = this.#code;
    const next = code.temp("i32");
    code.get(this.#noting).if();
    code.i32(0).set(this.#noting);
    code.get(this.#pause).set(this.#idle);
    code.get(this.#pause).i32(1).op("i32.shl").i32(PAUSE).op("i32.or").tee(next);
    code.i32(MOST_PAUSE).get(next).i32(MOST_PAUSE).op("i32.lt_u").op("select").set(this.#pause);
    code.end();
    code.free("i32", next);
  }

  /** Nonzero on the stack if the last round was not like that before what is noted. */
  #emitDiffers(): void {
    const code = this.#code;
    code.i32(0);
    this.#decided.forEach((local, i) => {
      code
        .get(local)
        .loadAt(this.#first.decided.at + i * 4)
        .op("i32.xor")
        .op("i32.or");
    });
    for (const local of this.#held) code.get(local).op("i32.or");
  }

  #emitClocks(): void {
    const code = this.#code;
    const { at, length } = this.#now.clocks;
    for (let i = 0; i < length; i++) code.storeAt(at + i * 4, () => code.get(this.#clocks[i] ?? this.#clocks[0]!));
  }

  #emitCounts(): void {
    const code = this.#code;
    const { at } = this.#now.counts;
    this.#counted.forEach((local, i) => code.storeAt(at + i * 4, () => code.get(local)));
    this.#stays.forEach((local, i) =>
      code.storeAt(at + (this.#counted.length + i) * 4, () => code.get(local).op("i32.wrap_i64")),
    );
  }

  /** The way with which the state now begins, or 0. */
  #findCode(): Code {
    const code = new Code([], ["i32"]);
    const [way, left, base] = [code.local("i32"), code.local("i32"), code.local("v128")];
    const { clocks, decided } = this.#now;
    code.i32(this.#ways).set(way).i32(WAYS).set(left);
    code.loadAt(clocks.at).op("i32x4.splat").set(base);
    const again = code.loop();
    this.#differences(code, clocks.at, decided.at, base).forEach((emit, i) => {
      emit();
      code
        .get(way)
        .mem("v128.load", this.#offsets.key + i * VECTOR)
        .op("v128.xor");
      if (i > 0) code.op("v128.or");
    });
    code.op("v128.any_true").op("i32.eqz").get(way).mem("i32.load").i32(0).op("i32.ne").op("i32.and").if();
    code.get(way).op("return").end();
    code.get(way).i32(this.#bytes).op("i32.add").set(way);
    code.get(left).i32(1).op("i32.sub").tee(left).brIf(again).end();
    code.i32(0);
    return code;
  }

  /** Vectors of a state: clocks relative to `base`, and what decides. */
  #differences(code: Code, clocks: number, decided: number, base: number): (() => void)[] {
    return [
      ...relativeTo(code, { ...this.#now.clocks, at: clocks }, base, rules.round.settleDeaf === 0),
      ...vectors(this.#now.decided).map((at) => () => void code.loadAt(decided + at, "v128.load")),
    ];
  }

  #beginCode(): Code {
    const code = new Code();
    const both = [
      [this.#first.clocks, this.#now.clocks],
      [this.#first.decided, this.#now.decided],
      [this.#first.counts, this.#now.counts],
    ] as const;
    for (const [to, from] of both) emitRowCopy(code, to, from);
    return code;
  }

  /** Parameters: rounds since what is noted began, and the period. */
  #keepCode(): Code {
    const code = new Code(["i32", "i32"]);
    const [rounds, period] = [0, 1];
    const [way, most, one] = [code.local("i32"), code.local("i32"), code.local("i32")];
    const base = code.local("v128");
    const { feeder } = this.#of;
    const times = this.#times;
    const difference = (i: number): Code =>
      code
        .loadAt(this.#now.clocks.at + i * 4)
        .loadAt(this.#first.clocks.at + i * 4)
        .op("i32.sub");
    if (feeder) {
      difference(times.indexOf(feeder.time)).get(rounds).i32(feeder.clocks).op("i32.mul").op("i32.ne").if();
      code.op("return").end();
    }
    code.loadAt(this.#next).i32(this.#bytes).op("i32.mul").i32(this.#ways).op("i32.add").set(way);
    code.storeAt(this.#next, () =>
      code
        .loadAt(this.#next)
        .i32(1)
        .op("i32.add")
        .i32(WAYS - 1)
        .op("i32.and"),
    );
    code.i32(0).set(most);
    times.forEach((_, i) => {
      difference(i).tee(one).get(most).get(one).get(most).op("i32.gt_s").op("select").set(most);
    });
    code.get(way).get(rounds).mem("i32.store");
    code.get(way).get(period).mem("i32.store", 4);
    code.get(way).get(most).mem("i32.store", 8);
    code.loadAt(this.#first.clocks.at).op("i32x4.splat").set(base);
    const { key, moved, counts, last } = this.#offsets;
    this.#differences(code, this.#first.clocks.at, this.#first.decided.at, base).forEach((emit, i) => {
      code.get(way);
      emit();
      code.mem("v128.store", key + i * VECTOR);
    });
    emitRowStore(code, way, this.#now.clocks, moved, this.#first.clocks);
    emitRowStore(code, way, this.#now.counts, counts, this.#first.counts);
    emitRowStore(code, way, this.#now.last, last);
    return code;
  }
}
