/**
 * Processes that follow others: a loop whose pass begins with the pop of a token, and pops nothing else. Who pushes that token
 * can do the pass at once, in its own function, without the scheduler (follower.ts); so a chain of such processes behind a
 * channel, as a pipeline of stages, is one piece of code.
 */
import type { Channel } from "../../hw/channel.js";
import type { Loop, ProcessIr, Stmt } from "../../hw/ir/ir.js";
import { children, statementsIn } from "../../hw/ir/walk.js";
import { boundsOf } from "./expr.js";
import { matters } from "./pass-facts.js";
import { exitOf } from "./pass-reader.js";
import { usesSignals, type Cluster } from "./rounds.js";

/** A loop of a process that follows who pushes into a channel. */
export interface FollowerLoop {
  readonly actor: number;
  readonly loop: Loop;
  readonly channel: Channel;
  readonly head: Extract<Stmt, { kind: "pop" }>;
  /** What is done in the body in front of the head: declarations and assertions. */
  readonly ahead: readonly Stmt[];
  /** What is done behind it, and what ends the loop there. */
  readonly rest: readonly Stmt[];
  readonly exit: Extract<Stmt, { kind: "if" }> | undefined;
}

/** Loops that wait may stand this deep in the loop of a follower. */
const DEEPEST = 1;

/** By the channel of the head; `apart` are processes that take part in something else. */
export function findFollowers(
  processes: readonly ProcessIr[],
  apart: ReadonlySet<number>,
): ReadonlyMap<Channel, FollowerLoop> {
  const found = new Map<Channel, FollowerLoop>();
  processes.forEach((process, actor) => {
    if (process.polls || usesSignals(process) || apart.has(actor)) return;
    const often = repeated(process.body);
    const look = (stmts: readonly Stmt[]): void => {
      for (const stmt of stmts) {
        const follower = stmt.kind === "loop" && !often.has(stmt) ? followerOf(stmt, actor) : undefined;
        if (follower && !found.has(follower.channel)) found.set(follower.channel, follower);
        else children(stmt).forEach(look);
      }
    };
    look(process.body);
  });
  return found;
}

/** Statements that stand in the text more than once: nobody could say where in it a process is. */
function repeated(body: readonly Stmt[]): ReadonlySet<Stmt> {
  const [seen, often] = [new Set<Stmt>(), new Set<Stmt>()];
  for (const stmt of statementsIn(body)) (seen.has(stmt) ? often : seen).add(stmt);
  return often;
}

function followerOf(loop: Loop, actor: number): FollowerLoop | undefined {
  if (loop.combinational) return undefined;
  const at = loop.body.findIndex(({ kind }) => kind !== "let" && kind !== "assert");
  const head = loop.body[at];
  if (head?.kind !== "pop" || head.channel.parts.length > 1) return undefined;
  const exit = exitOf(loop);
  const rest = exit ? loop.body.slice(at + 1, -1) : loop.body.slice(at + 1);
  if (![...rest, ...loop.update].every((stmt) => canFollow(stmt, 0))) return undefined;
  const ahead = loop.body.slice(0, at);
  return { actor, loop, channel: head.channel.parts[0]!, head, ahead, rest, exit };
}

function canFollow(stmt: Stmt, depth: number): boolean {
  if (!matters(stmt)) return true;
  switch (stmt.kind) {
    case "edge":
    case "push":
      return true;
    case "clocks":
      return !stmt.estimate;
    case "if":
      return [...stmt.then, ...stmt.else].every((each) => canFollow(each, depth));
    case "loop": {
      if (depth >= DEEPEST) return false;
      const body = exitOf(stmt) ? stmt.body.slice(0, -1) : stmt.body;
      return [...body, ...stmt.update].every((each) => canFollow(each, depth + 1));
    }
    default:
      return false;
  }
}

/**
 * Clusters but for those whose first process does few passes at a time, within a pass of a follower: that is done as a whole
 * (follower.ts).
 */
export function withoutFollowers(clusters: readonly Cluster[], processes: readonly ProcessIr[]): readonly Cluster[] {
  const followers = [...findFollowers(processes, new Set()).values()];
  return clusters.filter(([first]) =>
    followers.every(
      ({ actor, rest }) =>
        actor !== first!.actor || !hasFewPasses(first!.loop) || ![...statementsIn(rest)].includes(first!.loop),
    ),
  );
}

const FEW_PASSES = 16;

/** A loop that counts up to a number which is small by its type. */
function hasFewPasses({ condition }: Loop): boolean {
  return condition.kind === "binary" && condition.op === "<" && boundsOf(condition.right).hi <= FEW_PASSES;
}

/** Whoever takes tokens of a channel in the function of who pushes them: a loop of a process, or the outside. */
export interface Link {
  readonly channel: Channel;
  /** Undefined: the sink of an outer output. */
  readonly follower: FollowerLoop | undefined;
  readonly next: readonly Link[];
}

/** Passes that are written in one function: of a process as a rule, and of one that does nothing but follow. */
const MOST_PASSES = 40;
const MOST_OF_FOLLOWER = 3;

export class Chains {
  readonly followers: ReadonlyMap<Channel, FollowerLoop>;
  readonly #processes: readonly ProcessIr[];
  readonly #outputs: ReadonlySet<Channel>;
  readonly #apart: ReadonlySet<number>;
  /** Channels into which processes push that can do what follows. */
  readonly #pushed = new Set<Channel>();

  constructor(processes: readonly ProcessIr[], outputs: ReadonlySet<Channel>, apart: ReadonlySet<number>) {
    this.followers = findFollowers(processes, apart);
    this.#processes = processes;
    this.#outputs = outputs;
    this.#apart = apart;
    processes.forEach((process, actor) => {
      if (process.polls || usesSignals(process) || apart.has(actor)) return;
      for (const stmt of statementsIn(process.body))
        if (stmt.kind === "push") for (const channel of stmt.channel.parts) this.#pushed.add(channel);
    });
  }

  /** Who can take what a process pushes, in its function. */
  of(actor: number): readonly Link[] {
    const process = this.#processes[actor]!;
    if (process.polls || usesSignals(process) || this.#apart.has(actor)) return [];
    const follows = [...this.followers].some(
      ([channel, follower]) => follower.actor === actor && this.#pushed.has(channel) && popsOnly(process, channel),
    );
    const budget = { left: follows ? MOST_OF_FOLLOWER : MOST_PASSES };
    return this.#links(process.body, [actor], budget, 1);
  }

  /** Whose passes may be done in the function of a process; whose loop ends there goes on in its own function. */
  actorsOf(actor: number): ReadonlySet<number> {
    const found = new Set<number>();
    const look = (links: readonly Link[]): void => {
      for (const { follower, next } of links) {
        look(next);
        if (!follower || found.has(follower.actor)) continue;
        found.add(follower.actor);
        look(this.of(follower.actor));
      }
    };
    look(this.of(actor));
    return found;
  }

  /** `times`: how often the pushes are written. */
  #links(stmts: readonly Stmt[], above: readonly number[], budget: { left: number }, times: number): Link[] {
    const sites = new Map<Channel, number>();
    for (const stmt of statementsIn(stmts))
      if (stmt.kind === "push")
        for (const channel of stmt.channel.parts) sites.set(channel, (sites.get(channel) ?? 0) + times);
    const links: Link[] = [];
    for (const [channel, count] of sites) {
      const follower = this.followers.get(channel);
      if (!follower && !this.#outputs.has(channel)) continue;
      if ((follower && above.includes(follower.actor)) || count > budget.left) continue;
      budget.left -= count;
      const next = follower ? this.#links(follower.rest, [...above, follower.actor], budget, count) : [];
      links.push({ channel, follower, next });
    }
    return links;
  }
}

/** The process never waits for a token elsewhere. */
function popsOnly({ body }: ProcessIr, channel: Channel): boolean {
  for (const stmt of statementsIn(body))
    if (stmt.kind === "pop" && stmt.channel.parts.some((part) => part !== channel)) return false;
  return true;
}
