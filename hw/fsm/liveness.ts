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
