/**
 * A token that is taken in the function of who pushes it (chain-code.ts). What its members are copies of stands in variables, in the token
 * before it or in the word of a port, and nobody changes that until it has been dealt with: there it is read, and only the rest is put into
 * a place of the token's own.
 */
import type { Expr } from "../../hw/ir/ir.js";
import type { ExprCompiler } from "./expr.js";
import { isScalar } from "./layout.js";
import { accessOf, contiguous } from "./lanes.js";
import { placeAt, select, type LeafRef, type Place } from "./place.js";
import type { ChannelPlan, Plan } from "./plan.js";
import { store } from "./store.js";

/** Evaluate a token of a channel, but for some members of it; where its leaves stand. */
export function tokenOf(
  exprs: ExprCompiler,
  plan: Plan,
  channel: ChannelPlan,
  given: Expr,
  without: (name: string) => boolean = () => false,
): Place {
  const own = placeAt(channel.layout, plan.heap.take(channel.layout.bytes));
  const token = [...own];
  const made = given.kind === "cast" && !isScalar(given.type) ? given.operand : given;
  const value = made.kind === "struct" ? { ...made, fields: made.fields.filter(({ name }) => !without(name)) } : given;
  put(exprs, own, value, (leaf, elsewhere) => {
    const at = own.findIndex(({ offset }) => offset === leaf.offset);
    token[at] = { ...elsewhere, path: own[at]!.path };
  });
  return token;
}

/** Put a part of a token in its place, but for leaves that stand elsewhere as they are. */
function put(exprs: ExprCompiler, to: Place, given: Expr, stands: (leaf: LeafRef, elsewhere: LeafRef) => void): void {
  const value = given.kind === "cast" && !isScalar(given.type) ? given.operand : given;
  if (value.kind === "struct") {
    for (const { name, value: member } of value.fields) put(exprs, select(to, { member: name }), member, stands);
    return;
  }
  const from = named(value) ? exprs.resolvePlace(value, []) : column(exprs, to, value);
  const alike =
    from?.length === to.length &&
    to.every(({ size, count, signed }, i) => {
      const leaf = from[i]!;
      return leaf.size === size && leaf.count === count && leaf.signed === signed;
    });
  if (alike) to.forEach((leaf, i) => stands(leaf, from[i]!));
  else store(exprs, to, value);
}

/** The elements of a vector that stand one behind the other in a variable, as a member of all lanes of it. */
function column(exprs: ExprCompiler, [to, ...more]: Place, value: Expr): Place | undefined {
  if (value.kind !== "map" || !to || more.length > 0 || to.dims.length !== 1) return undefined;
  const { lane, length, body } = value;
  let root = body;
  while (root.kind === "member" || root.kind === "index") root = root.base;
  if (root.kind !== "local" || root === body) return undefined;
  const access = accessOf(exprs, body, { locals: [lane], lengths: [length], count: length });
  if (access?.leaf.size !== to.size || access.leaf.signed !== to.signed || !contiguous(access, 0, length))
    return undefined;
  const { terms, offset } = access.leaf;
  return [{ ...to, terms, offset: offset + access.offsets[0]!, whole: false }];
}

/** A variable, or a member of it. */
function named(expr: Expr): boolean {
  let at = expr;
  while (at.kind === "member") at = at.base;
  return at.kind === "local";
}
