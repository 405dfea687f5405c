/**
 * Second step of the lowering: the statements of a process as a flow graph of single actions. A clock ends at `edge`
 * nodes; at `pop` and `push` nodes it ends if the operation is not ready, and the process then starts there again.
 */
import type { Channel } from "../channel.js";
import { TandemError } from "../errors.js";
import type { Expr, Local, Position, ProcessIr, Ref, Stmt } from "../ir/ir.js";
import { unroll, where } from "./unroll.js";

/** Statements that always go on to the next one, in the same clock. */
export type Action = Exclude<
  Stmt,
  {
    kind: "if" | "loop" | "block" | "break" | "continue" | "end" | "edge" | "clocks" | "pop" | "push";
  }
>;

interface Base {
  readonly id: number;
  readonly at: Position;
}
export type Node = Base &
  (
    | { readonly kind: "action"; readonly action: Action; next: Node }
    | { readonly kind: "branch"; readonly condition: Expr; next: Node; otherwise: Node }
    | { readonly kind: "pop"; readonly channel: Ref<Channel>; readonly into: Local | undefined; next: Node }
    | { readonly kind: "push"; readonly channel: Ref<Channel>; value: Expr; next: Node }
    | { readonly kind: "edge"; next: Node }
    /** A place to jump to; gone from the finished graph. */
    | { readonly kind: "join"; next: Node | undefined }
    | { readonly kind: "end" }
  );

export interface Graph {
  readonly start: Node;
  /** Nodes that can be reached. */
  readonly nodes: readonly Node[];
  /** Locals that the lowering added: latched operands and counters of clocks. */
  readonly added: readonly Local[];
}

interface Labels {
  readonly breaks: ReadonlyMap<string, Node>;
  readonly continues: ReadonlyMap<string, Node>;
}

export function successors(node: Node): Node[] {
  if (node.kind === "end") return [];
  if (node.kind === "branch") return [node.next, node.otherwise];
  return node.next ? [node.next] : [];
}

export class GraphBuilder {
  #count = 0;
  readonly #added: Local[] = [];
  #nextLocal: number;
  readonly #path: string;

  constructor(process: ProcessIr) {
    this.#nextLocal = Math.max(-1, ...process.locals.map(({ id }) => id)) + 1;
    this.#path = process.node.path;
  }

  build(process: ProcessIr): Graph {
    const { module } = process.node;
    const at = process.body[0]?.at ?? { file: module.path, line: 1, column: 1 };
    const end: Node = { kind: "end", id: this.#count++, at };
    const start = this.#sequence(unroll(process.body), end, { breaks: new Map(), continues: new Map() });
    const nodes: Node[] = [];
    const first = this.#resolve(start);
    const seen = new Set([first]);
    const open = [first];
    for (let node = open.pop(); node; node = open.pop()) {
      nodes.push(node);
      if (node.kind !== "end" && node.next) node.next = this.#resolve(node.next);
      if (node.kind === "branch") node.otherwise = this.#resolve(node.otherwise);
      for (const next of successors(node).reverse()) {
        if (seen.has(next)) continue;
        seen.add(next);
        open.push(next);
      }
    }
    return { start: first, nodes, added: this.#added };
  }

  /** A new local of the process. */
  local(name: string, type: Local["type"]): Local {
    const local: Local = { id: this.#nextLocal++, name, type, mutable: true };
    this.#added.push(local);
    return local;
  }

  action(action: Action, next: Node): Node {
    return { kind: "action", action, next, id: this.#count++, at: action.at };
  }

  #resolve(node: Node): Node {
    let at = node;
    const seen = new Set<Node>();
    while (at.kind === "join") {
      if (seen.has(at) || !at.next)
        throw new TandemError(
          `${where(node.at)}: ${this.#path} goes round a loop that does nothing and takes no clock`,
          {
            hint: "Put a yield in its body.",
          },
        );
      seen.add(at);
      at = at.next;
    }
    return at;
  }

  #sequence(stmts: readonly Stmt[], next: Node, labels: Labels): Node {
    let node = next;
    for (const stmt of stmts.toReversed()) node = this.#statement(stmt, node, labels);
    return node;
  }

  #join(at: Position, next?: Node): Extract<Node, { kind: "join" }> {
    return { kind: "join", id: this.#count++, at, next };
  }

  #statement(s: Stmt, next: Node, labels: Labels): Node {
    const { at } = s;
    switch (s.kind) {
      case "if":
        return {
          kind: "branch",
          id: this.#count++,
          at,
          condition: s.condition,
          next: this.#sequence(s.then, next, labels),
          otherwise: this.#sequence(s.else, next, labels),
        };
      case "block": {
        const breaks = new Map(labels.breaks).set(s.label, next);
        return this.#sequence(s.body, next, { ...labels, breaks });
      }
      case "loop": {
        const again = this.#join(at);
        const update = this.#sequence(s.update, again, labels);
        const body = this.#sequence(s.body, update, {
          breaks: new Map(labels.breaks).set(s.label, next),
          continues: new Map(labels.continues).set(s.label, update),
        });
        again.next = this.#test(s.condition, body, next, at);
        return s.atLeastOnce ? body : again;
      }
      case "break":
        return this.#target(labels.breaks, s.label);
      case "continue":
        return this.#target(labels.continues, s.label);
      case "end":
        return { kind: "end", id: this.#count++, at };
      case "edge":
        return { kind: "edge", id: this.#count++, at, next };
      case "clocks":
        return this.#clocks(s, next);
      case "pop":
        return { kind: "pop", id: this.#count++, at, channel: s.channel, into: s.into, next };
      case "push":
        return { kind: "push", id: this.#count++, at, channel: s.channel, value: s.value, next };
      default:
        return this.action(s, next);
    }
  }

  #target(map: ReadonlyMap<string, Node>, label: string): Node {
    const node = map.get(label);
    if (!node) throw new Error(`label ${label} of ${this.#path} is not in scope`);
    return node;
  }

  #test(condition: Expr, then: Node, otherwise: Node, at: Position): Node {
    if (condition.kind === "const") return condition.value === false ? otherwise : then;
    return { kind: "branch", id: this.#count++, at, condition, next: then, otherwise };
  }

  /** `yield* clocks(n)`: count n edges down. */
  #clocks(s: Extract<Stmt, { kind: "clocks" }>, next: Node): Node {
    const { at, count } = s;
    if (s.estimate)
      throw new TandemError(`${where(at)}: an estimate is no hardware yet`, {
        hint: "Replace `this.estimate(n)` by the hardware that takes the time (language rule 8).",
      });
    if (count.kind === "const" && Number(count.value) <= 0) return next;
    if (count.kind === "const" && count.value === 1) return { kind: "edge", id: this.#count++, at, next };
    const { type } = count;
    const range = type.kind === "exact" ? type.range : { lo: 0, hi: (type as { max?: number }).max ?? 0 };
    const exact = { kind: "exact", range: { lo: Math.min(0, range.lo), hi: range.hi } } as const;
    const left = this.local("clocks_left", exact);
    const value: Expr = { kind: "local", local: left, type: exact, at };
    const constant = (n: number): Expr => ({
      kind: "const",
      value: n,
      at,
      type: { kind: "exact", range: { lo: n, hi: n } },
    });
    const boolean = { kind: "exact", range: { lo: 0, hi: 1 } } as const;
    const again = this.#join(at);
    const edge: Node = { kind: "edge", id: this.#count++, at, next: again };
    const less: Expr = { kind: "binary", op: "-", left: value, right: constant(1), type: exact, at };
    const step = this.action({ kind: "assign", target: value as never, value: less, at }, edge);
    const more: Expr = { kind: "binary", op: ">", left: value, right: constant(0), type: boolean, at };
    again.next = this.#test(more, step, next, at);
    const entry = count.kind === "const" ? step : again;
    return this.action({ kind: "let", local: left, value: count, at }, entry);
  }
}
