/**
 * Last step: what a process does within one clock, as a graph without cycles. From the state where it stands, it walks
 * through the flow graph until an edge, or an operation that is not ready. An operation beyond the lanes of its
 * clock is not ready either (language rule 2), so every way round a loop without an edge stops at an operation that was
 * used up; where a walk can pass a node twice before that, the node has two steps here. How often each side of a
 * channel has been used on the way to a step is kept as an interval: only where it is not known does the hardware check.
 */
import type { Channel } from "../channel.js";
import { TandemError } from "../errors.js";
import type { ProcessIr } from "../ir/ir.js";
import { GraphBuilder, successors, type Graph, type Node } from "./graph.js";
import { latchOperands, type Staged } from "./latch.js";
import { registersOf, removeDead, statesOf } from "./liveness.js";
import type { Local } from "../ir/ir.js";
import { definitionsOf, exprsOf, visitExpr, type Variable } from "./uses.js";
import { where } from "./unroll.js";

/** Operations on one side of a channel so far in this clock. */
export interface Interval {
  readonly min: number;
  readonly max: number;
}
export type Side = "pop" | "push";
export type Usage = ReadonlyMap<Channel, { readonly pop: Interval; readonly push: Interval }>;

export interface Step {
  readonly node: Node;
  /** Use of the channels before this step. */
  usage: Usage;
  /** Variables that may have changed in this clock before this step. */
  changed: Set<Variable>;
  /** A clock can begin here. */
  state: boolean;
  /** Steps that lead here. */
  readonly from: Step[];
  /** Undefined after an edge or end, or where the operation can never be ready. */
  next: Step | undefined;
  otherwise: Step | undefined;
}

export interface Machine {
  readonly process: ProcessIr;
  readonly start: Node;
  readonly states: readonly Node[];
  /** Every step stands after all steps that lead to it. */
  readonly steps: readonly Step[];
  readonly registers: ReadonlySet<Local>;
  readonly locals: readonly Local[];
  /** Operands that stand in their channels and need no register. */
  readonly staged: Staged;
}

const none: Interval = { min: 0, max: 0 };
const idle = { pop: none, push: none };
export const usageOf = (usage: Usage, channel: Channel, side: Side): Interval => usage.get(channel)?.[side] ?? none;

/** A loop passes a node at most once per lane in a clock; more rounds than this have no clock in them. */
const maxRounds = 64;

export function lower(process: ProcessIr): Machine {
  const unstaged = new Set<number>();
  for (;;) {
    const machine = lowerWith(process, unstaged);
    const wrong = stagedTooEarly(machine);
    if (wrong.length === 0) return machine;
    for (const id of wrong) unstaged.add(id);
  }
}

/** Pushes whose operand may come in a clock in which the channel has been pushed already: their data would meet. */
function stagedTooEarly({ steps, staged }: Machine): number[] {
  return steps.flatMap(({ node, usage }) => {
    if (node.kind !== "action" || node.action.kind !== "let") return [];
    const channel = staged.get(node.action.local);
    return channel && usageOf(usage, channel, "push").max > 0 ? [node.next.id] : [];
  });
}

function lowerWith(process: ProcessIr, unstaged: ReadonlySet<number>): Machine {
  const builder = new GraphBuilder(process);
  const latched = latchOperands(builder.build(process), builder, unstaged);
  const { staged } = latched;
  const graph = removeDead(latched.graph);
  const states = statesOf(graph);
  // Where a cycle is cut decides how much of it is needed twice: take the cheapest cut.
  const roots = states.filter((node) => node.kind !== "end");
  const tried = roots.slice(0, 40).map((first) => walk(graph, states, [first, ...roots.filter((r) => r !== first)]));
  const best = tried.reduce((a, b) => (b.cost < a.cost ? b : a));
  return {
    process,
    start: graph.start,
    states,
    steps: best.steps,
    registers: new Set([...registersOf(graph, states)].filter((local) => !staged.has(local))),
    locals: [...process.locals, ...graph.added],
    staged,
  };
}

interface Walk {
  readonly steps: Step[];
  readonly cost: number;
}

const inClock = (node: Node): Node[] => (node.kind === "edge" ? [] : successors(node));

/** Nodes so ordered that only the edges in `back` go backward. */
function order(roots: readonly Node[]): { sorted: Node[]; back: Set<string> } {
  const done = new Map<Node, "open" | "done">();
  const post: Node[] = [];
  const back = new Set<string>();
  const visit = (node: Node): void => {
    done.set(node, "open");
    for (const next of inClock(node).reverse()) {
      const state = done.get(next);
      if (state === "open") back.add(`${node.id}>${next.id}`);
      else if (!state) visit(next);
    }
    done.set(node, "done");
    post.push(node);
  };
  for (const root of roots) if (!done.has(root)) visit(root);
  return { sorted: post.reverse(), back };
}

function walk(graph: Graph, states: readonly Node[], roots: readonly Node[]): Walk {
  const { sorted, back } = order(roots);
  const steps: Step[] = [];
  let cost = 0;
  let round = new Map<Node, Step>();
  const stepAt = (map: Map<Node, Step>, node: Node): Step => {
    let step = map.get(node);
    if (!step) {
      step = {
        node,
        usage: new Map(),
        changed: new Set(),
        state: false,
        from: [],
        next: undefined,
        otherwise: undefined,
      };
      map.set(node, step);
    }
    return step;
  };
  for (const node of states) stepAt(round, node).state = true;
  for (let count = 0; round.size > 0; count++) {
    if (count > maxRounds) {
      const node = sorted.find((n) => round.has(n))!;
      throw new TandemError(`${where(node.at)}: a path round this loop takes no clock`, {
        hint: "Put a yield on it, or give the loop a bound of at least 1.",
      });
    }
    const later = new Map<Node, Step>();
    for (const node of sorted) {
      const step = round.get(node);
      if (!step) continue;
      steps.push(step);
      cost += costOf(node);
      if (node.kind === "edge" || isUsedUp(step)) continue;
      const usage = usageAfter(step);
      const changed = new Set(step.changed);
      for (const { variable } of definitionsOf(node)) changed.add(variable);
      const go = (next: Node): Step => {
        const target = stepAt(back.has(`${node.id}>${next.id}`) ? later : round, next);
        merge(target, step, usage, changed);
        return target;
      };
      if (node.kind !== "end") step.next = node.next ? go(node.next) : undefined;
      if (node.kind === "branch") step.otherwise = go(node.otherwise);
    }
    round = later;
  }
  return { steps, cost };
}

function merge(target: Step, from: Step, usage: Usage, changed: ReadonlySet<Variable>): void {
  const first = target.from.length === 0 && !target.state;
  target.from.push(from);
  for (const variable of changed) target.changed.add(variable);
  if (first) {
    target.usage = usage;
    return;
  }
  const joined = new Map<Channel, { pop: Interval; push: Interval }>();
  const join = (a: Interval, b: Interval): Interval => ({ min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) });
  for (const channel of new Set([...usage.keys(), ...target.usage.keys()])) {
    const a = usage.get(channel) ?? idle;
    const b = target.usage.get(channel) ?? idle;
    joined.set(channel, { pop: join(a.pop, b.pop), push: join(a.push, b.push) });
  }
  target.usage = joined;
}

/** The operation of a step, if it uses a channel. */
export function operationOf(node: Node): { side: Side; channels: readonly Channel[]; polls: boolean } | undefined {
  if (node.kind === "pop" || node.kind === "push")
    return { side: node.kind, channels: node.channel.parts, polls: false };
  if (node.kind !== "action") return undefined;
  const { action } = node;
  if (action.kind === "tryPop") return { side: "pop", channels: action.channel.parts, polls: true };
  if (action.kind === "tryPush") return { side: "push", channels: action.channel.parts, polls: true };
  return undefined;
}

/** True where the operation can never be ready, as the lanes of this clock are used up on every way here. */
export function isUsedUp({ node, usage }: Step): boolean {
  const operation = operationOf(node);
  if (!operation || operation.polls) return false;
  return operation.channels.every((channel) => usageOf(usage, channel, operation.side).min >= channel.lanes);
}

function usageAfter({ node, usage }: Step): Usage {
  const operation = operationOf(node);
  if (!operation) return usage;
  const { side, channels, polls } = operation;
  const after = new Map(usage);
  const certain = channels.length === 1 && !polls;
  for (const channel of channels) {
    const { min, max } = usageOf(usage, channel, side);
    const next = { min: certain ? min + 1 : min, max: Math.min(max + 1, channel.lanes) };
    after.set(channel, { ...(usage.get(channel) ?? idle), [side]: next });
  }
  return after;
}

/** A rough price of a node's hardware. */
function costOf(node: Node): number {
  let cost = 1;
  for (const e of exprsOf(node))
    visitExpr(e, (x) => {
      if (x.kind === "binary") cost += x.op === "*" ? 20 : 2;
      else if (x.kind === "call") cost += x.helper === "doublingHighMul" ? 80 : 10;
      else if (x.kind === "index" && x.index.kind !== "const") cost += 5;
    });
  return cost;
}
