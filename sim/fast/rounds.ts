/**
 * Loops of several processes that run in step. A *pass* of a loop does a fixed list of channel operations and clocks; where
 * all of them go between passes of such loops, one pass of each is a *round*, done in one piece of straight code
 * (rounds-code.ts): tokens need no rings, nobody has to be woken. What happens only now and then (a branch that waits, the
 * loop's end) is told by *guards*, evaluated before a pass; such a pass is left to the processes themselves.
 */
import type { Channel } from "../../hw/channel.js";
import type { Expr, Local, Loop, ProcessIr, Stmt } from "../../hw/ir/ir.js";
import { expressionsWithin, statementsIn } from "../../hw/ir/walk.js";
import type { Memory, MemoryPort } from "../../hw/memory.js";
import type { BankLoop } from "./bank-code.js";
import { feedLoop, type FeedLoop } from "./feed-burst.js";
import { kindsOf } from "./pass-choice.js";
import { passOf } from "./pass-reader.js";
import { relayOf, type Relay } from "./relay.js";

export type PassStep =
  | { readonly kind: "plain"; readonly stmt: Stmt }
  | { readonly kind: "clocks"; readonly count: Expr | 1 }
  | { readonly kind: "pop"; readonly channel: Channel; readonly into: Local | undefined }
  | { readonly kind: "push"; readonly channel: Channel; readonly value: Expr; readonly words: WordsOfBanks | undefined }
  | { readonly kind: "feed"; readonly loop: FeedLoop }
  | { readonly kind: "wave"; readonly feed: Extract<Stmt, { kind: "feed" }> }
  /** A loop that uses no channel and counts from `first` by `by`; how often it goes round is known before the pass. */
  | {
      readonly kind: "repeat";
      readonly loop: Loop;
      readonly steps: readonly PassStep[];
      readonly counter: Local;
      readonly first: number;
      readonly by: number;
      readonly bound: Expr;
    }
  /** Of a branch: an operation on a channel to the outside of the round, which need not wait for anything unsimulated. */
  | { readonly kind: "outside"; readonly stmt: Extract<Stmt, { kind: "pop" | "push" }>; readonly channel: Channel }
  | {
      readonly kind: "if";
      readonly condition: Expr;
      readonly then: readonly PassStep[];
      readonly else: readonly PassStep[];
    }
  /** The counter of a loop that is written out has this value from here on. */
  | { readonly kind: "count"; readonly counter: Local; readonly value: number };

/** A read of banks (bank-code.ts) that every pass does, with its address, and of how many banks, as known before the pass. */
export interface BankRead {
  readonly loop: BankLoop;
  readonly stmt: Loop;
  readonly address: Expr;
  readonly used: Expr | undefined;
}

/** A token that is the words of banks, perhaps of the first `used` only, as known before the pass, and then `fill`. */
export interface WordsOfBanks {
  readonly parts: readonly MemoryPort[];
  readonly used: Expr | undefined;
  readonly fill: Expr | undefined;
}

/** An expression of what is known before the pass (variables, and tokens it will pop), and what it has to be. */
export interface Guard {
  readonly condition: Expr;
  readonly holds: boolean;
}

/** An operation on a channel to the outside of the round, under conditions: then it has to be possible at once. */
export interface Outside {
  readonly side: "pop" | "push";
  readonly channel: Channel;
  readonly path: readonly Guard[];
}

/**
 * A loop that is all that takes time in the loop around it: if a pass is its last, one goes the way round the outer loop to its
 * first, as long as the guards hold.
 */
export interface WayRound {
  readonly guards: readonly Guard[];
  readonly stmts: readonly Stmt[];
}

/** What a pass of a loop does when its guards hold. */
export interface Pass {
  readonly actor: number;
  readonly loop: Loop;
  /** Where the process stands before a pass: at this pop, or, if undefined, at the start of the loop's body. */
  readonly head: Extract<Stmt, { kind: "pop" }> | undefined;
  /** What it does in the loop's body on its way to the head: declarations and assertions. */
  readonly ahead: readonly Stmt[];
  readonly steps: readonly PassStep[];
  readonly guards: readonly Guard[];
  /** Those among them that say that another pass follows. */
  readonly follows: readonly Guard[];
  readonly outside: readonly Outside[];
  /** Another pass follows if this holds behind a pass, or else by the way round. */
  readonly again: Guard;
  readonly bankReads: readonly BankRead[];
  readonly around: WayRound | undefined;
  /** The same, with guards as they stand behind a pass instead of before it. */
  readonly wayBehind: WayRound | undefined;
  /** Of a pass without a head: what it has in place of `guards` and `around` where another process is the first of the round. */
  readonly behind: Pick<Pass, "guards" | "around"> | undefined;
  /** What decides how many clocks the steps take, known before the pass; undefined where something else decides. */
  readonly decisive: readonly Expr[] | undefined;
  /** How many of these, the first, decide when operations on channels happen; the clocks of the others come behind all of them. */
  readonly ordering: number;
  /** It holds for inner loops that go round once; these may have passes themselves. */
  readonly once: boolean;
  readonly pops: readonly Channel[];
  readonly pushes: readonly Channel[];
  readonly memories: ReadonlySet<Memory>;
  /** The clock moves on by at most this much, waits for others aside. */
  readonly clocks: number;
}

/**
 * Passes in the order of a round: who pushes comes before who pops. The first waits for nobody; others without a head park at their
 * loops as it does.
 */
export type Cluster = readonly Pass[];

/** Passes that only take tokens from an outer input; one or the other runs in step with its source. */
export interface Intake {
  readonly channel: Channel;
  readonly takers: readonly Taker[];
}

/** Who takes the tokens, perhaps from a relay (relay.ts) that takes them from the source. */
export interface Taker {
  readonly pass: Pass;
  readonly relay: Relay | undefined;
}

export interface Rounds {
  readonly clusters: readonly Cluster[];
  readonly intakes: readonly Intake[];
}

/** Loops of fewer passes are not worth it. */
const FEWEST_TRIPS = 4;

export function findRounds(processes: readonly ProcessIr[], inputs: ReadonlySet<Channel>): Rounds {
  const read = (outer: ReadonlySet<Channel>): readonly Pass[] =>
    processes.flatMap((process, actor) =>
      process.polls || usesSignals(process) ? [] : candidates(process, actor, outer),
    );
  const relays = read(inputs).flatMap((pass) => relayOf(pass, inputs) ?? []);
  // What comes through a relay comes from outside.
  const outer = relays.length > 0 ? new Set([...inputs, ...relays.map(({ through }) => through)]) : inputs;
  const passes = read(outer);
  const takes = (pass: Pass): boolean => pass.pops.some((channel) => outer.has(channel));
  const firsts = kinds(passes).map(([first]) => first!);
  const alone = firsts.filter((pass) => takes(pass) && pass.pops.length === 1 && pass.pushes.length === 0 && pass.head);
  const takersOf = (channel: Channel, relay?: Relay): Taker[] =>
    alone.flatMap((pass) => (pass.pops.includes(channel) ? [{ pass, relay }] : []));
  const intakes = [...inputs].flatMap((channel) => {
    const relayed = relays.filter(({ pass }) => pass.pops.includes(channel));
    const through = relayed.flatMap((relay) =>
      takersOf(relay.through, relay).filter(
        ({ pass: { steps } }) => steps.filter(({ kind }) => kind === "pop").length === 1,
      ),
    );
    const takers = [...takersOf(channel), ...through];
    return takers.length > 0 ? [{ channel, takers }] : [];
  });
  return { clusters: findClusters(possible(passes.filter((pass) => !takes(pass)))), intakes };
}

/** Without passes that use a channel whose other side is in no pass. */
function possible(passes: readonly Pass[]): readonly Pass[] {
  const meets = (pass: Pass, channel: Channel, side: "pops" | "pushes"): boolean =>
    passes.some((other) => other.actor !== pass.actor && other[side].includes(channel));
  const left = passes.filter(
    (pass) =>
      pass.pops.every((channel) => meets(pass, channel, "pushes")) &&
      pass.pushes.every((channel) => meets(pass, channel, "pops")),
  );
  return left.length === passes.length ? left : possible(left);
}

/** Passes by their loops. */
function kinds(passes: readonly Pass[]): Pass[][] {
  const byLoop = new Map<Loop, Pass[]>();
  for (const pass of passes) byLoop.set(pass.loop, [...(byLoop.get(pass.loop) ?? []), pass]);
  return [...byLoop.values()];
}

/** For each loop that can be the first of a round, the round with the most members. */
function findClusters(passes: readonly Pass[]): Cluster[] {
  const clusters: Cluster[] = [];
  for (const firsts of kinds(passes.filter(({ head }) => head === undefined))) {
    // Its loop may be in step with another first one.
    if (clusters.some((cluster) => cluster.some(({ loop }) => loop === firsts[0]!.loop))) continue;
    const [best, ...others] = firsts.flatMap((first) => roundsOf(first, passes));
    if (best) clusters.push(others.reduce((most, each) => (each.length > most.length ? each : most), best));
  }
  return clusters;
}

const MOST_TRIALS = 1000;

/** All rounds that a pass can be the first of: the other side of each channel is a pass of another process, of whatever loop and kind. */
function roundsOf(first: Pass, all: readonly Pass[]): Cluster[] {
  const found: Cluster[] = [];
  let trials = 0;
  const complete = (chosen: readonly Pass[]): void => {
    if (++trials > MOST_TRIALS) return;
    const open = openEnd(chosen);
    if (!open) {
      const order = chosen.length > 1 ? inOrder(chosen) : undefined;
      if (order?.[0] === first && isCluster(order))
        found.push(order.map((pass) => (pass === first ? pass : { ...pass, ...(!pass.head && pass.behind) })));
      return;
    }
    for (const pass of all)
      if (pass[open.side].includes(open.channel) && !chosen.some(({ actor }) => actor === pass.actor))
        complete([...chosen, pass]);
  };
  complete([first]);
  return found;
}

/** A channel of which no chosen pass is the other side. */
function openEnd(chosen: readonly Pass[]): { channel: Channel; side: "pops" | "pushes" } | undefined {
  for (const pass of chosen)
    for (const [mine, side] of [
      ["pushes", "pops"],
      ["pops", "pushes"],
    ] as const)
      for (const channel of pass[mine])
        if (!chosen.some((other) => other[side].includes(channel))) return { channel, side };
  return undefined;
}

export const usesSignals = ({ body }: ProcessIr): boolean => {
  for (const expr of expressionsWithin(body)) if (expr.kind === "signal") return true;
  for (const { kind } of statementsIn(body)) if (kind === "signal") return true;
  return false;
};

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
    others.every(({ head, behind }) => head !== undefined || behind !== undefined)
  );
}

/** The outermost loops of a process that have passes. */
function candidates({ body }: ProcessIr, actor: number, inputs: ReadonlySet<Channel>): Pass[] {
  const found: Pass[] = [];
  const look = (stmts: readonly Stmt[], around?: Loop): void => {
    stmts.forEach((stmt) => {
      if (stmt.kind === "loop" && !stmt.combinational && !feedLoop(stmt)) {
        // Few passes are many where the way round the outer loop is a part of them.
        const passes = kindsOf((choices) => passOf(stmt, actor, inputs, around, choices)).filter(
          (pass) => (stmt.trips ?? Infinity) * (pass.around ? (around!.trips ?? Infinity) : 1) >= FEWEST_TRIPS,
        );
        found.push(...passes);
        if (passes.some(({ once }) => !once)) return;
      }
      if (stmt.kind === "loop") look(stmt.body, stmt);
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
