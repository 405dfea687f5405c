/** One process's part in rounds (rounds-code.ts): its guards and its pass, on the variables that its own function keeps. */
import type { Channel } from "../../hw/channel.js";
import type { Local, ProcessIr, StateField, Stmt } from "../../hw/ir/ir.js";
import { emitAtOnce, emitPop, emitPossible, type Globals } from "./channel-code.js";
import { matchBurst, type FeedLoop } from "./feed-burst.js";
import { movingLoop } from "./bank-code.js";
import type { BankView } from "./bank-view.js";
import { bankViews } from "./bank-views.js";
import type { GridCode } from "./grid-code.js";
import { emitFeedBurst, feedsFromFixed, feedsFromMemory, type WordFeed } from "./grid-feed.js";
import { Moves, type Elsewhere } from "./moves.js";
import { emitCopy, emitLoad, type Place } from "./place.js";
import { frame } from "./frame.js";
import { pushesBefore, pushOut } from "./outside-steps.js";
import type { Plan } from "./plan.js";
import { ROW_BYTES } from "./product-kernel.js";
import { StatementCompiler } from "./process.js";
import type { ProcessCompiler } from "./process-compiler.js";
import type { RoundChannel } from "./round-channel.js";
import type { RoundSource } from "./round-source.js";
import { rules } from "./rules.js";
import { variablesOf } from "./rounds-code.js";
import type { Guard, Pass, PassStep } from "./rounds.js";
import type { Spilled } from "./scope.js";
import { store } from "./store.js";
import { expressionsWithin, someExpr } from "../../hw/ir/walk.js";
import type { Code } from "./wasm.js";

/** The statement names the variable. */
const someStatement = (stmt: Stmt, local: Local): boolean =>
  [...expressionsWithin([stmt])].some((expr) => someExpr(expr, (e) => e.kind === "local" && e.local === local));

/** A token that stands among the words of banks: a local with its byte there, and where it is put if that does not do. */
export interface SeenToken {
  readonly into: Local;
  readonly view: BankView;
  readonly at: number;
  readonly own: number;
}

/** The function of the process that pops from a channel to the outside, if it may run in the middle of a round. */
export type Calls = (channel: Channel) => number | undefined;

export class MemberCode extends StatementCompiler {
  readonly pass: Pass;
  /** It is the first of the round: what follows its loop's last pass is its own affair. */
  protected readonly first: boolean;
  readonly #calls: Calls;
  readonly #channels: ReadonlyMap<Channel, RoundChannel>;
  protected readonly source: RoundSource | undefined;
  /** Scalars that live across passes: where they are here, and in the frame. */
  readonly #kept: Spilled[] = [];
  /** What decides the clocks of a pass, as it was in the last round. */
  readonly decided: readonly number[];
  /** 1: in the last round it waited for the outside. */
  readonly held: number;
  readonly #own: ProcessCompiler;
  readonly views: readonly BankView[];
  protected readonly moves: Moves;
  /** In a leap: tokens that stand among the words of banks, in the order of their pops. */
  protected readonly seen: SeenToken[] = [];
  protected readonly left = new Set<Stmt>();
  /** Counters of loops that are written out, as they stand; whether what is emitted stands in a branch. */
  readonly #counters = new Map<Local, number>();
  #branches = 0;

  constructor(
    plan: Plan,
    globals: Globals,
    pass: Pass,
    grids: readonly GridCode[],
    process: ProcessIr,
    code: Code,
    own: ProcessCompiler,
    channels: ReadonlyMap<Channel, RoundChannel>,
    first: boolean,
    calls: Calls,
    source?: RoundSource,
  ) {
    super(plan, globals, pass.actor, grids, process, code);
    this.pass = pass;
    this.first = first;
    this.#calls = calls;
    this.#channels = channels;
    this.source = source;
    this.#own = own;
    this.decided = (pass.decisive ?? []).map(() => code.local("i32"));
    this.held = code.local("i32");
    this.views = bankViews(
      this,
      pass,
      plan.portGroups,
      ({ channel }) => channels.get(channel)!.channel.layout,
      (channel) => channels.get(channel)!.movesOnly,
    );
    this.moves = new Moves(pass, (stmt) => plan.sums.adds(stmt));
    const { used, declared } = variablesOf(pass);
    for (const of of used) if (!declared.has(of as Local)) this.#adopt(of, own);
  }

  #adopt(of: Local | StateField, own: ProcessCompiler): void {
    const home = own.homeOf(of);
    if (!home) return;
    if ("place" in home) {
      this.bindings.set(of, home);
      return;
    }
    const local = this.code.local(home.type);
    this.bindings.set(of, { local, type: home.type });
    this.#kept.push({ ...home, local });
  }

  /** A local that is 1 where its loop is over: then it does not stand at its head. */
  over: number | undefined;
  /** A local that is 1 in a leap's round that has no round before it (replay.ts). */
  noting: number | undefined;

  load(): void {
    const { code } = this;
    code.loadAt(this.plan.frames[this.actor]! + frame.time).set(this.time);
    for (const { local, type, address } of this.#kept)
      code.loadAt(address, type === "i64" ? "i64.load" : "i32.load").set(local);
  }
  save(): void {
    const { code } = this;
    if (this.over !== undefined) code.get(this.over).op("i32.eqz").if();
    this.#goAhead();
    if (this.over !== undefined) code.end();
    code.storeAt(this.plan.frames[this.actor]! + frame.time, () => code.get(this.time));
    for (const { local, type, address } of this.#kept)
      code.storeAt(address, () => code.get(local), type === "i64" ? "i64.store" : "i32.store");
  }

  /** The process stands at the head of its loop: what it has declared on its way there is of the next pass. */
  #goAhead(): void {
    for (const stmt of this.pass.ahead) {
      this.emitBody([stmt]);
      const home = stmt.kind === "let" ? this.#own.homeOf(stmt.local) : undefined;
      if (stmt.kind !== "let" || !home) continue;
      const here = this.bindings.get(stmt.local)!;
      if ("place" in home && "place" in here) emitCopy(this.code, home.place, here.place);
      else if ("address" in home && "local" in here) {
        const store = here.type === "i64" ? "i64.store" : "i32.store";
        this.code.storeAt(home.address, () => this.code.get(here.local), store);
      }
    }
  }

  /** Nobody waits in a round: guards have seen to it. */
  override suspend(): void {
    this.code.op("unreachable");
  }

  /** Passes can be repeated in a leap: what decides their clocks is known before them. */
  get leaps(): boolean {
    return this.pass.decisive !== undefined;
  }

  /**
   * Nonzero on the stack if the next pass will take as many clocks as the last; `waits`, a local: nonzero if it does not matter what that waited for.
   * `ends`, a local, becomes 1 where only clocks behind its last operation on a channel are others, if that is given.
   */
  emitAsBefore(waits?: number, ends?: number): void {
    const { code } = this;
    code.get(this.held).op("i32.eqz");
    if (waits !== undefined) code.get(waits).op("i32.or");
    this.pass.decisive?.forEach((expr, i) => {
      const mayEnd = ends !== undefined && i >= this.pass.ordering + rules.round.leapEnds;
      this.exprs.emit32(expr);
      code.get(this.decided[i]!);
      if (mayEnd) code.op("i32.ne").get(ends).op("i32.or").set(ends);
      else code.op("i32.eq").op("i32.and");
    });
  }

  /** Behind a pass of the first process: `over` becomes 1 if its loop ends, else another pass can follow. */
  emitOver(over: number): void {
    const { code } = this;
    const { again, around } = this.pass;
    this.#emitGuards([again]);
    code.op("i32.eqz").tee(over);
    if (!around) {
      code.op("drop");
      return;
    }
    code.if();
    this.#emitGuards(around.guards);
    code.op("i32.eqz").tee(over).op("i32.eqz").if();
    this.emitBody(around.stmts);
    code.end().end();
  }

  /** Nonzero on the stack if all hold. */
  #emitGuards(guards: readonly Guard[]): void {
    guards.forEach(({ condition, holds }, i) => {
      this.exprs.emit32(condition);
      if (!holds) this.code.op("i32.eqz");
      if (i > 0) this.code.op("i32.and");
    });
    if (guards.length === 0) this.code.i32(1);
  }

  /**
   * Nonzero on the stack if a pass will do what it does as a rule; what it does with the outside must be possible before the clock
   * in `limit`, and in a leap must not have to wait. The tokens that it pops stand in their slots.
   */
  emitReady(limit: number, leap: boolean): void {
    const { code } = this;
    const { steps, guards, outside } = this.pass;
    if (!this.source) this.emitBindTokens(leap);
    this.#emitGuards(guards);
    if (leap)
      for (const view of this.views) {
        if (this.noting !== undefined) {
          code.get(this.noting).if();
          view.emitNote(this.exprs);
          code.end();
        }
        view.emitReady(this.exprs);
        code.op("i32.and");
      }
    for (const { path, channel, side } of outside) {
      this.#emitGuards(path);
      const ring = this.plan.channels.get(channel)!;
      if (leap && side === "pop" && this.#goesOn) code.op("i32.eqz");
      else {
        code.if("i32");
        if (leap) emitAtOnce(code, ring, side, this.time);
        else emitPossible(code, ring, side, limit);
        code.else().i32(1).end();
      }
      code.op("i32.and");
    }
    for (const step of steps)
      if (step.kind === "feed" || step.kind === "wave") {
        const grid = this.grid(step.kind === "feed" ? step.loop.feed : step.feed);
        grid.emitRoom(code);
        code.op("i32.and");
        code.loadAt(grid.state.lastFeed).get(this.time).op("i32.lt_s").op("i32.and");
      }
  }

  /** The tokens that the next pass pops are where their producers have put them. */
  emitBindTokens(leap: boolean): void {
    for (const step of this.pass.steps)
      if (step.kind === "pop" && step.into) {
        const { token, view } = this.#channels.get(step.channel)!;
        this.#bindToken(leap && view ? view.place(view.at) : token, step.into);
      }
  }

  /** A pass; in a `full` round (a local) tokens tell all that is known. In a leap its operations wait as they did in the last round. */
  emitPass(full: number, leap: boolean): void {
    if (!leap) {
      this.code.i32(0).set(this.held);
      for (const view of this.views) view.emitNote(this.exprs);
      this.pass.decisive?.forEach((expr, i) => {
        this.exprs.emit32(expr);
        this.code.set(this.decided[i]!);
      });
    }
    this.#emitSteps(this.pass.steps, full, leap ? new Map() : undefined);
    const { again, around } = this.pass;
    if (this.first || !around) return;
    this.#emitGuards([again]);
    this.code.op("i32.eqz").if();
    this.emitBody(around.stmts);
    this.code.end();
  }

  /** `done`: in a leap, how many operations have been done on each channel. */
  #emitSteps(steps: readonly PassStep[], full: number, done: Map<Channel, number> | undefined): void {
    const { code } = this;
    for (const step of steps)
      switch (step.kind) {
        case "plain":
          if (!done || !this.#leave(step.stmt)) this.emitBody([step.stmt]);
          break;
        case "clocks":
          code.get(this.time);
          if (step.count === 1) code.i32(1);
          else {
            const n = this.value(step.count);
            code.get(n).i32(0).get(n).i32(0).op("i32.gt_s").op("select");
          }
          code.op("i32.add").set(this.time);
          break;
        case "count":
          this.exprs.setLane(step.counter, step.value);
          this.#counters.set(step.counter, step.value);
          break;
        case "push":
        case "pop":
          this.#channel(step, full, done);
          break;
        case "if":
          this.exprs.emit32(step.condition);
          code.if();
          this.#branches++;
          this.#emitSteps(step.then, full, done);
          code.else();
          this.#emitSteps(step.else, full, done);
          this.#branches--;
          code.end();
          break;
        case "repeat":
          if (done) {
            for (const seen of this.seen) this.#emitTake(seen);
            this.moves.emitAlso();
          }
          this.#repeat(step, full);
          break;
        case "outside":
          if (done && step.stmt.kind === "pop" && this.#goesOn) code.op("unreachable");
          else this.#outside(step, full, done !== undefined);
          break;
        case "wave":
          this.grid(step.feed).emitFeedNow(this, this.exprs, step.feed);
          break;
        case "feed":
          this.#feed(step.loop, done !== undefined);
      }
  }

  /** In a leap: a statement that need not be done before it ends. */
  #leave(stmt: Stmt): boolean {
    if (this.#branches > 0) return false;
    const view = this.views.find(({ read }) => read.stmt === stmt);
    view?.emitRead();
    const [counters, bindings] = [[...this.#counters], [...this.bindings]];
    const later = (): void => {
      for (const [counter, value] of counters) this.exprs.setLane(counter, value);
      for (const [variable, binding] of bindings) this.bindings.set(variable, binding);
      // Its counter has been set to zero in front of it, and since then it or another loop has counted.
      const loop = stmt.kind === "loop" ? movingLoop(stmt) : undefined;
      const counter = loop && this.bindings.get(loop.counter);
      if (counter && "local" in counter) this.code.i32(0).set(counter.local);
      this.emitBody([stmt]);
    };
    if (view !== undefined || this.moves.leave(this.exprs, stmt, later)) {
      this.left.add(stmt);
      return true;
    }
    for (const seen of this.seen) if (someStatement(stmt, seen.into)) this.#emitTake(seen);
    return false;
  }

  /** A token that stood among the words of banks, to where it is all that its type says. */
  #emitTake({ view, at, own }: SeenToken): void {
    if (view.whole) return;
    view.emitTake(own, at);
    this.code.i32(view.byteOf(own)).set(at);
  }

  /** A leap has ended after so many passes (a local), in the middle of a round if `turn` (a local) is not zero: everything to where it belongs. */
  emitSettle(passes: number, turn: number): void {
    const { code } = this;
    code.get(passes).if();
    for (const view of this.views) {
      view.emitSettle(passes);
      // Between rounds all tokens have been popped.
      code.get(turn).if();
      view.emitTake(this.#channels.get(view.push.channel)!.token[0]!.offset, view.at);
      code.end();
    }
    // In a round another pass follows; where tokens come from outside the loop may be over.
    if (this.source) this.moves.emitSettle();
    code.end();
  }

  #channel(
    step: Extract<PassStep, { kind: "push" | "pop" }>,
    full: number,
    done: Map<Channel, number> | undefined,
  ): void {
    const channel = this.#channels.get(step.channel)!;
    const i = done?.get(step.channel) ?? 0;
    done?.set(step.channel, i + 1);
    if (step.kind === "push") {
      channel.view = done && this.views.find(({ push }) => push === step);
      if (!channel.view) {
        this.plan.sums.emitRead(this.code, [step.value]);
        store(this.exprs, channel.token, step.value);
      }
      if (done) channel.emitLeap(this, "push", i);
      else channel.emitPush(this, full);
      return;
    }
    let { token } = channel;
    if (this.source) token = this.source.emitToken(full, i, done !== undefined);
    else if (done && channel.view) {
      // The producer may be a pass ahead when the leap ends.
      const { view } = channel;
      const [at, own] = [this.code.local("i32"), view.whole ? 0 : this.plan.heap.take(view.bytes)];
      this.code.get(view.at).set(at);
      token = view.place(at);
      if (step.into) this.seen.push({ into: step.into, view, at, own });
    }
    if (done) channel.emitLeap(this, "pop", i);
    else channel.emitPop(this, full);
    if (step.into) this.#bindToken(token, step.into);
  }

  #repeat({ loop, steps }: Extract<PassStep, { kind: "repeat" }>, full: number): void {
    const { code } = this;
    const out = code.block();
    const again = code.loop();
    this.exprs.emit32(loop.condition);
    code.op("i32.eqz").brIf(out);
    this.#emitSteps(steps, full, undefined);
    this.emitBody(loop.update);
    code.br(again).end().end();
  }

  /** What a token from outside tells has to go on with those of the round. */
  get #goesOn(): boolean {
    return this.pass.pushes.length > 0;
  }

  /** It can be done at once, by the rings. What a token from outside tells goes on with the tokens of this round and the next. */
  #outside({ stmt, channel }: Extract<PassStep, { kind: "outside" }>, full: number, leap: boolean): void {
    const { code } = this;
    const arrival = code.temp("i32");
    code.get(this.time).set(arrival);
    const plan = this.plan.channels.get(channel)!;
    this.plan.sums.emitBefore(this.code, stmt);
    if (stmt.kind === "push") {
      this.putToken(plan, stmt.value);
      pushOut(this, plan, this.#calls(plan.channel));
    } else {
      const binding = stmt.into && this.bind(stmt.into, false);
      emitPop(this, plan, 0, binding ? this.take(binding, plan.layout) : () => undefined);
      // What was pushed in this pass before it has to be made up for in the next.
      if (this.#goesOn)
        code
          .get(full)
          .i32(pushesBefore(this.pass, stmt) ? 3 : 1)
          .op("i32.or")
          .set(full);
    }
    if (!leap) code.get(this.time).get(arrival).op("i32.ne").get(this.held).op("i32.or").set(this.held);
    code.free("i32", arrival);
  }

  /** Statements of a pass that name its token, which stands at `place`. */
  emitPlain(into: Local, place: Place, stmts: readonly Stmt[]): void {
    this.#bindToken(place, into);
    this.emitBody(stmts);
  }

  /** What a pass of one token, which stands at `place`, does beside taking it. */
  emitTaken(place: Place): void {
    for (const step of this.pass.steps)
      if (step.kind === "pop" && step.into) this.#bindToken(place, step.into);
      else if (step.kind === "plain") this.emitBody([step.stmt]);
  }

  /** A token is read where it stands: nothing else goes there in this round. */
  #bindToken(token: Place, into: Local): void {
    const [leaf] = token;
    if (leaf!.path.length > 0) {
      this.bindings.set(into, { place: token });
      return;
    }
    const local = this.code.local("i32");
    emitLoad(this.code, leaf!);
    this.code.set(local);
    this.bindings.set(into, { local, type: "i32" });
  }

  /** Where a byte stands that was not moved. */
  protected elsewhere(byte: number): Elsewhere | undefined {
    const found = this.moves.find(byte);
    const seen = this.seen.find(({ at }) => at === found?.local);
    if (!found || !seen || seen.view.whole) return found;
    const bank = seen.view.bankAt(found.offset);
    return { ...found, mask: () => seen.view.emitMask(ROW_BYTES, bank * ROW_BYTES) };
  }

  /** In a leap: the products of a word where it stands, if that can be. */
  protected wordFeed(_: FeedLoop): WordFeed | undefined {
    return undefined;
  }

  #feed(feeds: FeedLoop, leap: boolean): void {
    const { code } = this;
    const grid = this.grid(feeds.feed);
    const burst = matchBurst(feeds, grid.product!.form)!;
    const counter = this.bindings.get(feeds.counter)!;
    if ("place" in counter || !feedsFromMemory(this, this.exprs, burst)) throw new Error("a feed of a round in memory");
    if (!feedsFromFixed(this, this.exprs, burst)) this.moves.emitNow();
    const did = code.local("i32");
    const out = code.block();
    const loop = code.loop();
    code.get(counter.local);
    this.exprs.emit32(feeds.bound);
    code.op("i32.ge_s").brIf(out);
    const elsewhere = leap ? (at: number): Elsewhere | undefined => this.elsewhere(at) : undefined;
    const word = leap ? this.wordFeed(feeds) : undefined;
    emitFeedBurst(this, this.exprs, grid, burst, counter.local, did, elsewhere, word);
    code.get(did).brIf(loop);
    // The guards have seen to it.
    code.op("unreachable");
    code.end();
    code.end();
  }
}
