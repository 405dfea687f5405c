/** One process per end of a channel, per memory port, per written signal, per feed of a grid (rules 2, 4 and 5). */
import type { DesignIr, Position, Ref, Stmt } from "../ir/ir.js";
import { expressionsIn, expressionsOf, statementsIn } from "../ir/walk.js";
import type { ProcessNode } from "../process.js";
import type { Find } from "./clocks.js";
import type { Rule } from "./diagnostic.js";

interface Use {
  /** What is used, and how: the same for uses that exclude each other. */
  readonly key: string;
  readonly rule: Rule;
  readonly what: string;
  readonly hint: string;
}

const channelUse = (side: "popped" | "pushed", path: string): Use => ({
  key: `${side} ${path}`,
  rule: "channel-user",
  what: `channel ${path} is ${side}`,
  hint: "A channel has one producer and one consumer: give each process a channel of its own.",
});

const portUse = (path: string): Use => ({
  key: `port ${path}`,
  rule: "port-user",
  what: `port ${path} is used`,
  hint: "A port belongs to one process: declare another port of the memory.",
});

const each = <P extends { readonly path: string }>({ parts }: Ref<P>, use: (path: string) => Use): Use[] =>
  parts.map(({ path }) => use(path));

function usesOf(stmt: Stmt): Use[] {
  switch (stmt.kind) {
    case "pop":
    case "tryPop":
    case "peek":
      return each(stmt.channel, (path) => channelUse("popped", path));
    case "push":
    case "tryPush":
      return each(stmt.channel, (path) => channelUse("pushed", path));
    case "read":
    case "write":
      return each(stmt.port, portUse);
    case "signal":
      return each(stmt.signal, (path) => ({
        key: `signal ${path}`,
        rule: "signal-writer",
        what: `signal ${path} is written`,
        hint: "A signal has one writer.",
      }));
    case "feed":
      return [
        {
          key: `feed ${stmt.grid.path}`,
          rule: "grid-feed",
          what: `grid ${stmt.grid.path} is fed`,
          hint: "One process feeds a grid.",
        },
      ];
    default:
      return [];
  }
}

function portsOf(stmt: Stmt): Use[] {
  const uses: Use[] = [];
  for (const expr of expressionsOf(stmt))
    for (const one of expressionsIn(expr)) if (one.kind === "q") uses.push(...each(one.port, portUse));
  return uses;
}

export function checkUsers({ design, processes }: DesignIr, find: Find): void {
  const first = new Map<string, { readonly path: string; readonly node: ProcessNode | undefined }>();
  for (const { results, path } of design.grids) {
    const { key } = channelUse("pushed", results.channel.path);
    first.set(key, { path: `the grid ${path}`, node: undefined });
  }
  const claim = (use: Use, node: ProcessNode, at: Position): void => {
    const owner = first.get(use.key);
    if (!owner) first.set(use.key, { path: node.path, node });
    else if (owner.node !== node) find(at, use.rule, `${use.what} by both ${owner.path} and ${node.path}`, use.hint);
  };
  for (const { node, body } of processes)
    for (const stmt of statementsIn(body))
      for (const use of [...usesOf(stmt), ...portsOf(stmt)]) claim(use, node, stmt.at);
}
