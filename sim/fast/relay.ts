/**
 * Relays: loops that pass each token of an outer input on, as it is, to one other channel, a clock a token, until a token says that it is
 * the last. They run in step with the source and with whoever takes the tokens behind them (intake-code.ts). What they leave behind is told by
 * the last token alone, so many passes are done as one, up to the token that ends the loop.
 */
import type { Channel } from "../../hw/channel.js";
import type { Local, Stmt } from "../../hw/ir/ir.js";
import { expressionsWithin, someExpr } from "../../hw/ir/walk.js";
import { Known } from "./known.js";
import { isLocal, positive } from "./pass-facts.js";
import type { Pass } from "./rounds.js";

export interface Relay {
  readonly pass: Pass;
  readonly through: Channel;
  readonly token: Local;
  /** What a pass does beside, by the token alone. */
  readonly stmts: readonly Stmt[];
  /** Another pass follows where this member of the token, a bool, is what it says. */
  readonly goesOn: { readonly member: string; readonly value: boolean };
}

/** The pass as a relay; undefined if it is none. */
export function relayOf(pass: Pass, inputs: ReadonlySet<Channel>): Relay | undefined {
  const { head, pops, pushes, outside, guards, steps, again, memories } = pass;
  const [from, through] = [pops[0], pushes[0]];
  if (!head || !from || !through || !inputs.has(from) || inputs.has(through)) return undefined;
  const isPlain = pops.length + pushes.length === 2 && outside.length + guards.length + memories.size === 0;
  const [pop, push, ...others] = steps;
  if (!isPlain || pop?.kind !== "pop" || push?.kind !== "push" || !pop.into) return undefined;
  const token = pop.into;
  if (!isLocal(push.value, token)) return undefined;
  const clocks = others.filter(({ kind }) => kind === "clocks");
  const stmts = others.flatMap((step) => (step.kind === "plain" ? [step.stmt] : []));
  if (clocks.length !== 1 || stmts.length + 1 !== others.length) return undefined;
  if (clocks[0]?.kind !== "clocks" || clocks[0].count !== 1 || !areOfToken(stmts, token)) return undefined;
  const behind = new Known();
  for (const stmt of stmts) behind.after(stmt);
  const condition = behind.at(again.condition);
  if (!condition) return undefined;
  const { condition: asked, holds } = positive({ condition, holds: again.holds });
  if (asked.kind !== "member" || asked.type.kind !== "bool" || !isLocal(asked.base, token)) return undefined;
  return { pass, through, token, stmts, goesOn: { member: asked.name, value: holds } };
}

/** They name no variable but the token and what they have given a value before. */
function areOfToken(stmts: readonly Stmt[], token: Local): boolean {
  const named = new Set([token]);
  for (const stmt of stmts) {
    const target = stmt.kind === "let" ? stmt.local : undefined;
    const assigned = stmt.kind === "assign" && stmt.target.kind === "local" ? stmt.target.local : target;
    if (!assigned || assigned === token || (stmt.kind !== "let" && stmt.kind !== "assign")) return false;
    const isStrange = (expr: typeof stmt.value): boolean =>
      someExpr(
        expr,
        (e) =>
          e.kind === "field" || e.kind === "q" || e.kind === "signal" || (e.kind === "local" && !named.has(e.local)),
      );
    for (const expr of expressionsWithin([{ ...stmt, kind: "let", local: assigned }]))
      if (isStrange(expr)) return false;
    named.add(assigned);
  }
  return true;
}
