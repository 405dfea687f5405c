/**
 * Reads the body of a loop into what a pass of it does (rounds.ts): its operations and clocks in order, what must hold for them, and
 * what follows the loop's last pass.
 */
import type { Channel } from "../../hw/channel.js";
import type { Expr, Local, Loop, Stmt } from "../../hw/ir/ir.js";
import { expressionsWithin, sameExpr, someExpr, statementsIn } from "../../hw/ir/walk.js";
import type { Memory } from "../../hw/memory.js";
import { boundsOf } from "./expr.js";
import { feedLoop, type FeedLoop } from "./feed-burst.js";
import { Known } from "./known.js";
import type { Choices, Reading } from "./pass-choice.js";
import { areApart, atMost, countingLoop, isLocal, matters, numberOf, positive } from "./pass-facts.js";
import { rootOf, takesClocks, usesChannels } from "./pass-facts.js";
import { bankLoop, bankWords } from "./bank-code.js";
import type { BankRead, Guard, Outside, Pass, PassStep, WayRound, WordsOfBanks } from "./rounds.js";

/** Loops of so many passes are written out inside others. */
const WRITTEN_OUT = 16;
const MOST_CLOCKS = 4096;
const MOST_DEPTH = 8;

class NoPass extends Error {}

/** What a pass of the loop does, if it is always the same; `around` is the loop in whose body it stands. */
export function passOf(
  loop: Loop,
  actor: number,
  inputs: ReadonlySet<Channel>,
  around: Loop | undefined,
  choices: Choices,
): Reading<Pass> {
  const reader = new PassReader(loop, actor, inputs, choices);
  try {
    return { pass: reader.read(around), open: reader.open };
  } catch (error) {
    if (error instanceof NoPass) return { pass: undefined, open: reader.open };
    throw error;
  }
}

/** Reads a loop's body into the steps of a pass; throws `NoPass` where it is none. */
class PassReader {
  readonly #loop: Loop;
  readonly #actor: number;
  readonly #inputs: ReadonlySet<Channel>;
  #steps: PassStep[] = [];
  #guards: Guard[] = [];
  readonly #outside: Outside[] = [];
  readonly #bankReads: BankRead[] = [];
  readonly #memories = new Set<Memory>();
  readonly #channels = { pop: new Set<Channel>(), push: new Set<Channel>() };
  #known = new Known();
  readonly #tokens = new Set<Local>();
  readonly #decisive: Expr[] = [];
  #ordering = 0;
  readonly #choices: Choices;
  #undecided = false;
  #goesOnce = false;
  /** Within branches that are taken now and then. */
  #depth = 0;
  #clocks = 0;
  /** Branches that wait and are not always taken though no choice says so. */
  readonly open: Stmt[] = [];

  constructor(loop: Loop, actor: number, inputs: ReadonlySet<Channel>, choices: Choices) {
    this.#choices = choices;
    this.#loop = loop;
    this.#actor = actor;
    this.#inputs = inputs;
  }

  read(outer: Loop | undefined): Pass {
    const { body, update } = this.#loop;
    const exit = exitOf(this.#loop);
    const again = exit ? { condition: exit.condition, holds: false } : { condition: this.#loop.condition, holds: true };
    this.#list(exit ? body.slice(0, -1) : body);
    this.#list(update);
    const { head, ahead } = this.#head(body);
    // The first process of a round sees for itself whether its loop is over; the others stay in theirs.
    const around = outer && this.#wayRound(outer, again, head ? this.#known.copy() : new Known());
    const wayBehind = head && outer ? this.#wayRound(outer, again, new Known()) : around;
    const others = this.#guards.length;
    // What ends with a token of the outside is seen behind the pass that takes it (intake-code.ts).
    const isSeen = exit === undefined && [...this.#channels.pop].some((channel) => this.#inputs.has(channel));
    if (head && (!isSeen || this.#now(again.condition))) this.#stays(again, around);
    const behind = head ? undefined : this.#behindOthers(outer, again);
    if (this.#outside.some(({ side, channel }) => this.#channels[side].has(channel))) throw new NoPass();
    if (this.#clocks === 0 || this.#clocks > MOST_CLOCKS) throw new NoPass();
    return {
      actor: this.#actor,
      loop: this.#loop,
      head,
      ahead,
      steps: this.#steps,
      guards: this.#guards,
      follows: this.#guards.slice(others),
      outside: this.#outside,
      again,
      around,
      wayBehind,
      behind,
      bankReads: this.#bankReads,
      once: this.#goesOnce,
      decisive: this.#undecided ? undefined : this.#decisive,
      ordering: this.#ordering,
      pops: [...this.#channels.pop],
      pushes: [...this.#channels.push],
      memories: this.#memories,
      clocks: this.#clocks,
    };
  }

  /** What else holds of a pass that pops nothing where another process is the first of the round. */
  #behindOthers(outer: Loop | undefined, again: Guard): Pass["behind"] {
    const guards = this.#guards;
    this.#guards = [];
    try {
      const around = outer && this.#wayRound(outer, again, this.#known.copy());
      this.#stays(again, around);
      return { guards: [...guards, ...this.#guards], around };
    } catch (error) {
      if (error instanceof NoPass) return undefined;
      throw error;
    } finally {
      this.#guards = guards;
    }
  }

  /** From the end of the loop to its start, through the loop around it; undefined if that takes time. */
  #wayRound(outer: Loop, again: Guard, known: Known): WayRound | undefined {
    const at = outer.body.indexOf(this.#loop);
    if (at < 0) return undefined;
    const before = { guards: this.#guards, steps: this.#steps, known: this.#known };
    [this.#guards, this.#steps, this.#known] = [[], [], known];
    this.#depth++;
    try {
      this.#silent([...outer.body.slice(at + 1), ...outer.update]);
      this.#guard(outer.condition, true);
      this.#silent(outer.body.slice(0, at));
      if (!this.#loop.atLeastOnce && this.#loop.condition === again.condition) this.#guard(again.condition, true);
      const stmts = this.#steps.map((step) => (step as Extract<PassStep, { kind: "plain" }>).stmt);
      return { guards: this.#guards, stmts };
    } catch (error) {
      if (error instanceof NoPass) return undefined;
      throw error;
    } finally {
      this.#depth--;
      [this.#guards, this.#steps, this.#known] = [before.guards, before.steps, before.known];
    }
  }

  /** Statements that take no time, if the guards hold. */
  #silent(stmts: readonly Stmt[]): void {
    for (const stmt of stmts)
      if (!matters(stmt)) this.#plain(stmt);
      else if (stmt.kind === "if") this.#silent(this.#choosing(stmt, false));
      else throw new NoPass();
  }

  /** Guard that another pass follows. */
  #stays({ condition, holds }: Guard, around: WayRound | undefined): void {
    if (!around) {
      this.#guard(condition, holds);
      return;
    }
    const here = this.#known.at(condition);
    if (!here) throw new NoPass();
    const { at, type } = here;
    const plainly = (expr: Expr, positive: boolean): Expr =>
      positive ? expr : { kind: "unary", op: "!", operand: expr, at, type };
    const ways = around.guards.map((guard) => plainly(guard.condition, guard.holds));
    const joined = ways.reduce<Expr | undefined>(
      (all, right) => (all ? { kind: "binary", op: "&&", left: all, right, at, type } : right),
      undefined,
    );
    if (!joined) return;
    const left = plainly(here, holds);
    this.#guards.push({ condition: { kind: "binary", op: "||", left, right: joined, at, type }, holds: true });
  }

  #head(body: readonly Stmt[]): Pick<Pass, "head" | "ahead"> {
    if (this.#channels.pop.size === 0) return { head: undefined, ahead: [] };
    const at = body.findIndex(({ kind }) => kind !== "let" && kind !== "assert");
    const head = body[at];
    if (head?.kind !== "pop") throw new NoPass();
    return { head, ahead: body.slice(0, at) };
  }

  #list(stmts: readonly Stmt[]): void {
    stmts.forEach((stmt, i) => this.#stmt(stmt, stmts[i - 1]));
  }

  #stmt(stmt: Stmt, before: Stmt | undefined): void {
    switch (stmt.kind) {
      case "edge":
        this.#steps.push({ kind: "clocks", count: 1 });
        this.#clocks++;
        return;
      case "clocks":
        if (stmt.estimate) throw new NoPass();
        this.#steps.push({ kind: "clocks", count: stmt.count });
        this.#decides(stmt.count);
        this.#clocks += Math.max(0, boundsOf(stmt.count).hi);
        return;
      case "pop":
      case "push":
        this.#channel(stmt);
        return;
      case "feed":
        this.#uses(stmt);
        if (this.#steps.some(({ kind }) => kind === "wave")) throw new NoPass();
        this.#steps.push({ kind: "wave", feed: stmt });
        return;
      case "loop":
        if (matters(stmt)) this.#inner(stmt, before);
        else this.#plain(stmt);
        return;
      case "if":
        if (matters(stmt)) this.#branch(stmt);
        else this.#decided(stmt);
        return;
      default:
        if (matters(stmt)) throw new NoPass();
        this.#plain(stmt);
    }
  }

  #plain(stmt: Stmt): void {
    this.#uses(stmt);
    const loop = stmt.kind === "loop" && this.#depth === 0 && bankLoop(stmt);
    const address = loop && this.#known.at(loop.read.address);
    if (loop && address) {
      const used = loop.used && this.#known.at(loop.used);
      if (used || !loop.used) this.#bankReads.push({ loop, stmt, address, used });
    }
    this.#steps.push({ kind: "plain", stmt });
    this.#known.after(stmt);
  }

  /** A branch that takes no time; of one that is decided the statements that are done. */
  #decided(stmt: Extract<Stmt, { kind: "if" }>): void {
    const value = this.#known.number(stmt.condition) ?? this.#guarded(stmt.condition);
    if (value === undefined) this.#plain(stmt);
    else this.#list(value !== 0 ? stmt.then : stmt.else);
  }

  #uses(stmt: Stmt): void {
    for (const one of statementsIn([stmt]))
      if (one.kind === "read" || one.kind === "write")
        for (const { memory } of one.port.parts) this.#memories.add(memory);
    for (const expr of expressionsWithin([stmt]))
      if (expr.kind === "q") for (const { memory } of expr.port.parts) this.#memories.add(memory);
  }

  #channel(stmt: Extract<Stmt, { kind: "pop" | "push" }>): void {
    const { parts, index } = stmt.channel;
    const at = index ? this.#known.number(index) : 0;
    const channel = at === undefined ? undefined : parts[at];
    this.#uses(stmt);
    const used = channel && this.#channels[stmt.kind];
    if (!used || channel.depth > MOST_DEPTH || channel.lanes > MOST_DEPTH) throw new NoPass();
    // A source puts each token there as it is popped; so it can be no guard's.
    const outer = stmt.kind === "pop" && this.#inputs.has(channel);
    if (used.has(channel) && !outer) throw new NoPass();
    used.add(channel);
    this.#ordering = this.#decisive.length;
    this.#clocks++;
    if (stmt.kind === "push")
      this.#steps.push({ kind: "push", channel, value: stmt.value, words: this.#words(stmt.value) });
    else {
      this.#steps.push({ kind: "pop", channel, into: stmt.into });
      if (stmt.into) this.#tokens.add(stmt.into);
      if (stmt.into && outer) this.#known.forget(stmt.into);
      else if (stmt.into) this.#known.token(stmt.into);
    }
  }

  #words(value: Expr): WordsOfBanks | undefined {
    const words = bankWords(value);
    const used = words?.used && this.#known.at(words.used);
    return words && (used || !words.used) ? { ...words, used } : undefined;
  }

  /** A branch that only takes clocks and uses channels to the outside can be taken now and then. */
  #branch(stmt: Extract<Stmt, { kind: "if" }>): void {
    const { condition, then, else: otherwise } = stmt;
    const value = this.#known.number(condition) ?? this.#guarded(condition);
    if (value !== undefined) this.#list(value !== 0 ? then : otherwise);
    else if (this.#choices.get(stmt)) this.#list(this.#choosing(stmt, true));
    else {
      if (!this.#choices.has(stmt)) this.open.push(stmt);
      if (this.#now(condition) && [...then, ...otherwise].every((each) => this.#isNowAndThen(each)))
        this.#steps.push(this.#nowAndThen(stmt, []));
      else this.#list(this.#choosing(stmt, false));
    }
  }

  /** Known before the pass. */
  #now(expr: Expr): boolean {
    return this.#known.at(expr) !== undefined;
  }

  #isNowAndThen(stmt: Stmt): boolean {
    if (!matters(stmt) || stmt.kind === "edge") return true;
    if (stmt.kind === "clocks") return !stmt.estimate;
    if (stmt.kind === "if") return [...stmt.then, ...stmt.else].every((each) => this.#isNowAndThen(each));
    if (stmt.kind !== "pop" && stmt.kind !== "push") return false;
    return stmt.channel.parts.length === 1 && !this.#inputs.has(stmt.channel.parts[0]!);
  }

  #nowAndThen(stmt: Extract<Stmt, { kind: "if" }>, path: readonly Guard[]): PassStep {
    const condition = this.#known.at(stmt.condition);
    if (!condition) throw new NoPass();
    // What is done with the outside in a leap does not wait.
    if (takesClocks(stmt)) this.#decides(stmt.condition);
    const [steps, known] = [this.#steps, this.#known];
    this.#depth++;
    const [then, otherwise] = [true, false].map((holds) => {
      this.#steps = [];
      this.#known = known.copy();
      const way = [...path, { condition, holds }];
      for (const each of holds ? stmt.then : stmt.else) {
        if (each.kind === "if" && matters(each)) {
          this.#steps.push(this.#nowAndThen(each, way));
        } else if (each.kind === "pop" || each.kind === "push") this.#outer(each, way);
        else this.#stmt(each, undefined);
      }
      return this.#steps;
    });
    this.#depth--;
    this.#steps = steps;
    this.#known = known;
    this.#known.after(stmt);
    this.#uses(stmt);
    return { kind: "if", condition: stmt.condition, then: then!, else: otherwise! };
  }

  #outer(stmt: Extract<Stmt, { kind: "pop" | "push" }>, path: readonly Guard[]): void {
    const [channel] = stmt.channel.parts;
    if (this.#outside.some((other) => other.channel === channel)) throw new NoPass();
    this.#outside.push({ side: stmt.kind, channel: channel!, path });
    this.#steps.push({ kind: "outside", stmt, channel: channel! });
    this.#ordering = this.#decisive.length;
    this.#clocks++;
    this.#known.after(stmt);
  }

  /** One branch takes time or leaves: that one or the other, guarded. */
  #choosing({ condition, then, else: otherwise }: Extract<Stmt, { kind: "if" }>, taken: boolean): readonly Stmt[] {
    const matter = then.some(matters);
    if (matter && otherwise.some(matters)) throw new NoPass();
    this.#guard(condition, matter === taken);
    return matter === taken ? then : otherwise;
  }

  /** The number that a condition is where the guards hold, if they say so. */
  #guarded(given: Expr): number | undefined {
    const condition = this.#known.at(given);
    if (!condition) return undefined;
    const asked = positive({ condition, holds: true });
    for (const guard of this.#guards.map(positive)) {
      if (sameExpr(guard.condition, asked.condition)) return Number(guard.holds === asked.holds);
      if (guard.holds && areApart(guard.condition, asked.condition)) return Number(!asked.holds);
    }
    return undefined;
  }

  #guard(given: Expr, holds: boolean): void {
    const condition = this.#known.at(given);
    if (!condition) throw new NoPass();
    if (condition.kind !== "const") this.#guards.push({ condition, holds });
    else if (Boolean(condition.value) !== holds) throw new NoPass();
  }

  #decides(given: Expr): void {
    const expr = this.#known.at(given);
    if (!expr) this.#undecided = true;
    else if (expr.kind !== "const") this.#decisive.push(expr);
  }

  #inner(loop: Loop, before: Stmt | undefined): void {
    const feeds = feedLoop(loop);
    if (feeds) this.#feeds(feeds);
    else if (loop.trips !== undefined) this.#writeOut(loop, before);
    else if (usesChannels(loop)) this.#once(loop, before);
    else this.#repeat(loop, before);
  }

  /** A loop that uses channels and counts up to what a token of this pass says: guarded to go round once. */
  #once(loop: Loop, before: Stmt | undefined): void {
    const counted = countingLoop(loop, before);
    if (!counted) throw new NoPass();
    const { first, step, bound } = counted;
    const isToken = (expr: Expr): boolean => expr.kind === "local" && this.#tokens.has(expr.local);
    if (!someExpr(bound, isToken)) throw new NoPass();
    this.#goesOnce = true;
    this.#guard(atMost(bound, first), false);
    this.#guard(atMost(bound, first + step), true);
    this.#list(loop.body);
    this.#list(loop.update);
  }

  /** A loop of clocks and plain statements that counts up to what is known before the pass. */
  #repeat(loop: Loop, before: Stmt | undefined): void {
    const counted = countingLoop(loop, before);
    if (!counted) throw new NoPass();
    const { counter, first, step, most, bound } = counted;
    this.#known.after(loop);
    // A counter that could wrap would count for ever.
    const top = most - step + 1;
    if (boundsOf(bound).hi > top) this.#guard(atMost(bound, top), true);
    const [outer, clocks] = [this.#steps, this.#clocks];
    this.#steps = [];
    this.#list(loop.body);
    const steps = this.#steps;
    if (!steps.every(({ kind }) => kind === "plain" || kind === "clocks")) throw new NoPass();
    const trips = Math.max(0, Math.ceil((Math.min(boundsOf(bound).hi, top) - first) / step));
    this.#clocks = clocks + trips * (this.#clocks - clocks);
    this.#steps = outer;
    this.#steps.push({ kind: "repeat", loop, steps, counter, first, by: step, bound });
    this.#uses(loop);
    this.#decides(bound);
    this.#known.after(loop);
  }

  #feeds(feeds: FeedLoop): void {
    const bound = this.#known.at(feeds.bound);
    if (!bound) throw new NoPass();
    for (const { limit, condition, strict } of feeds.asserts) {
      if (!limit) {
        this.#guard(condition, true);
        continue;
      }
      const top = this.#known.at(limit);
      if (!top) throw new NoPass();
      // k < limit in all passes if bound <= limit; k <= limit surely too.
      if (!strict) throw new NoPass();
      this.#guards.push({
        condition: { ...condition, kind: "binary", op: "<=", left: bound, right: top },
        holds: true,
      });
    }
    this.#clocks += Math.max(0, boundsOf(feeds.bound).hi);
    this.#steps.push({ kind: "feed", loop: feeds });
    this.#decides(feeds.bound);
    this.#decides({ kind: "local", at: bound.at, type: feeds.counter.type, local: feeds.counter });
    this.#known.forget(feeds.counter);
  }

  /** A loop over a few numbers, written out. */
  #writeOut({ condition, update, body, label }: Loop, before: Stmt | undefined): void {
    const [step, ...more] = update;
    if (more.length > 0 || step?.kind !== "assign" || step.target.kind !== "local") throw new NoPass();
    const counter = step.target.local;
    const next = step.value.kind === "cast" ? step.value.operand : step.value;
    const one = next.kind === "binary" && next.op === "+" && isLocal(next.left, counter) && numberOf(next.right) === 1;
    const below = condition.kind === "binary" && condition.op === "<" && isLocal(condition.left, counter);
    const trips = below ? numberOf(condition.right) : undefined;
    const zero = before?.kind === "let" && before.local === counter && numberOf(before.value) === 0;
    if (!one || !zero || trips === undefined || trips > WRITTEN_OUT || trips < 1) throw new NoPass();
    for (const stmt of statementsIn(body)) {
      if ("label" in stmt && stmt.kind !== "loop" && stmt.label === label) throw new NoPass();
      if (stmt.kind === "assign" && rootOf(stmt.target) === counter) throw new NoPass();
    }
    for (let value = 0; value < trips; value++) {
      this.#steps.push({ kind: "count", counter, value });
      this.#known.count(counter, value);
      this.#list(body);
    }
    this.#known.forget(counter);
  }
}

/** The `if (...) break` at the end of a loop's body, if that is how the loop ends. */
export function exitOf({ label, condition, body, update }: Loop): Extract<Stmt, { kind: "if" }> | undefined {
  const last = body.at(-1);
  if (condition.kind !== "const" || condition.value === false || update.length > 0) return undefined;
  if (last?.kind !== "if" || last.else.length > 0 || last.then.length !== 1) return undefined;
  const [leave] = last.then;
  return leave?.kind === "break" && leave.label === label ? last : undefined;
}
