/**
 * A process that follows another (followers.ts), as part of that one's function: a pass of its loop from the pop of a token to
 * the next such pop. Its variables stand in locals between passes. Where it has to wait for anything else than a token, or its
 * loop ends, it leaves as its own function would, and goes on there.
 */
import type { Expr, Local, Loop, StateField, Stmt } from "../../hw/ir/ir.js";
import { expressionsIn, expressionsWithin, statementsIn } from "../../hw/ir/walk.js";
import { emitPushSlot } from "./channel-code.js";
import { tokenOf } from "./chain-token.js";
import type { FollowerLoop } from "./followers.js";
import { takesClock, type Once } from "./in-step.js";
import { emitOnward, type Left, type Onward, type Stage } from "./in-step-code.js";
import { countingLoop, numberOf } from "./pass-facts.js";
import { matters } from "./pass-facts.js";
import { exitOf } from "./pass-reader.js";
import { emitRead, emitWordAt } from "./memory-code.js";
import type { Passing } from "./passing.js";
import { emitCopy, emitLoad, placeAt, type Place } from "./place.js";
import { frame } from "./frame.js";
import type { ChannelPlan } from "./plan.js";
import { StatementCompiler } from "./process.js";
import type { ProcessCompiler } from "./process-compiler.js";
import { rules } from "./rules.js";
import type { Spilled } from "./scope.js";
import { store } from "./store.js";
import { usualPass, type UsualPass } from "./usual-pass.js";
import type { ChainContext, Takers } from "./takers.js";
import type { Label } from "./wasm.js";
import { isWord, wordRead, type WordRead } from "./word-read.js";

/** Loops that wait and have so many passes are written out. */
const WRITTEN_OUT = 4;

export class Follower extends StatementCompiler implements Stage {
  readonly channel: ChannelPlan;
  readonly passing: Passing;
  override readonly news: number;
  override readonly horizon: number;
  readonly paces: boolean;
  readonly #context: ChainContext;
  readonly #follower: FollowerLoop;
  readonly #own: ProcessCompiler;
  readonly takers: Takers;
  /**
   * Scalars that live across suspensions, and their places in the frame: those that a pass uses stand in locals from its begin to its end;
   * of those some are given other values in it; others are of one pass only.
   */
  readonly #used: Spilled[] = [];
  readonly #changed: Spilled[] = [];
  readonly #within: Spilled[] = [];
  readonly #usual: UsualPass | undefined;
  #away!: Label;
  /** In step with others (in-step.ts): who takes what is pushed, and what the stage before has left to be made here. */
  #onward: Onward | undefined;
  #left: Left | undefined;

  constructor(context: ChainContext, follower: FollowerLoop, channel: ChannelPlan, next: Takers) {
    const { plan, globals, grids, code } = context;
    super(plan, globals, follower.actor, grids, plan.ir.processes[follower.actor]!, code);
    this.channel = channel;
    this.passing = context.passings.of(channel);
    this.news = context.compiled(follower.actor).news;
    this.horizon = context.horizon;
    this.#context = context;
    this.#follower = follower;
    this.paces = takesClock(follower.rest);
    this.#own = context.compiled(follower.actor);
    this.takers = next;
    const process = plan.ir.processes[follower.actor]!;
    const summed = [...statementsIn(follower.rest)].map(changedBy).some((of) => of && plan.sums.placeOf(of));
    this.#usual = summed ? undefined : usualPass(follower, process, plan.ir.processes);
    this.#adopt();
  }

  #adopt(): void {
    const { rest, head, ahead, loop, exit } = this.#follower;
    const within = new Set<Local>();
    for (const stmt of statementsIn([...rest, head])) {
      if (stmt.kind === "let") within.add(stmt.local);
      if (stmt.kind === "pop" && stmt.into) within.add(stmt.into);
    }
    const pass = [...rest, ...ahead, ...loop.update, ...(exit ? [exit] : [])];
    const used = new Set([...expressionsWithin(pass), ...expressionsIn(loop.condition)].map(variableOf));
    const changed = new Set([...statementsIn(pass)].map(changedBy));
    for (const of of this.#own.variables()) {
      const home = this.#own.homeOf(of);
      if (!home) continue;
      if ("place" in home) {
        this.bindings.set(of, home);
        continue;
      }
      const local = this.code.local(home.type);
      this.bindings.set(of, { local, type: home.type });
      const spilled = { ...home, local };
      if (within.has(of as Local)) this.#within.push(spilled);
      else if (used.has(of) || changed.has(of)) this.#used.push(spilled);
      if (changed.has(of) && !within.has(of as Local)) this.#changed.push(spilled);
    }
  }

  get #body(): readonly Stmt[] {
    return this.plan.ir.processes[this.actor]!.body;
  }
  get #frame(): number {
    return this.plan.frames[this.actor]!;
  }

  emitStands(): void {
    const { code } = this;
    code
      .loadAt(this.#frame + frame.resume)
      .i32(this.#own.pointOf(this.#follower.head))
      .op("i32.eq");
  }

  /** Its variables are in memory between two passes. */
  load(): void {
    return;
  }
  emitApart(): void {
    this.passing.emitApart(this.code);
  }

  /** Where its clock stands between two passes. */
  get #clock(): number {
    return this.passing.time ?? this.#frame + frame.time;
  }
  emitTime(): void {
    this.code.loadAt(this.#clock).set(this.time);
  }

  emitOnce({ bound, first, next }: Once): void {
    const { code } = this;
    if (rules.chain.stepOnce !== 0) {
      code.i32(1);
      return;
    }
    const asked = new Set([...expressionsIn(bound)].map(variableOf));
    const locals = [...asked].map((of) => of && this.bindings.get(of));
    this.#load(this.#used.filter(({ local }) => locals.some((at) => at && "local" in at && at.local === local)));
    this.exprs.emit32(bound);
    code.i32(first).op("i32.gt_s");
    this.exprs.emit32(bound);
    code.i32(next).op("i32.le_s").op("i32.and");
  }

  get head(): FollowerLoop["head"] {
    return this.#follower.head;
  }
  get rest(): readonly Stmt[] {
    return this.#follower.rest;
  }

  emitStep(token: Place, left: Left | undefined, onward: Onward): void {
    [this.#onward, this.#left] = [onward, left];
    this.emitPass(token);
    [this.#onward, this.#left] = [undefined, undefined];
  }

  #save(scalars: readonly Spilled[]): void {
    const { code } = this;
    code.storeAt(this.#clock, () => this.code.get(this.time));
    for (const { local, type, address } of scalars)
      code.storeAt(address, () => code.get(local), type === "i64" ? "i64.store" : "i32.store");
  }

  #load(scalars: readonly Spilled[]): void {
    for (const { local, type, address } of scalars)
      this.code.loadAt(address, type === "i64" ? "i64.load" : "i32.load").set(local);
  }

  override suspend(id: number): void {
    this.code.i32(id).set(this.resume).br(this.#away);
  }

  emitPass(token: Place): void {
    const { code } = this;
    const { head, rest, ahead, exit, loop } = this.#follower;
    const stays = code.block();
    this.#away = code.block();
    const away = this.#away;
    this.#load(this.#used);
    const home = head.into && this.#take(head.into, token);
    this.#emitRest(rest);
    this.#walk(loop.update);
    this.#emitOver(loop, exit);
    this.emitBody(ahead);
    this.#save(this.#changed);
    code.br(stays);
    code.end();
    this.#away = away;
    if (home) emitCopy(code, home, token);
    code.storeAt(this.channel.popWaits, () => code.i32(0));
    code.storeAt(this.#frame + frame.resume, () => code.get(this.resume));
    this.#save([...this.#changed, ...this.#within]);
    this.passing.end(code);
    this.#goBehind();
    code.end();
  }

  /** Twice, if there are usual numbers (usual-pass.ts). */
  #emitRest(rest: readonly Stmt[]): void {
    const { code } = this;
    if (!this.#usual) {
      this.#walk(rest);
      return;
    }
    this.#usual.guards.forEach(({ expr, value }, i) => {
      this.exprs.emit32(expr);
      code.i32(value).op("i32.eq");
      if (i > 0) code.op("i32.and");
    });
    if (rules.chain.usual !== 0) code.op("drop").i32(1);
    code.if();
    this.#walk(this.#usual.stmts);
    code.else();
    this.#walk(rest);
    code.end();
  }

  /** If its loop is over, it goes on at once: it may be back for the next token. */
  #goBehind(): void {
    const { code } = this;
    const { loop, exit } = this.#follower;
    if (isEndless(loop, exit)) return;
    code.get(this.resume).i32(this.#own.behind(loop)).op("i32.eq").if();
    this.takers.emitLeave();
    code.i32(this.actor).callIndirect(this.#context.actorType);
    code.end();
  }

  /** A token is read where it stands; returns where it has to be put when the pass is left. */
  #take(into: Local, token: Place): Place | undefined {
    const [leaf] = token;
    if (leaf!.path.length > 0) {
      const home = this.#own.homeOf(into);
      this.bindings.set(into, { place: token });
      return home && "place" in home ? home.place : undefined;
    }
    const binding = this.bind(into, false);
    if ("place" in binding) throw new Error("a scalar in memory");
    emitLoad(this.code, leaf!);
    this.code.set(binding.local);
    return undefined;
  }

  /** Behind a pass: if the loop is over, the process goes on behind it. */
  #emitOver(loop: Loop, exit: FollowerLoop["exit"]): void {
    const { code } = this;
    if (isEndless(loop, exit)) return;
    if (exit) this.exprs.emit32(exit.condition);
    else {
      this.exprs.emit32(loop.condition);
      code.op("i32.eqz");
    }
    code.if();
    this.#standAtEdge();
    this.suspend(this.#own.behind(loop));
    code.end();
  }

  #standAtEdge(): void {
    this.code.storeAt(this.#frame + frame.standsAt, () => this.code.i32(0));
  }

  #walk(stmts: readonly Stmt[]): void {
    for (let i = 0; i < stmts.length; i++) {
      const stmt = stmts[i]!;
      const word = wordRead(this.plan, this.actor, this.#context.within(this.actor), stmts.slice(i));
      if (word) {
        this.#takeWord(word);
        i += 2;
      } else if (matters(stmt)) this.#waiting(stmt, stmts[i - 1]);
      else if (stmt.kind === "let" && stmt.value.kind === "q" && isWord(stmt.local, stmts.slice(i + 1), this.#body))
        this.bindings.set(stmt.local, { place: this.q(stmt.value) });
      else this.emitBody([stmt]);
    }
  }

  /** Only if the pass is left in the clock of the read, the word has to stand where `q` is. */
  #takeWord({ plan, address, edge, local }: WordRead): void {
    const { code } = this;
    const at = this.value(address);
    emitRead(this, plan, at, true);
    const word = emitWordAt(this, plan, at, code.local("i32"));
    code.get(this.time).i32(1).op("i32.add").set(this.time);
    this.#leaveAtHorizon(edge, () => {
      if (rules.chain.chainWord === 0) emitCopy(code, placeAt(plan.memory.layout, plan.words), word);
    });
    this.bindings.set(local, { place: word });
  }

  /** Of those in step it is known beforehand that none gets there. */
  #leaveAtHorizon(stmt: Stmt, leaving?: () => void): void {
    if (!this.#onward) this.leaveAtHorizon(this.#own.pointOf(stmt), leaving);
  }

  #waiting(stmt: Stmt, before: Stmt | undefined): void {
    const { code } = this;
    switch (stmt.kind) {
      case "edge":
        code.get(this.time).i32(1).op("i32.add").set(this.time);
        this.#leaveAtHorizon(stmt);
        return;
      case "clocks": {
        const n = this.value(stmt.count);
        code.get(this.time).get(n).i32(0).get(n).i32(0).op("i32.gt_s").op("select").op("i32.add").set(this.time);
        this.#leaveAtHorizon(stmt);
        return;
      }
      case "push":
        this.#push(stmt);
        return;
      case "if":
        this.exprs.emit32(stmt.condition);
        code.if();
        this.#walk(stmt.then);
        if (stmt.else.length > 0) {
          code.else();
          this.#walk(stmt.else);
        }
        code.end();
        return;
      case "loop":
        if (!this.#goOnce(stmt, before) && !this.#writeOut(stmt, before)) this.#loop(stmt);
        return;
      default:
        throw new Error(`${stmt.kind} in a follower`);
    }
  }

  /** A loop of those in step, which goes round once. */
  #goOnce(loop: Loop, before: Stmt | undefined): boolean {
    if (!this.#onward) return false;
    const { counter, first, step } = countingLoop(loop, before)!;
    const binding = this.binding(counter);
    if ("place" in binding) throw new Error("a counter in memory");
    this.exprs.withLane(counter, { lane: first }, () => this.#walk(loop.body));
    this.code.i32(first + step).set(binding.local);
    return true;
  }

  /** A loop over a few parts, as of a channel each: what is done for each of them stands alone. */
  #writeOut(loop: Loop, before: Stmt | undefined): boolean {
    const counted = countingLoop(loop, before);
    const bound = counted && numberOf(counted.bound);
    if (before?.kind !== "let" || counted?.first !== 0 || counted.step !== 1 || bound === undefined) return false;
    if (bound > WRITTEN_OUT) return false;
    const counter = this.binding(before.local);
    if ("place" in counter) return false;
    for (let lane = 0; lane < bound; lane++) {
      this.code.i32(lane).set(counter.local);
      this.exprs.withLane(before.local, { lane }, () => this.#walk(loop.body));
    }
    this.code.i32(bound).set(counter.local);
    return true;
  }

  #loop(loop: Loop): void {
    const { code } = this;
    const exit = exitOf(loop);
    const out = code.block();
    if (!loop.atLeastOnce) {
      this.exprs.emit32(loop.condition);
      code.op("i32.eqz").brIf(out);
    }
    const again = code.loop();
    this.#walk(exit ? loop.body.slice(0, -1) : loop.body);
    this.#walk(loop.update);
    if (exit) {
      this.exprs.emit32(exit.condition);
      code.op("i32.eqz");
    } else this.exprs.emit32(loop.condition);
    code.brIf(again);
    code.end().end();
  }

  #push(stmt: Extract<Stmt, { kind: "push" }>): void {
    const { code } = this;
    const original = (this.#usual?.originals.get(stmt) ?? stmt) as typeof stmt;
    this.plan.sums.emitBefore(code, original);
    if (this.#onward) {
      const channel = this.channelPlan(stmt.channel.parts[0]);
      emitOnward(this, channel, stmt.value, this.#left, this.#onward);
      return;
    }
    const held = this.#own.heldBy(original);
    const index = held && this.value(stmt.channel.index!);
    if (held && index !== undefined) code.storeAt(held.address, () => code.get(index));
    this.choose(
      stmt.channel,
      (part) => {
        const channel = this.channelPlan(part);
        const id = this.#own.pointOf(original);
        if (this.takers.takes(channel)) {
          this.takers.emitPush(this, channel, tokenOf(this.exprs, this.plan, channel, stmt.value), false, id);
          return;
        }
        this.#context.passings.emitAlone(code, channel);
        store(this.exprs, placeAt(channel.layout, 0, emitPushSlot(code, channel)), stmt.value);
        this.pushInto(channel, id);
      },
      index,
    );
  }
}

const isEndless = ({ condition }: Loop, exit: FollowerLoop["exit"]): boolean =>
  !exit && condition.kind === "const" && Boolean(condition.value);

const variableOf = (expr: Expr): Local | StateField | undefined =>
  expr.kind === "local" ? expr.local : expr.kind === "field" ? expr.field : undefined;

/** The variable that gets another value. */
function changedBy(stmt: Stmt): Local | StateField | undefined {
  if (stmt.kind === "let") return stmt.local;
  if (stmt.kind !== "assign") return undefined;
  let at: Expr = stmt.target;
  while (at.kind === "index" || at.kind === "member") at = at.base;
  return variableOf(at);
}
