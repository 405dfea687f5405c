/**
 * Runs of rounds that begin as an earlier one did. The state of time between rounds is clocks, and a round takes it to the next by maxima
 * and sums with fixed numbers (leap.ts). So if all clocks, relative to the first process's, are what they were at the start of an
 * earlier run, and each process takes the same steps, all operations wait as long as they did then. The waits of the first rounds of a
 * few runs are kept, round by round, and such a run begins with a leap whose waits come from there; behind them it goes on as
 * the earlier one did, with rounds that move all clocks alike, or with rounds alone.
 *
 * Clocks of pops and pushes that lie before the first process's count as one: whatever is pushed or popped from now on is later, so they keep
 * nobody waiting. Who stands at its pop and is behind the first process waits at least until its clock, which is counted at once.
 */
import type { LeapChannel } from "./leap.js";
import type { Heap } from "./layout.js";
import type { Operation, RoundChannel } from "./round-channel.js";
import { rules } from "./rules.js";
import type { Code } from "./wasm.js";

/** Who takes part in rounds: locals with its clock, whether it waited for the outside in the last round, and what decided its clocks. */
export interface Player {
  readonly time: number;
  readonly held: number;
  readonly decided: readonly number[];
  /** The channel at whose pop it stands between rounds. */
  readonly head: RoundChannel | undefined;
}

/** Runs that are kept, and rounds of each. */
const ENTRIES = 8;
const MOST = 8;

/**
 * Of a run that is kept: its rounds, by how much the last of them moved all clocks (0: not alike), the latest clock behind them, 1 if many rounds
 * at once came to nothing there; how it begins.
 */
const entry = { count: 0, period: 4, latest: 8, short: 12, state: 16 };

/** As many more as fill a vector. */
const filled = (words: number, local: number): readonly number[] => new Array<number>(whole(words) - words).fill(local);

const whole = (words: number): number => Math.ceil(words / 4) * 4;

export class Replay {
  /** Locals: 1 where a run begins; the rounds of a run that is repeated, else 0, those that are left, and 1 in the first of them. */
  readonly fresh: number;
  readonly rounds: number;
  readonly left: number;
  readonly first: number;
  readonly #code: Code;
  readonly #repeated: number;
  readonly #players: readonly Player[];
  readonly #channels: readonly LeapChannel[];
  /** Locals: the clock at which the run began, the run that is repeated or kept, the next round of one and of the other (0: none). */
  readonly #start: number;
  readonly #entry: number;
  readonly #row: number;
  readonly #kept: number;
  /** Vectors: how the run begins. */
  readonly #key: readonly number[];
  /** Where it stands which run was the last that was repeated or kept. */
  readonly #last: number;
  readonly #entries: number;
  /** Words of the clocks of channels, and of all that tells how a run begins. */
  readonly #clocks: number;
  readonly #words: number;
  readonly #rows: number;
  readonly #stride: number;
  readonly #bytes: number;

  /** The first of the players is the first process of the rounds; rounds that are repeated are counted at the address `repeated`. */
  constructor(code: Code, heap: Heap, players: readonly Player[], channels: readonly LeapChannel[], repeated: number) {
    this.#code = code;
    this.#repeated = repeated;
    this.#players = players;
    this.#channels = channels;
    [this.fresh, this.rounds, this.left, this.first] = code.locals("i32", 4);
    [this.#start, this.#entry, this.#row, this.#kept] = code.locals("i32", 4);
    this.#clocks = whole(channels.reduce((sum, { state }) => sum + state.clocks.length, 0));
    this.#words = this.#clocks + whole(players.length - 1);
    this.#rows = entry.state + this.#words * 4;
    // Of each channel in a round: three sums; two waits and how long the token had been there.
    const decided = players.reduce((sum, player) => sum + player.decided.length, 0);
    this.#stride = (this.#clocks + whole(3 * channels.length) + whole(3 * channels.length + decided)) * 4;
    this.#bytes = this.#rows + (MOST + 1) * this.#stride;
    this.#key = Array.from({ length: this.#words / 4 }, () => code.local("v128"));
    this.#last = heap.take(4, 4);
    this.#entries = heap.take(ENTRIES * this.#bytes, 16);
  }

  /** A run begins. */
  emitBegin(): void {
    this.#code.i32(1).set(this.fresh).i32(0).set(this.rounds).i32(0).set(this.left);
    this.#code.i32(0).set(this.first).i32(0).set(this.#kept);
  }

  /**
   * In front of the first round of a run: repeat an earlier one, or keep this. Nonzero on the stack if one is repeated; all of its rounds
   * begin before the clock in `limit`.
   */
  emitTry(limit: number): void {
    const code = this.#code;
    const [{ time }] = this.#players as readonly [Player];
    code.i32(0).set(this.fresh).i32(0).set(this.#kept);
    code.get(time).tee(this.#start).get(limit).op("i32.lt_s").if();
    this.#emitKey();
    const [differs, count] = [code.temp("i32"), code.temp("i32")];
    code.i32(this.#entries).loadAt(this.#last).op("i32.add").set(this.#entry);
    this.#emitDiffers();
    code.if();
    this.#emitHash();
    code.storeAt(this.#last, () => code.get(this.#entry).i32(this.#entries).op("i32.sub"));
    code.end();
    code.get(this.#entry).mem("i32.load", entry.count).set(count);
    this.#emitDiffers();
    if (rules.round.replayBlind !== 0) code.op("drop").i32(0);
    code.get(count).op("i32.eqz").op("i32.or").tee(differs).if();
    this.#emitKeep();
    code.else();
    code.get(this.#entry).mem("i32.load", entry.latest).get(this.#start).op("i32.add");
    code.get(limit).op("i32.lt_s").if();
    code.get(count).tee(this.rounds).set(this.left).i32(1).set(this.first);
    code.get(this.#entry).i32(this.#rows).op("i32.add").set(this.#row);
    for (const { held } of this.#players) code.i32(0).set(held);
    code.end().end().end();
    code.free("i32", differs, count);
    code.get(this.rounds);
  }

  /** How the run begins. */
  #emitKey(): void {
    const code = this.#code;
    const start = this.#start;
    const clocks = this.#channels.flatMap(({ state }) => state.clocks);
    const times = this.#players.slice(1).map(({ time, head }) => {
      if (head) {
        code.get(start).get(time).op("i32.gt_s").if();
        const { stall } = head.sides.pop;
        code.get(start).get(time).op("i32.sub").get(stall).op("i32.add").set(stall).get(start).set(time).end();
      }
      return time;
    });
    const words = [...clocks, ...filled(clocks.length, start), ...times, ...filled(times.length, start)];
    this.#key.forEach((vector, i) => {
      const [first, ...others] = words.slice(4 * i, 4 * i + 4) as [number, ...number[]];
      code.get(first).op("i32x4.splat");
      others.forEach((word, lane) => code.get(word).replaceI32(lane + 1));
      code.get(start).op("i32x4.splat").op("i32x4.sub");
      if (4 * i < this.#clocks) code.i32(-1).op("i32x4.splat").op("i32x4.max_s");
      code.set(vector);
    });
  }

  /** Nonzero on the stack if it is not as that began which is kept at the address in `#entry`. */
  #emitDiffers(): void {
    const code = this.#code;
    this.#key.forEach((vector, i) => {
      code.get(vector).get(this.#entry);
      code.mem("v128.load", entry.state + 16 * i).op("v128.xor");
      if (i > 0) code.op("v128.or");
    });
    code.op("v128.any_true");
  }

  /** Where a run that began so would be kept. */
  #emitHash(): void {
    const code = this.#code;
    const [hash, folded] = [code.temp("v128"), code.temp("i32")];
    code.v128(new Array<number>(16).fill(0)).set(hash);
    for (const vector of this.#key) {
      code.get(hash).i32(5).op("i32x4.shl").get(hash).op("i32x4.sub");
      code.get(vector).op("i32x4.add").set(hash);
    }
    code.i32(0);
    for (let lane = 0; lane < 4; lane++)
      code
        .get(hash)
        .extractI32(lane)
        .op("i32.add")
        .i32(8 * lane + 5)
        .op("i32.mul");
    code.tee(folded).i32(16).op("i32.shr_u").get(folded).op("i32.xor").tee(folded);
    code.i32(8).op("i32.shr_u").get(folded).op("i32.xor");
    code
      .i32(ENTRIES - 1)
      .op("i32.and")
      .i32(this.#bytes)
      .op("i32.mul")
      .i32(this.#entries)
      .op("i32.add")
      .set(this.#entry);
    code.free("v128", hash);
    code.free("i32", folded);
  }

  /** Keep the run that begins now. */
  #emitKeep(): void {
    const code = this.#code;
    const to = this.#entry;
    for (const field of [entry.count, entry.period, entry.latest, entry.short])
      code.get(to).i32(0).mem("i32.store", field);
    this.#key.forEach((vector, i) => {
      code
        .get(to)
        .get(vector)
        .mem("v128.store", entry.state + 16 * i);
      if (4 * i < this.#clocks)
        code
          .get(to)
          .get(vector)
          .mem("v128.store", this.#rows + 16 * i);
    });
    for (let at = 0; at < whole(3 * this.#channels.length); at += 4)
      code
        .get(to)
        .v128(new Array<number>(16).fill(0))
        .mem("v128.store", this.#rows + (this.#clocks + at) * 4);
    code.get(to).i32(this.#rows).op("i32.add").set(this.#kept);
  }

  /** Behind a round that was none of a leap's. */
  emitRecord(): void {
    const code = this.#code;
    const { period } = entry;
    code.get(this.#kept).if();
    for (const [i, { held }] of this.#players.entries()) {
      code.get(held);
      if (i > 0) code.op("i32.or");
    }
    code.get(this.#entry).mem("i32.load", entry.count).i32(MOST).op("i32.ge_s").op("i32.or").if();
    code.i32(0).set(this.#kept);
    code.else();
    const at = this.#kept;
    for (const [offset, local] of this.#locals) code.get(at).get(local).mem("i32.store", offset);
    for (const { state, offset, sums } of this.#laid) {
      const next = this.#stride;
      state.clocks.forEach((clock, i) => {
        code
          .get(at)
          .get(clock)
          .get(this.#start)
          .op("i32.sub")
          .mem("i32.store", next + offset + 4 * i);
      });
      const add = (sum: number, locals: readonly number[]): void => {
        code.get(at).get(at).mem("i32.load", sum);
        for (const local of locals) code.get(local).op("i32.add");
        code.mem("i32.store", next + sum);
      };
      const { push, pop } = state.sides;
      add(sums, waits(push.operations));
      add(sums + 4, waits(pop.operations));
      add(
        sums + 8,
        pop.operations.map(({ stayed }) => stayed),
      );
    }
    code.get(this.#entry).i32(0).mem("i32.store", period);
    code.get(this.#entry).get(this.#entry).mem("i32.load", entry.count).i32(1).op("i32.add");
    code.mem("i32.store", entry.count);
    const latest = code.temp("i32");
    code.get(this.#start).set(latest);
    for (const { time } of this.#players)
      code.get(time).get(latest).get(time).get(latest).op("i32.gt_s").op("select").set(latest);
    code.get(this.#entry).get(latest).get(this.#start).op("i32.sub").mem("i32.store", entry.latest);
    code.free("i32", latest);
    code.get(at).i32(this.#stride).op("i32.add").set(at);
    code.end().end();
  }

  /** A leap begins behind a round that moved all clocks by `period` (a local): what is kept ends here. */
  emitSteady(period: number): void {
    const code = this.#code;
    code.get(this.#kept).if();
    code.get(this.#entry).get(period).mem("i32.store", entry.period);
    code.i32(0).set(this.#kept).end();
  }

  /** Where a run is repeated: `period` and `latest` (locals) become what they will be behind its rounds. */
  emitAhead(period: number, latest: number): void {
    const code = this.#code;
    code.get(this.rounds).if();
    code.get(this.#entry).mem("i32.load", entry.period).set(period);
    code.get(this.#entry).mem("i32.load", entry.latest).get(this.#start).op("i32.add").set(latest);
    code.end();
  }

  /** In front of a round of a leap: how long its operations wait, and what decides its clocks. */
  emitRound(): void {
    const code = this.#code;
    code.get(this.left).if();
    for (const [offset, local] of this.#locals) code.get(this.#row).mem("i32.load", offset).set(local);
    if (rules.round.replayWait !== 0) {
      const [first] = this.#channels[0]!.state.sides.push.operations;
      code.get(first!.wait).i32(rules.round.replayWait).op("i32.add").set(first!.wait);
    }
    code.end();
  }

  /** Behind a round of a leap. Nonzero on the stack if another one of those that are repeated follows. */
  emitNext(): void {
    const code = this.#code;
    code.get(this.left).if("i32");
    code.i32(0).set(this.first);
    code.get(this.#row).i32(this.#stride).op("i32.add").set(this.#row);
    code.get(this.left).i32(1).op("i32.sub").tee(this.left);
    code.else().i32(0).end();
  }

  /** Behind those that are repeated, `done` (a local) with them: nonzero on the stack if many rounds at once came to nothing there before. */
  emitRangeFails(done: number): void {
    const code = this.#code;
    code.get(done).get(this.rounds).op("i32.eq").if("i32");
    code.get(this.rounds).if("i32");
    code.get(this.#entry).mem("i32.load", entry.short).else().i32(0).end();
    code.else().i32(0).end();
  }
  /** There `ranged` rounds were done at once; both are locals. */
  emitRanged(ranged: number, done: number): void {
    const code = this.#code;
    code.get(done).get(this.rounds).op("i32.eq").get(ranged).op("i32.eqz").op("i32.and");
    code.get(this.rounds).i32(0).op("i32.ne").op("i32.and").if();
    code.get(this.#entry).i32(1).mem("i32.store", entry.short).end();
  }

  /** A leap ends behind `done` rounds, those that were repeated and others that moved all clocks by `period` (both are locals). */
  emitSettleAll(done: number, period: number): void {
    const code = this.#code;
    const [at, others, base] = [code.temp("i32"), code.temp("i32"), code.temp("i32")];
    code.get(done).get(this.rounds).op("i32.sub").tee(others).get(period).op("i32.mul");
    code.get(this.#start).op("i32.add").set(base);
    code.get(this.rounds).i32(this.#stride).op("i32.mul").get(this.#entry).op("i32.add").set(at);
    for (const { state, offset, sums } of this.#laid) {
      const load = (from: number): Code => code.get(at).mem("i32.load", this.#rows + from);
      const { push, pop } = state.sides;
      state.clocks.forEach((clock, i) => {
        load(offset + 4 * i)
          .get(base)
          .op("i32.add")
          .set(clock);
      });
      [push, pop].forEach(({ stall, count, operations }, i) => {
        load(sums + 4 * i)
          .get(stall)
          .op("i32.add");
        for (const { wait } of operations) code.get(wait).get(others).op("i32.mul").op("i32.add");
        code.set(stall);
        code.get(done).i32(operations.length).op("i32.mul").get(count).op("i32.add").set(count);
      });
      load(sums + 8).op("i64.extend_i32_s");
      for (const { stayed } of pop.operations) {
        code.get(stayed).op("i64.extend_i32_s").get(others).op("i64.extend_i32_s");
        code.op("i64.mul").op("i64.add");
      }
      code.get(pop.stay).op("i64.add").set(pop.stay);
    }
    code.free("i32", at, others, base);
  }

  /**
   * A leap ends, behind so many passes of a channel's two sides (locals): what it counts, and its clocks, become what they were behind those of
   * the rounds that were repeated; the locals become how many came then.
   */
  emitSettle(channel: LeapChannel, pushed: number, popped: number): void {
    const code = this.#code;
    const { state, offset, sums } = this.#laid.find(({ state }) => state === channel.state)!;
    const [at, passes] = [code.temp("i32"), code.temp("i32")];
    const { push, pop } = state.sides;
    const start = offset + 4 * pop.times.length;
    for (const [side, count, first, sum] of [
      [push, pushed, start, sums],
      [pop, popped, offset, sums + 4],
    ] as const) {
      code
        .get(count)
        .get(this.rounds)
        .get(count)
        .get(this.rounds)
        .op("i32.lt_s")
        .op("select")
        .tee(passes)
        .i32(this.#stride)
        .op("i32.mul");
      code.get(this.#entry).op("i32.add").set(at);
      side.times.forEach((time, i) => {
        code
          .get(at)
          .mem("i32.load", this.#rows + first + 4 * i)
          .get(this.#start)
          .op("i32.add")
          .set(time);
      });
      code
        .get(at)
        .mem("i32.load", this.#rows + sum)
        .get(side.stall)
        .op("i32.add")
        .set(side.stall);
      code.get(passes).i32(side.operations.length).op("i32.mul").get(side.count).op("i32.add").set(side.count);
      code.get(count).get(passes).op("i32.sub").set(count);
    }
    code
      .get(at)
      .mem("i32.load", this.#rows + sums + 8)
      .op("i64.extend_i32_s");
    code.get(pop.stay).op("i64.add").set(pop.stay);
    code.free("i32", at, passes);
  }

  /**
   * Behind a leap with `done` rounds, and one begun if `turn` is not zero (locals); `steady` (a local) stays 1 if rounds that move all clocks
   * by `period` (a local) can follow. Where rounds alone follow, they are kept, too, unless the loop is `over` (a local). A run that came
   * to nothing is forgotten. Afterwards nothing is repeated.
   */
  emitEnd(done: number, turn: number, period: number, steady: number, over: number | undefined): void {
    const code = this.#code;
    code.get(done).get(turn).op("i32.or").op("i32.eqz").if();
    code.get(this.#entry).i32(0).mem("i32.store", entry.count).end();
    code.storeAt(this.#repeated, () =>
      code.loadAt(this.#repeated).get(this.rounds).op("i32.add").get(this.left).op("i32.sub"),
    );
    const behind = code.temp("i32");
    code.get(this.left).get(turn).op("i32.or").op("i32.eqz").set(behind);
    code.get(behind).get(period).i32(0).op("i32.ne").op("i32.and").get(steady).op("i32.and").set(steady);
    code.get(behind).get(period).op("i32.eqz").op("i32.and");
    if (over !== undefined) code.get(over).op("i32.eqz").op("i32.and");
    code.if();
    code.get(this.#row).set(this.#kept).end();
    code.i32(0).set(this.rounds).i32(0).set(this.left).i32(0).set(this.first);
    code.free("i32", behind);
  }

  get #laid(): readonly { readonly state: RoundChannel; readonly offset: number; readonly sums: number }[] {
    let offset = 0;
    return this.#channels.map(({ state }, i) => {
      const at = offset;
      offset += 4 * state.clocks.length;
      return { state, offset: at, sums: (this.#clocks + 3 * i) * 4 };
    });
  }

  /** What a round needs beside clocks: offsets and locals. */
  get #locals(): readonly (readonly [offset: number, local: number])[] {
    const start = (this.#clocks + whole(3 * this.#channels.length)) * 4;
    const locals = this.#channels.flatMap(({ state: { sides } }) => [
      ...waits(sides.push.operations),
      ...waits(sides.pop.operations),
      ...sides.pop.operations.map(({ stayed }) => stayed),
    ]);
    return [...locals, ...this.#players.flatMap(({ decided }) => decided)].map((local, i) => [start + 4 * i, local]);
  }
}

const waits = (operations: readonly Operation[]): readonly number[] => operations.map(({ wait }) => wait);
