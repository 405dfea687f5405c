/** Which reads of banks in a pass can be left where the words stand in a leap (bank-view.ts). */
import type { Channel } from "../../hw/channel.js";
import type { Expr, Stmt } from "../../hw/ir/ir.js";
import { expressionsIn, expressionsWithin, sameExpr, statementsIn } from "../../hw/ir/walk.js";
import { liesAlike, readsTogether } from "./bank-code.js";
import { BankView, type Push } from "./bank-view.js";
import type { Actor } from "./channel-code.js";
import type { Layout } from "./layout.js";
import type { PortGroup } from "./memory-plan.js";
import type { Pass } from "./rounds.js";
import { rules } from "./rules.js";

/** The views of a pass; `movesOnly` tells that who pops a token does nothing with it but move its elements. */
export function bankViews(
  actor: Actor,
  pass: Pass,
  groups: readonly PortGroup[],
  layoutOf: (push: Push) => Layout,
  movesOnly: (channel: Channel) => boolean,
): BankView[] {
  const within = [pass.loop, ...(pass.around?.stmts ?? [])];
  return groups.flatMap((group) => {
    const of = (parts: readonly unknown[]): boolean => group.ports.some(({ port }) => parts.includes(port));
    const all = (parts: readonly unknown[]): boolean =>
      parts.length === group.ports.length && group.ports.every(({ port }, i) => parts[i] === port);
    const reads = [...statementsIn(within)].filter((stmt) => stmt.kind === "read" && of(stmt.port.parts));
    const uses = [...expressionsWithin(within)].filter((expr) => expr.kind === "q" && of(expr.port.parts));
    const read = pass.bankReads.find(({ loop }) => all(loop.read.port.parts) && loop.trips === group.ports.length);
    const from = pass.steps.findIndex((step) => step.kind === "plain" && step.stmt === read?.stmt);
    const push = pass.steps.find(
      (step, i): step is Push =>
        i > from &&
        step.kind === "push" &&
        step.words !== undefined &&
        all(step.words.parts) &&
        isOnly(uses, step.value),
    );
    if (!read || !push || from < 0 || reads.length !== 1 || uses.length !== 1 || !readsTogether(actor, group))
      return [];
    const layout = layoutOf(push);
    if (!liesAlike(group, layout.leaves)) return [];
    const { used, fill } = push.words!;
    const { body } = actor.plan.ir.processes[pass.actor]!;
    const some =
      read.used !== undefined &&
      used !== undefined &&
      sameExpr(read.used, used) &&
      fill !== undefined &&
      isZero(fill, body) &&
      group.bytes % 16 === 0 &&
      movesOnly(push.channel);
    const isUsed = (stmts: readonly Stmt[]): number =>
      [...expressionsWithin(stmts)].filter((expr) => expr.kind === "q" && of(expr.port.parts)).length;
    const usedOnce =
      rules.round.viewOnce !== 0 ||
      actor.plan.ir.processes.reduce((sum, process) => sum + isUsed(process.body), 0) === 1;
    return [new BankView(actor, group, read, push, layout, some, usedOnce)];
  });
}

/** All bits of the value are zeros. */
function isZero(expr: Expr, body: readonly Stmt[]): boolean {
  if (expr.kind === "const") return Number(expr.value) === 0;
  if (expr.kind === "cast") return isZero(expr.operand, body);
  if (expr.kind === "map") return isZero(expr.body, body);
  if (expr.kind !== "local" || expr.local.mutable) return false;
  for (const stmt of statementsIn(body))
    if (stmt.kind === "let" && stmt.local === expr.local) return isZero(stmt.value, body);
  return false;
}

const isOnly = (uses: readonly Expr[], value: Expr): boolean => {
  const within = [...expressionsIn(value)];
  return uses.every((use) => within.includes(use));
};
