/**
 * Loops of several processes that run in step. A *pass* of a loop does a fixed list of channel operations and clocks; where
 * all of them go between passes of such loops, one pass of each is a *round*, done in one piece of straight code
 * (rounds-code.ts): tokens need no rings, nobody has to be woken. What happens only now and then (a branch that waits, the
 * loop's end) is told by *guards*, evaluated before a pass; such a pass is left to the processes themselves.
 */
import type { Channel } from "../../hw/channel.js";
import type { Expr, Local, Loop, ProcessIr, Stmt } from "../../hw/ir/ir.js";
import { expressionsWithin, statementsIn } from "../../hw/ir/walk.js";
import type { Memory } from "../../hw/memory.js";
import { boundsOf } from "./expr.js";
import { feedLoop, type FeedLoop } from "./feed-burst.js";
import { Known } from "./known.js";

export type PassStep =
  | { readonly kind: "plain"; readonly stmt: Stmt }
  | { readonly kind: "clocks"; readonly count: Expr | 1 }
  | { readonly kind: "pop"; readonly channel: Channel; readonly into: Local | undefined }
  | { readonly kind: "push"; readonly channel: Channel; readonly value: Expr }
  | { readonly kind: "feed"; readonly loop: FeedLoop }
  | { readonly kind: "wave"; readonly feed: Extract<Stmt, { kind: "feed" }> }
  /** The counter of a loop that is written out has this value from here on. */
  | { readonly kind: "count"; readonly counter: Local; readonly value: number };

/** An expression of what is known before the pass (variables, and tokens it will pop), and what it has to be. */
export interface Guard {
  readonly condition: Expr;
  readonly holds: boolean;
}

/** What a pass of a loop does when its guards hold. */
export interface Pass {
  readonly actor: number;
  readonly loop: Loop;
  /** Where the process stands before a pass: at this pop, or, if undefined, at the start of the loop's body. */
  readonly head: Extract<Stmt, { kind: "pop" }> | undefined;
  readonly steps: readonly PassStep[];
  readonly guards: readonly Guard[];
  /** What decides how many clocks the steps take, known before the pass; undefined where something else decides. */
  readonly decisive: readonly Expr[] | undefined;
  readonly pops: readonly Channel[];
  readonly pushes: readonly Channel[];
  readonly memories: ReadonlySet<Memory>;
  /** The clock moves on by at most this much, waits for others aside. */
  readonly clocks: number;
}

/** Passes in the order of a round: who pushes comes before who pops. The first waits for nobody. */
export type Cluster = readonly Pass[];

/** Passes that only take tokens from an outer input; one or the other runs in step with its source. */
export interface Intake {
  readonly channel: Channel;
  readonly passes: readonly Pass[];
}

export interface Rounds {
  readonly clusters: readonly Cluster[];
  readonly intakes: readonly Intake[];
}

/** Loops of fewer passes are not worth it, and loops of as many are written out inside others. */
const FEWEST_TRIPS = 4;
const WRITTEN_OUT = 16;
const MOST_CLOCKS = 4096;
const MOST_DEPTH = 8;

class NoPass extends Error {}

export function findRounds(processes: readonly ProcessIr[], inputs: ReadonlySet<Channel>): Rounds {
  const passes = processes.flatMap((process, actor) =>
    process.polls || usesSignals(process) ? [] : candidates(process, actor, inputs),
  );
  const takes = (pass: Pass): boolean => pass.pops.some((channel) => inputs.has(channel));
  const alone = passes.filter((pass) => takes(pass) && pass.pops.length === 1 && pass.pushes.length === 0 && pass.head);
  const intakes = [...inputs].flatMap((channel) => {
    const mine = alone.filter(({ pops }) => pops.includes(channel));
    return mine.length > 0 ? [{ channel, passes: mine }] : [];
  });
  return { clusters: findClusters(passes.filter((pass) => !takes(pass))), intakes };
}

function findClusters(all: readonly Pass[]): Cluster[] {
  let passes = all;
  for (let before = -1; before !== passes.length;) {
    before = passes.length;
    passes = passes.filter((pass) => {
      const with1 = (channel: Channel, side: "pops" | "pushes"): boolean => {
        const others = passes.filter((other) => other[side].includes(channel));
        return others.length === 1 && others[0]!.actor !== pass.actor;
      };
      const alone = (channel: Channel, side: "pops" | "pushes"): boolean =>
        passes.every((other) => other === pass || !other[side].includes(channel));
      return (
        pass.pops.every((channel) => with1(channel, "pushes") && alone(channel, "pops")) &&
        pass.pushes.every((channel) => with1(channel, "pops") && alone(channel, "pushes"))
      );
    });
  }
  return components(passes).flatMap((component) => {
    const order = inOrder(component);
    return order && isCluster(order) ? [order] : [];
  });
}

const usesSignals = ({ body }: ProcessIr): boolean => {
  for (const expr of expressionsWithin(body)) if (expr.kind === "signal") return true;
  for (const { kind } of statementsIn(body)) if (kind === "signal") return true;
  return false;
};

function components(passes: readonly Pass[]): Pass[][] {
  const groups = passes.map((pass) => [pass]);
  for (const pass of passes)
    for (const channel of pass.pushes) {
      const mine = groups.find((group) => group.includes(pass))!;
      const theirs = groups.find((group) => group.some(({ pops }) => pops.includes(channel)))!;
      if (mine === theirs) continue;
      mine.push(...theirs);
      groups.splice(groups.indexOf(theirs), 1);
    }
  return groups.filter((group) => group.length > 1);
}

/** Producers before consumers; undefined if tokens go round. */
function inOrder(passes: readonly Pass[]): Pass[] | undefined {
  const order: Pass[] = [];
  const rest = new Set(passes);
  while (rest.size > 0) {
    const next = [...rest].find(({ pops }) => pops.every((c) => ![...rest].some(({ pushes }) => pushes.includes(c))));
    if (!next) return undefined;
    rest.delete(next);
    order.push(next);
  }
  return order;
}

function isCluster([driver, ...others]: readonly Pass[]): boolean {
  const all = [driver!, ...others];
  const actors = new Set(all.map(({ actor }) => actor));
  const memories = all.flatMap((pass) => [...pass.memories]);
  return (
    actors.size === all.length &&
    new Set(memories).size === memories.length &&
    driver!.head === undefined &&
    others.every(({ head }) => head !== undefined)
  );
}

/** The outermost loops of a process that have passes. */
function candidates({ body }: ProcessIr, actor: number, inputs: ReadonlySet<Channel>): Pass[] {
  const found: Pass[] = [];
  const look = (stmts: readonly Stmt[]): void => {
    stmts.forEach((stmt) => {
      if (stmt.kind === "loop" && !stmt.combinational && !feedLoop(stmt) && (stmt.trips ?? Infinity) >= FEWEST_TRIPS) {
        const pass = passOf(stmt, actor, inputs);
        if (pass) {
          found.push(pass);
          return;
        }
      }
      if (stmt.kind === "loop") look(stmt.body);
      else if (stmt.kind === "block") look(stmt.body);
      else if (stmt.kind === "if") {
        look(stmt.then);
        look(stmt.else);
      }
    });
  };
  look(body);
  return found;
}

function passOf(loop: Loop, actor: number, inputs: ReadonlySet<Channel>): Pass | undefined {
  try {
    return new PassReader(loop, actor, inputs).read();
  } catch (error) {
    if (error instanceof NoPass) return undefined;
    throw error;
  }
}

const mattering = new WeakMap<Stmt, boolean>();
const waiting = new Set(["edge", "clocks", "pop", "push", "feed", "tryPop", "tryPush", "peek", "signal"]);
const leaving = new Set(["break", "continue", "end"]);

/** It takes time, or leaves the list in which it stands. */
function matters(stmt: Stmt): boolean {
  let known = mattering.get(stmt);
  if (known === undefined) {
    known = lookWhether(stmt);
    mattering.set(stmt, known);
  }
  return known;
}

function lookWhether(stmt: Stmt): boolean {
  const own = new Set<string>();
  for (const one of statementsIn([stmt])) {
    if (waiting.has(one.kind)) return true;
    if (one.kind === "loop" || one.kind === "block") own.add(one.label);
    if (leaving.has(one.kind) && !("label" in one && own.has(one.label))) return true;
  }
  return false;
}

/** Reads a loop's body into the steps of a pass; throws `NoPass` where it is none. */
class PassReader {
  readonly #loop: Loop;
  readonly #actor: number;
  readonly #inputs: ReadonlySet<Channel>;
  readonly #steps: PassStep[] = [];
  readonly #guards: Guard[] = [];
  readonly #memories = new Set<Memory>();
  readonly #channels = { pop: new Set<Channel>(), push: new Set<Channel>() };
  readonly #known = new Known();
  readonly #decisive: Expr[] = [];
  #undecided = false;
  #clocks = 0;

  constructor(loop: Loop, actor: number, inputs: ReadonlySet<Channel>) {
    this.#loop = loop;
    this.#actor = actor;
    this.#inputs = inputs;
  }

  read(): Pass {
    const { body, update, condition } = this.#loop;
    this.#list(body);
    this.#list(update);
    this.#guard(condition, true);
    if (this.#clocks === 0 || this.#clocks > MOST_CLOCKS) throw new NoPass();
    return {
      actor: this.#actor,
      loop: this.#loop,
      head: this.#head(body),
      steps: this.#steps,
      guards: this.#guards,
      decisive: this.#undecided ? undefined : this.#decisive,
      pops: [...this.#channels.pop],
      pushes: [...this.#channels.push],
      memories: this.#memories,
      clocks: this.#clocks,
    };
  }

  #head(body: readonly Stmt[]): Pass["head"] {
    const first = body.find((stmt) => stmt.kind !== "let" && stmt.kind !== "assert");
    if (this.#channels.pop.size === 0) return undefined;
    if (first?.kind !== "pop") throw new NoPass();
    return first;
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
        else this.#plain(stmt);
        return;
      default:
        if (matters(stmt)) throw new NoPass();
        this.#plain(stmt);
    }
  }

  #plain(stmt: Stmt): void {
    this.#uses(stmt);
    this.#steps.push({ kind: "plain", stmt });
    this.#known.after(stmt);
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
    this.#clocks++;
    if (stmt.kind === "push") this.#steps.push({ kind: "push", channel, value: stmt.value });
    else {
      this.#steps.push({ kind: "pop", channel, into: stmt.into });
      if (stmt.into && outer) this.#known.forget(stmt.into);
      else if (stmt.into) this.#known.token(stmt.into);
    }
  }

  /** One branch takes time or leaves, and must not be taken. */
  #branch({ condition, then, else: otherwise }: Extract<Stmt, { kind: "if" }>): void {
    const avoided = then.some(matters);
    if (avoided && otherwise.some(matters)) throw new NoPass();
    this.#guard(condition, !avoided);
    this.#list(avoided ? otherwise : then);
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
    else this.#writeOut(loop, before);
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

const isLocal = (expr: Expr, local: Local): boolean => expr.kind === "local" && expr.local === local;

function numberOf(expr: Expr): number | undefined {
  if (expr.kind === "cast") return numberOf(expr.operand);
  return expr.kind === "const" ? Number(expr.value) : undefined;
}

function rootOf(target: Expr): Local | undefined {
  let at = target;
  while (at.kind === "index" || at.kind === "member") at = at.base;
  return at.kind === "local" ? at.local : undefined;
}
