/**
 * Stages in step (chain-code.ts): processes that follow each other (followers.ts), each of which does as many clocks between its pop and
 * its push, and in all of its pass, whatever the token. If all of them are ready when the first token can be popped, or before, then the clock
 * of the first push says when each of the pops and pushes is. So it is asked once for all of them, four in a register: no
 * stage looks at clocks, rings or the horizon, and what is kept of their channels moves on together.
 */
import type { Channel } from "../../hw/channel.js";
import type { Expr, Local, StateField, Stmt } from "../../hw/ir/ir.js";
import { expressionsWithin, statementsIn } from "../../hw/ir/walk.js";
import type { FollowerLoop } from "./followers.js";
import { countingLoop, matters, rootOf } from "./pass-facts.js";
import { exitOf } from "./pass-reader.js";
import type { Plan } from "./plan.js";

/** A loop that counts goes round once if this holds: its first number is below the bound, and the next is not. */
export interface Once {
  readonly bound: Expr;
  readonly first: number;
  readonly next: number;
}

/** What a pass does if its loops go round once: one push, so many clocks behind the pop, and so many clocks in all. */
export interface Step {
  readonly channel: Channel;
  readonly push: number;
  readonly clocks: number;
  readonly once: readonly Once[];
}

const numbers: ReadonlySet<Expr["kind"]> = new Set(["const", "cast", "member"]);

/** A pass of a follower as a step; undefined if it is none. */
export function stepOf({ rest, ahead }: FollowerLoop): Step | undefined {
  if (ahead.length > 0) return undefined;
  const once: Once[] = [];
  let clocks = 0;
  let push: { readonly channel: Channel; readonly at: number } | undefined;
  const changed = new Set<Local | StateField | undefined>();
  for (const stmt of statementsIn(rest)) {
    if (stmt.kind === "let") changed.add(stmt.local);
    if (stmt.kind === "assign") changed.add(rootOf(stmt.target));
  }
  const isKnown = (bound: Expr): boolean =>
    [...expressionsWithin([{ kind: "assert", at: bound.at, condition: bound, text: "" }])].every(
      (expr) => numbers.has(expr.kind) || (expr.kind === "local" && !changed.has(expr.local)),
    );
  const read = (stmts: readonly Stmt[]): boolean =>
    stmts.every((stmt, i) => {
      if (!matters(stmt)) return true;
      if (stmt.kind === "edge") {
        clocks++;
        return true;
      }
      if (stmt.kind === "push") {
        const [channel, ...more] = stmt.channel.parts;
        if (push || more.length > 0) return false;
        push = { channel: channel!, at: clocks };
        return true;
      }
      if (stmt.kind !== "loop" || exitOf(stmt)) return false;
      const counted = countingLoop(stmt, stmts[i - 1]);
      if (!counted || !isKnown(counted.bound)) return false;
      once.push({ bound: counted.bound, first: counted.first, next: counted.first + counted.step });
      return read(stmt.body);
    });
  if (!read(rest) || !push || clocks === 0) return undefined;
  return { channel: push.channel, push: push.at, clocks, once };
}

/** Words that are kept of the channels of stages in step, one behind the other: of each channel in a lane of its own. */
export interface Lanes {
  /** When its taker can take the next token; `AWAY` if it is not taken along. */
  readonly times: number;
  /** Clocks that takers have waited, not yet counted with their channels. */
  readonly stalls: number;
  readonly counts: number;
  readonly lasts: number;
  /** The counts of news of who pushes, and those up to which the takers have learnt; the first lane is nobody's. */
  readonly news: number;
  readonly learnt: number;
}

/** Later than any clock. */
export const AWAY = 0x7fffffff;

/** Channels whose takers are in step: each but the last pushes into the next. */
export interface InStep {
  readonly channels: readonly Channel[];
  readonly steps: readonly Step[];
  readonly lanes: Lanes;
}

/** Of a design. */
export class StepsOf {
  /** By the first channel. */
  readonly #first = new Map<Channel, InStep>();
  readonly #places = new Map<Channel, { readonly lanes: Lanes; readonly lane: number }>();
  readonly #news = new Map<number, number>();

  constructor(plan: Plan, followers: ReadonlyMap<Channel, FollowerLoop>) {
    const steps = new Map<Channel, Step>();
    const loops = [...followers.values()].map(({ actor }) => actor);
    for (const [channel, follower] of followers) {
      const alone = loops.filter((actor) => actor === follower.actor).length === 1;
      const step = alone && isPlain(channel) ? stepOf(follower) : undefined;
      if (step && follows(followers, step.channel)) steps.set(channel, step);
    }
    const inner = new Set([...steps.values()].map(({ channel }) => channel));
    for (const first of steps.keys()) {
      if (inner.has(first)) continue;
      const channels = [first];
      for (let step = steps.get(first); step && !channels.includes(step.channel); step = steps.get(channels.at(-1)!))
        channels.push(step.channel);
      this.#add(
        plan,
        channels,
        channels.slice(0, -1).map((channel) => steps.get(channel)!),
        followers,
      );
    }
  }

  #add(
    plan: Plan,
    channels: readonly Channel[],
    steps: readonly Step[],
    followers: ReadonlyMap<Channel, FollowerLoop>,
  ): void {
    const bytes = Math.ceil(channels.length / 4) * 16;
    const take = (): number => plan.heap.take(bytes, 16);
    const lanes = {
      times: take(),
      stalls: take(),
      counts: take(),
      lasts: take(),
      news: take(),
      learnt: take(),
    };
    channels.forEach((channel, lane) => {
      plan.initially((view) => view.setInt32(lanes.times + lane * 4, AWAY, true));
      this.#places.set(channel, { lanes, lane });
      if (lane > 0) this.#news.set(followers.get(channels[lane - 1]!)!.actor, lanes.news + lane * 4);
    });
    this.#first.set(channels[0]!, { channels, steps, lanes });
  }

  /** Those whose first channel this is. */
  from(channel: Channel): InStep | undefined {
    return this.#first.get(channel);
  }
  placeOf(channel: Channel): { readonly lanes: Lanes; readonly lane: number } | undefined {
    return this.#places.get(channel);
  }
  /** Where the count of an actor's news stands (`Actor.news`), if it is one of those in step. */
  newsOf(actor: number): number | undefined {
    return this.#news.get(actor);
  }
}

/** Of one token at a time and two slots or more nothing but the taker's clock makes a token wait (`emitPushTo`). */
const isPlain = ({ depth, lanes }: Channel): boolean => depth > 1 && lanes === 1;

const follows = (followers: ReadonlyMap<Channel, FollowerLoop>, channel: Channel): boolean => {
  const follower = followers.get(channel);
  return follower !== undefined && isPlain(channel) && takesClock(follower.rest);
};

/** A clock passes whichever way statements go. */
export function takesClock(stmts: readonly Stmt[]): boolean {
  return stmts.some((stmt) => {
    if (stmt.kind === "if") return takesClock(stmt.then) && takesClock(stmt.else);
    return stmt.kind === "edge" || (stmt.kind === "loop" && stmt.atLeastOnce && takesClock(stmt.body));
  });
}
