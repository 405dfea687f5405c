/**
 * What a process sets first, to constants, is what its registers hold after reset: then no state is needed in which they are
 * set, and no choice in front of each register for the one clock in which that happens.
 */
import type { Expr, Local } from "../ir/ir.js";
import { fold } from "./fold.js";
import { successors, type Graph, type Node } from "./graph.js";
import { definitionsOf } from "./uses.js";

/** The graph behind these statements, and the values. A start that the process comes back to stays as it is. */
export function resetValues(graph: Graph): { graph: Graph; initial: ReadonlyMap<Local, Expr> } {
  const initial = new Map<Local, Expr>();
  const gone = new Set<Node>();
  const entered = new Set(graph.nodes.flatMap((node) => successors(node)));
  if (entered.has(graph.start)) return { graph, initial };
  let start = graph.start;
  while (start.kind === "action" && start.action.kind === "let" && start.action.local.mutable) {
    const { local, value } = start.action;
    const folded = fold(value, new Map());
    if (!isConstant(folded) || !graph.nodes.some((node) => node !== start && sets(node, local))) break;
    // Somebody else may come to the next one.
    const { next } = start;
    initial.set(local, folded);
    gone.add(start);
    start = next;
    if (graph.nodes.some((node) => !gone.has(node) && successors(node).includes(next))) break;
  }
  return { graph: { ...graph, start, nodes: graph.nodes.filter((node) => !gone.has(node)) }, initial };
}

const sets = (node: Node, local: Local): boolean => definitionsOf(node).some(({ variable }) => variable === local);

function isConstant(expr: Expr): boolean {
  switch (expr.kind) {
    case "const":
      return true;
    case "vector":
      return expr.items.every(isConstant);
    case "struct":
      return expr.fields.every(({ value }) => isConstant(value));
    default:
      return false;
  }
}
