/**
 * Third step: operands that must be held. A push evaluates its operand once, on first arrival (language rule 3). The
 * cheapest place to hold it is the channel itself: the operand is *staged*, written behind the channel's last token, and
 * the push only makes it count. Where that cannot be (walk.ts says so), an operand that cannot change while the process
 * waits is computed again in every clock; one that can (a signal, a memory's `q` whose next word is on its way), or that
 * would keep more bits alive than it has itself, gets a register.
 */
import type { Channel } from "../channel.js";
import type { MemoryPort } from "../memory.js";
import type { Expr, Local, Ref } from "../ir/ir.js";
import { successors, type Graph, type GraphBuilder, type Node } from "./graph.js";
import { localsIn, portsIn, visitExpr } from "./uses.js";
import { widthOf } from "./width.js";

/** Operands that stand in their channels until they are pushed: what the process calls them, and the channel. */
export type Staged = ReadonlyMap<Local, Channel>;

/** Deeper channels have no slot to spare: a lookup table used as memory has 32. */
const mostSlots = 32;

/** `unstaged`: pushes, by the number of their node, whose operands cannot be staged. */
export function latchOperands(
  graph: Graph,
  builder: GraphBuilder,
  unstaged: ReadonlySet<number>,
): { graph: Graph; staged: Staged } {
  const reading = pendingReads(graph);
  const replaced = new Map<Node, Node>();
  const staged = new Map<Local, Channel>();
  for (const node of graph.nodes) {
    if (node.kind !== "pop" && node.kind !== "push") continue;
    const pending = reading.get(node)!;
    let entry: Node = node;
    const hold = (name: string, value: Expr, local = builder.local(name, value.type)): Expr => {
      entry = builder.action({ kind: "let", local, value, at: node.at }, entry);
      return { kind: "local", local, type: value.type, at: value.at };
    };
    const { index } = node.channel;
    if (index && !isStable(index, pending))
      (node as { channel: Ref<unknown> }).channel = { parts: node.channel.parts, index: hold("lane", index) };
    if (node.kind === "push") {
      const channel = node.channel.parts[0]!;
      const stages = !index && channel.lanes === 1 && channel.depth < mostSlots && !unstaged.has(node.id);
      if (stages ? node.value.kind !== "const" : !isStable(node.value, pending) || isCostly(node.value)) {
        const { type } = channel;
        const operand = builder.local("operand", stages ? type : node.value.type);
        if (stages) staged.set(operand, channel);
        node.value = hold("operand", node.value, operand);
      }
    }
    if (entry !== node) replaced.set(node, entry);
  }
  if (replaced.size === 0) return { graph, staged };
  const redirect = (node: Node): Node => replaced.get(node) ?? node;
  const nodes: Node[] = [];
  for (const node of graph.nodes) {
    if (node.kind !== "end" && node.next) node.next = redirect(node.next);
    if (node.kind === "branch") node.otherwise = redirect(node.otherwise);
    nodes.push(node);
    for (let extra = replaced.get(node); extra && extra !== node; extra = successors(extra)[0]) nodes.push(extra);
  }
  return { graph: { start: redirect(graph.start), nodes, added: graph.added }, staged };
}

/** Per node, the memory ports that may have been read earlier in the same clock. */
function pendingReads(graph: Graph): Map<Node, Set<MemoryPort>> {
  const before = new Map<Node, Set<MemoryPort>>(graph.nodes.map((node) => [node, new Set()]));
  const open = [...graph.nodes];
  for (let node = open.pop(); node; node = open.pop()) {
    const after = node.kind === "edge" ? new Set<MemoryPort>() : new Set(before.get(node));
    if (node.kind === "action" && node.action.kind === "read")
      for (const port of node.action.port.parts) after.add(port);
    for (const next of successors(node)) {
      const known = before.get(next)!;
      const size = known.size;
      for (const port of after) known.add(port);
      if (known.size > size) open.push(next);
    }
  }
  return before;
}

function isStable(e: Expr, pending: ReadonlySet<MemoryPort>): boolean {
  let stable = true;
  visitExpr(e, (x) => {
    if (x.kind === "signal") stable = false;
  });
  for (const port of portsIn(e)) if (pending.has(port)) stable = false;
  return stable;
}

function isCostly(e: Expr): boolean {
  let operators = 0;
  let fields = 0;
  visitExpr(e, (x) => {
    if (x.kind === "binary" || x.kind === "call" || x.kind === "unary" || x.kind === "select") operators++;
    if (x.kind === "field") fields++;
  });
  if (operators === 0 || (fields > 0 && operators < 2)) return false;
  const bits = [...localsIn([e])].reduce((sum, local: Local) => sum + widthOf(local.type).width, 0);
  return operators > 8 || bits > widthOf(e.type).width;
}
