/** Operations of a round's process with the outside (member-code.ts): they go by the rings, since nobody there keeps step with the round. */
import type { Stmt } from "../../hw/ir/ir.js";
import { emitPush } from "./channel-code.js";
import type { ChannelPlan } from "./plan.js";
import type { StatementCompiler } from "./process.js";
import type { Pass, PassStep } from "./rounds.js";

/** The pass pushes a token of the round before it comes to this operation: that token cannot tell what the operation learns. */
export function pushesBefore({ steps }: Pass, operation: Stmt): boolean {
  const holds = (step: PassStep): boolean =>
    (step.kind === "outside" && step.stmt === operation) ||
    (step.kind === "if" && [...step.then, ...step.else].some(holds));
  return steps.slice(0, steps.findIndex(holds)).some(({ kind }) => kind === "push");
}

/**
 * A push whose token has been put. Who waits for it runs at once, if it may (`run`, its function): then it has been taken when
 * the next one comes.
 */
export function pushOut(compiler: StatementCompiler, plan: ChannelPlan, run: number | undefined): void {
  const { code } = compiler;
  const waits = code.temp("i32");
  if (run !== undefined) {
    code.loadAt(plan.popWaits).set(waits);
    code.storeAt(plan.popWaits, () => code.i32(0));
  }
  emitPush(compiler, plan, 0);
  if (run !== undefined) {
    code.get(waits).if();
    code.call(run).end();
  }
  code.free("i32", waits);
}
