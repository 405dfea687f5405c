/**
 * Last step: what a process does within one clock, as a graph without cycles. From the state where it stands, it walks
 * through the flow graph until an edge, or an operation that is not ready. An operation beyond the lanes of its
 * clock is not ready either (language rule 2), so every way round a loop without an edge stops at an operation that was
 * used up; where a walk can pass a node twice before that, the node has two steps here. What no such way leads through
 * (the body of a loop that ends with its edge, however it was come to) has one step: its hardware stands there once. How often each
 * side of a channel has been used on the way to a step is kept as an interval: only where it is not known does the hardware check.
 */
import { TandemError } from "../errors.js";
import type { ProcessIr } from "../ir/ir.js";
import { GraphBuilder, successors, type Graph, type Node } from "./graph.js";
import { latchOperands, type Staged } from "./latch.js";
import { registersOf, removeDead, statesOf } from "./liveness.js";
import type { Expr, Local } from "../ir/ir.js";
import { resetValues } from "./reset.js";
import { definitionsOf, exprsOf, visitExpr, type Variable } from "./uses.js";
import { where } from "./unroll.js";
import { Combinations, INTERVALS, usageOf, type Domain, type Usage } from "./usage.js";

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
  /** What registers hold after reset; the others are set before they are used. */
  readonly initial: ReadonlyMap<Local, Expr>;
  readonly locals: readonly Local[];
  /** Operands that stand in their channels and need no register. */
  readonly staged: Staged;
}

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
  const { graph, initial } = resetValues(removeDead(latched.graph));
  const states = statesOf(graph);
  // Where a cycle is cut decides how much of it is needed twice: take the cheapest cut.
  const roots = states.filter((node) => node.kind !== "end");
  const orders = roots.slice(0, 40).map((first) => [first, ...roots.filter((r) => r !== first)]);
  const tried = walks(graph, states, orders);
  const best = tried.reduce((a, b) => (b.cost < a.cost ? b : a));
  return {
    process,
    start: graph.start,
    states,
    steps: best.steps,
    initial,
    registers: new Set([...registersOf(graph, states)].filter((local) => !staged.has(local))),
    locals: [...process.locals, ...graph.added],
    staged,
  };
}

interface Walk {
  readonly steps: Step[];
  readonly cost: number;
}

/** Intervals do for most processes; loops that may pass not at all, one after the other, need all combinations. */
function walks(graph: Graph, states: readonly Node[], orders: readonly Node[][]): Walk[] {
  const tried = orders.map((roots) => walk(graph, states, roots, INTERVALS));
  if (!tried.some((one) => "endless" in one)) return tried as Walk[];
  return orders.map((roots) => {
    const one = walk(graph, states, roots, new Combinations());
    if (!("endless" in one)) return one;
    throw new TandemError(`${where(one.endless.at)}: a path round this loop takes no clock`, {
      hint: "Put a yield on it, or give the loop a bound of at least 1.",
    });
  });
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

/** Nodes from which a clock goes on to its end without going backward: however often they are come to, one step will do. */
function tailOf({ sorted, back }: { sorted: readonly Node[]; back: ReadonlySet<string> }): ReadonlySet<Node> {
  const tail = new Set(sorted);
  for (const node of sorted) if (inClock(node).some((next) => back.has(`${node.id}>${next.id}`))) tail.delete(node);
  // Every way that is not backward leads further down the list.
  for (const node of sorted.toReversed()) if (inClock(node).some((next) => !tail.has(next))) tail.delete(node);
  return tail;
}

/** `endless`: a node of a loop that does not come to an end within the clock. */
function walk<U>(
  graph: Graph,
  states: readonly Node[],
  roots: readonly Node[],
  domain: Domain<U>,
): Walk | { readonly endless: Node } {
  const ordered = order(roots);
  const { sorted, back } = ordered;
  const tail = tailOf(ordered);
  const steps: Step[] = [];
  const used = new Map<Step, U>();
  let cost = 0;
  let round = new Map<Node, Step>();
  /** Behind the last round. */
  const last = new Map<Node, Step>();
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
  for (const node of states) {
    const step = stepAt(tail.has(node) ? last : round, node);
    step.state = true;
    used.set(step, domain.begin);
  }
  /** One pass over the steps of `here`; what goes backward is left to `later`. */
  const pass = (here: Map<Node, Step>, later: Map<Node, Step>): void => {
    for (const node of sorted) {
      const step = here.get(node);
      if (!step) continue;
      const before = used.get(step)!;
      step.usage = domain.intervals(before);
      steps.push(step);
      cost += costOf(node);
      const usage = node.kind === "edge" ? undefined : domain.after(node, before);
      if (usage === undefined) continue;
      const changed = new Set(step.changed);
      for (const { variable } of definitionsOf(node)) changed.add(variable);
      const go = (next: Node): Step => {
        const map = tail.has(next) ? last : back.has(`${node.id}>${next.id}`) ? later : here;
        const target = stepAt(map, next);
        target.from.push(step);
        for (const variable of changed) target.changed.add(variable);
        const known = used.get(target);
        used.set(target, known === undefined ? usage : domain.join(usage, known));
        return target;
      };
      if (node.kind !== "end") step.next = node.next ? go(node.next) : undefined;
      if (node.kind === "branch") step.otherwise = go(node.otherwise);
    }
  };
  for (let count = 0; round.size > 0; count++) {
    if (count > maxRounds) return { endless: sorted.find((n) => round.has(n))! };
    const later = new Map<Node, Step>();
    pass(round, later);
    round = later;
  }
  pass(last, last);
  return { steps, cost };
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
