/**
 * Time in the IR: every path round a loop takes a clock (rule 7), and no memory port is used twice in one (rule 5).
 *
 * Both are asked of the paths of the text, not of those that data allow: what is said is certain to happen on some path.
 */
import type { Expr, Loop, Position, ProcessIr, Ref, Stmt } from "../ir/ir.js";
import type { MemoryPort } from "../memory.js";
import type { Channel } from "../channel.js";
import type { Rule } from "./diagnostic.js";

/** A loop with constant bounds is finite: it may pass without a clock, but then its states are copied. */
const MOST_COPIES = 256;

export type Find = (at: Position, rule: Rule, message: string, hint: string) => void;

/** What is certain where control stands, on every path from the start of the innermost loop's body. */
class State {
  /** A clock has passed since the loop's body began. */
  round = false;
  /** Operations since then, by channel and side. */
  ops = new Map<string, number>();
  /** Ports used in this clock, each with the operations that stood in it before: any of them done again takes a clock. */
  used = new Map<string, ReadonlySet<string>>();
  /** Operations that happened in this clock. */
  fresh = new Set<string>();

  copy(): State {
    const copy = new State();
    copy.round = this.round;
    copy.ops = new Map(this.ops);
    copy.used = new Map(this.used);
    copy.fresh = new Set(this.fresh);
    return copy;
  }

  edge(): void {
    this.round = true;
    this.wait();
    this.used.clear();
  }

  /** Perhaps a clock. */
  wait(): void {
    this.fresh.clear();
  }

  operation(channel: Channel, side: string): void {
    const key = `${side} ${channel.path}`;
    const count = (this.ops.get(key) ?? 0) + 1;
    this.ops.set(key, count);
    if (count >= channel.lanes) this.round = true;
    // One lane: the same operation again waits for the next clock.
    if (channel.lanes === 1) for (const [port, before] of this.used) if (before.has(key)) this.used.delete(port);
    this.wait();
    this.fresh.add(key);
  }

  join(other: State): void {
    this.round &&= other.round;
    for (const [key, n] of this.ops) this.ops.set(key, Math.min(n, other.ops.get(key) ?? 0));
    for (const [port, before] of this.used) {
      const theirs = other.used.get(port);
      if (theirs) this.used.set(port, new Set([...before].filter((op) => theirs.has(op))));
      else this.used.delete(port);
    }
    for (const op of this.fresh) if (!other.fresh.has(op)) this.fresh.delete(op);
  }
}

const joined = (states: readonly (State | undefined)[]): State | undefined => {
  let all: State | undefined;
  for (const state of states)
    if (state) {
      if (all) all.join(state);
      else all = state.copy();
    }
  return all;
};

class Walk {
  readonly #find: Find;
  readonly #exits = new Map<string, State[]>();

  constructor(find: Find) {
    this.#find = find;
  }

  /** The state after the statements; undefined if control never gets there. */
  list(body: readonly Stmt[], from: State | undefined): State | undefined {
    let state = from;
    for (const stmt of body) {
      if (!state) return undefined;
      state = this.#one(stmt, state);
    }
    return state;
  }

  #one(stmt: Stmt, state: State): State | undefined {
    for (const port of portsRead(stmt)) this.#use(state, port.path, port.what, stmt.at);
    switch (stmt.kind) {
      case "edge":
        state.edge();
        return state;
      case "clocks":
        if (least(stmt.count) > 0) state.edge();
        else state.wait();
        return state;
      case "pop":
      case "push": {
        const channel = only(stmt.channel);
        if (channel) state.operation(channel, stmt.kind);
        else state.wait();
        return state;
      }
      case "if": {
        const then = this.list(stmt.then, state.copy());
        return joined([then, this.list(stmt.else, state)]);
      }
      case "block": {
        const end = this.list(stmt.body, state);
        return joined([end, ...this.#take(`break ${stmt.label}`)]);
      }
      case "loop":
        return this.#loop(stmt, state);
      case "break":
      case "continue":
        this.#leave(`${stmt.kind} ${stmt.label}`, state);
        return undefined;
      case "end":
        return undefined;
      default:
        return state;
    }
  }

  #loop(loop: Loop, before: State): State | undefined {
    const start = before.copy();
    start.round = false;
    start.ops.clear();
    const back = this.#pass(loop, start);
    this.#checkRound(loop, back);
    // The second pass begins where the first one ended: what is used twice across the two shows here.
    if (back && loop.trips !== 1) {
      const again = back.copy();
      again.round = false;
      again.ops.clear();
      this.#pass(loop, again);
      this.#take(`break ${loop.label}`, -1);
    }
    const endless = loop.condition.kind === "const" && loop.condition.value === true;
    const left = [
      ...this.#take(`break ${loop.label}`),
      ...(endless ? [] : [back?.copy(), loop.atLeastOnce ? undefined : before]),
    ];
    const after = joined(left);
    if (!after) return undefined;
    // What the body is certain to do counts for the loop around it, if it is entered for certain.
    const counted = loop.atLeastOnce && left.every((state) => state === undefined || state.round);
    after.round = before.round || counted;
    after.ops = new Map(before.ops);
    return after;
  }

  #pass(loop: Loop, from: State): State | undefined {
    const end = this.list(loop.body, from);
    return this.list(loop.update, joined([end, ...this.#take(`continue ${loop.label}`)]));
  }

  #checkRound(loop: Loop, back: State | undefined): void {
    if (!back || back.round) return;
    if (loop.trips !== undefined && (loop.combinational || loop.trips <= MOST_COPIES)) return;
    const constant = loop.trips !== undefined;
    this.#find(
      loop.at,
      "loop-clock",
      constant
        ? `a path round this loop of ${loop.trips} passes takes no clock`
        : "a path round this loop takes no clock",
      constant
        ? `Put a yield on every path: more than ${MOST_COPIES} passes are not copied.`
        : "Put a yield on every path, or give the loop constant bounds. A pop or push counts, except on lanes that are left over and on a port chosen at run time; a loop inside counts if it surely passes once (assert that its bound is at least 1).",
    );
  }

  #use(state: State, path: string, what: string, at: Position): void {
    const key = `${what} ${path}`;
    if (state.used.has(key))
      this.#find(
        at,
        "port-twice",
        `${path} ${what} twice in one clock on this path`,
        "Put a yield between the two, or use another port. (A pop or push between them need not take a clock.)",
      );
    state.used.set(key, new Set(state.fresh));
  }

  #leave(key: string, state: State): void {
    const list = this.#exits.get(key);
    if (list) list.push(state);
    else this.#exits.set(key, [state]);
  }

  /** The states that have left by a label; `keep` -1 drops those of a trial pass. */
  #take(key: string, keep?: number): State[] {
    const list = this.#exits.get(key) ?? [];
    if (keep === undefined) {
      this.#exits.delete(key);
      return list;
    }
    return list;
  }
}

const only = <P>({ parts, index }: Ref<P>): P | undefined =>
  parts.length === 1 || !index ? parts[0] : index.kind === "const" ? parts[index.value as number] : undefined;

function portsRead(stmt: Stmt): { path: string; what: string }[] {
  if (stmt.kind !== "read" && stmt.kind !== "write") return [];
  const port: MemoryPort | undefined = only(stmt.port);
  return port ? [{ path: port.path, what: `${stmt.kind}s` }] : [];
}

function least({ type, kind, ...rest }: Expr): number {
  if (kind === "const") return Number((rest as { value?: unknown }).value);
  return type.kind === "exact" ? type.range.lo : 0;
}

export function checkClocks({ body }: ProcessIr, find: Find): void {
  new Walk(find).list(body, new State());
}
