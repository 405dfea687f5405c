/** Which locals must be registers: those whose value is still wanted where a clock begins. */
import type { Local } from "../ir/ir.js";
import { successors, type Graph, type Node } from "./graph.js";
import { definitionsOf, exprsOf, localsIn } from "./uses.js";

/** Where a process may stand between two clocks: at its start, after an edge, at an operation that waits. */
export function statesOf(graph: Graph): Node[] {
  const states = new Set<Node>([graph.start]);
  for (const node of graph.nodes) {
    if (node.kind === "pop" || node.kind === "push" || node.kind === "end") states.add(node);
    if (node.kind === "edge") states.add(node.next);
  }
  return graph.nodes.filter((node) => states.has(node));
}

export function registersOf(graph: Graph, states: readonly Node[]): Set<Local> {
  const live = liveIn(graph);
  const registers = new Set<Local>();
  for (const state of states) for (const local of live.get(state)!) registers.add(local);
  return registers;
}

/** The graph without assignments to locals that nobody reads any more, as unrolled counters leave them. */
export function removeDead(graph: Graph): Graph {
  for (;;) {
    const live = liveIn(graph);
    const dead = new Set(
      graph.nodes.filter((node) => {
        if (node.kind !== "action" || (node.action.kind !== "let" && node.action.kind !== "assign")) return false;
        return definitionsOf(node).every(({ variable }) => "id" in variable && !live.get(node.next)!.has(variable));
      }),
    );
    if (dead.size === 0) return graph;
    const skip = (node: Node): Node => {
      let at = node;
      while (dead.has(at)) at = (at as Extract<Node, { kind: "action" }>).next;
      return at;
    };
    for (const node of graph.nodes) {
      if (node.kind !== "end" && node.next) node.next = skip(node.next);
      if (node.kind === "branch") node.otherwise = skip(node.otherwise);
    }
    graph = { start: skip(graph.start), nodes: graph.nodes.filter((node) => !dead.has(node)), added: graph.added };
  }
}

/** Locals whose value on entry to the node is used. */
function liveIn(graph: Graph): Map<Node, Set<Local>> {
  const live = new Map<Node, Set<Local>>(graph.nodes.map((node) => [node, new Set()]));
  const before = new Map<Node, Node[]>(graph.nodes.map((node) => [node, []]));
  for (const node of graph.nodes) for (const next of successors(node)) before.get(next)!.push(node);
  const facts = new Map(
    graph.nodes.map((node) => {
      const kills = definitionsOf(node).flatMap(({ variable, whole }) => (whole && "id" in variable ? [variable] : []));
      const partial = definitionsOf(node).flatMap(({ variable, whole }) =>
        !whole && "id" in variable ? [variable] : [],
      );
      return [node, { kills: new Set<Local>(kills), uses: new Set([...localsIn(exprsOf(node)), ...partial]) }];
    }),
  );
  const open = [...graph.nodes];
  for (let node = open.pop(); node; node = open.pop()) {
    const { kills, uses } = facts.get(node)!;
    const here = live.get(node)!;
    const size = here.size;
    for (const local of uses) here.add(local);
    for (const next of successors(node)) for (const local of live.get(next)!) if (!kills.has(local)) here.add(local);
    if (here.size > size) open.push(...before.get(node)!);
  }
  return live;
}
