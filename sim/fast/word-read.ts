/** Words that a follower (follower.ts) reads where they stand: which reads need no copy of the word. */
import type { Expr, Local, Stmt } from "../../hw/ir/ir.js";
import { expressionsWithin } from "../../hw/ir/walk.js";
import { isScalar } from "./layout.js";
import type { PortPlan } from "./memory-plan.js";
import { matters } from "./pass-facts.js";
import type { Plan } from "./plan.js";

export interface WordRead {
  readonly plan: PortPlan;
  readonly address: Expr;
  readonly edge: Stmt;
  readonly local: Local;
}

/**
 * A read, a clock, and a name for the word, which is used up to the next wait only (`isWord`); nobody else asks for `q`. Then the word may
 * stay where it is, if none of those writes it who may be at work before this pass is over (`within`).
 */
export function wordRead(
  { ir, ports }: Plan,
  actor: number,
  within: ReadonlySet<number>,
  [read, edge, name, ...behind]: readonly Stmt[],
): WordRead | undefined {
  if (read?.kind !== "read" || edge?.kind !== "edge" || name?.kind !== "let" || name.value.kind !== "q")
    return undefined;
  const [part, ...more] = read.port.parts;
  const { port } = name.value;
  if (!part || more.length > 0 || port.parts.length > 1 || port.parts[0] !== part || part.canWrite) return undefined;
  const { body } = ir.processes[actor]!;
  const asked = [...expressionsWithin(body)].filter((expr) => expr.kind === "q" && expr.port.parts.includes(part));
  const plan = ports.get(part)!;
  if (plan.wordStride > 0 || asked.length > 1 || !isWord(name.local, behind, body)) return undefined;
  if ([...plan.memory.writeEpochs.keys()].some((writer) => writer === actor || within.has(writer))) return undefined;
  return { plan, address: read.address, edge, local: name.local };
}

/** The word of a port has a name that is used up to the next wait only, and no read comes before that: no copy is needed. */
export function isWord(local: Local, behind: readonly Stmt[], body: readonly Stmt[]): boolean {
  if (isScalar(local.type)) return false;
  const uses = (stmts: Iterable<Stmt>): number =>
    [...expressionsWithin(stmts)].filter((expr) => expr.kind === "local" && expr.local === local).length;
  const until = behind.findIndex((stmt) => matters(stmt));
  const wait = behind[until];
  const plain = behind.slice(0, Math.max(until, 0));
  if (wait?.kind !== "push" || plain.some(({ kind }) => kind !== "let" && kind !== "assert")) return false;
  return uses([...plain, wait]) === uses(body);
}
