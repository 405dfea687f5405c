/** What vector expressions read, lane by lane: which addresses, seen at compile time. */
import type { Expr, Local } from "../../hw/ir/ir.js";
import type { IntType } from "../../hw/types.js";
import { boundsOf, type ExprCompiler } from "./expr.js";
import { isScalar } from "./layout.js";
import { select, type LeafRef, type Place } from "./place.js";
import { sameExpr, someExpr } from "../../hw/ir/walk.js";

/** Nested maps, flattened: one element after the other, the innermost lane counting fastest. */
export interface Lanes {
  readonly locals: readonly Local[];
  readonly lengths: readonly number[];
  readonly count: number;
}

/** The numbers of the lanes of element `i`. */
export function laneValues({ locals, lengths }: Lanes, i: number): Map<Local, number> {
  const values = new Map<Local, number>();
  let rest = i;
  for (let d = locals.length - 1; d >= 0; d--) {
    values.set(locals[d]!, rest % lengths[d]!);
    rest = Math.floor(rest / lengths[d]!);
  }
  return values;
}

export const dependsOn = (expr: Expr, { locals }: Lanes, others: ReadonlySet<Local>): boolean =>
  someExpr(expr, (e) => e.kind === "local" && (locals.includes(e.local) || others.has(e.local)));

/** The value of an expression of lane numbers and constants. */
export function foldLanes(expr: Expr, values: ReadonlyMap<Local, number>): number | undefined {
  const fold = (e: Expr): number | undefined => foldLanes(e, values);
  switch (expr.kind) {
    case "const":
      return Number(expr.value);
    case "local":
      return values.get(expr.local);
    case "cast": {
      const x = fold(expr.operand);
      return x === undefined || expr.type.kind !== "int" ? undefined : (expr.type as IntType)(x);
    }
    case "select": {
      const condition = fold(expr.condition);
      return condition === undefined ? undefined : fold(condition !== 0 ? expr.then : expr.else);
    }
    case "call": {
      const [a, b] = expr.args.map(fold);
      if (a === undefined || b === undefined) return undefined;
      if (expr.helper === "asr") return Math.floor(a / 2 ** b);
      if (expr.helper === "andU") return (a & b) >>> 0;
      return expr.helper === "shl" ? a * 2 ** b : undefined;
    }
    case "binary": {
      const [a, b] = [fold(expr.left), fold(expr.right)];
      if (a === undefined || b === undefined) return undefined;
      const results: Record<string, number> = {
        "+": a + b,
        "-": a - b,
        "*": a * b,
        "%": a % b,
        "&": a & b,
        ">>": a >> b,
        "<": Number(a < b),
        "<=": Number(a <= b),
        ">": Number(a > b),
        ">=": Number(a >= b),
        "===": Number(a === b),
        "!==": Number(a !== b),
      };
      return results[expr.op];
    }
    default:
      return undefined;
  }
}

/** An index as what does not depend on lanes, plus a number for each element. */
interface SplitIndex {
  readonly fixed: Expr | undefined;
  readonly vary: readonly number[];
}

/** A number as what is not known here, plus a constant that is not negative. */
function splitConstant(expr: Expr): { readonly fixed: Expr | undefined; readonly plus: number } {
  const value = foldLanes(expr, new Map());
  if (value !== undefined) return { fixed: undefined, plus: value };
  if (expr.kind !== "binary" || expr.op !== "+") return { fixed: expr, plus: 0 };
  for (const [one, other] of [
    [expr.left, expr.right],
    [expr.right, expr.left],
  ] as const) {
    const constant = foldLanes(other, new Map());
    if (constant === undefined || constant < 0) continue;
    const { fixed, plus } = splitConstant(one);
    return { fixed, plus: plus + constant };
  }
  return { fixed: expr, plus: 0 };
}

function splitIndex(expr: Expr, lanes: Lanes): SplitIndex | undefined {
  const nothing = new Set<Local>();
  if (!dependsOn(expr, lanes, nothing)) {
    const { fixed, plus } = splitConstant(expr);
    return { fixed, vary: new Array<number>(lanes.count).fill(plus) };
  }
  const folded = Array.from({ length: lanes.count }, (_, i) => foldLanes(expr, laneValues(lanes, i)));
  if (folded.every((x) => x !== undefined)) return { fixed: undefined, vary: folded };
  if (expr.kind === "cast" && expr.type.kind === "int") {
    const { min, max } = expr.type as IntType;
    const { lo, hi } = boundsOf(expr.operand);
    return lo >= min && hi <= max ? splitIndex(expr.operand, lanes) : undefined;
  }
  if (expr.kind !== "binary" || expr.op !== "+") return undefined;
  const [a, b] = [splitIndex(expr.left, lanes), splitIndex(expr.right, lanes)];
  if (!a || !b || (a.fixed && b.fixed)) return undefined;
  return { fixed: a.fixed ?? b.fixed, vary: a.vary.map((x, i) => x + b.vary[i]!) };
}

/** Elements in memory: element i stands at `leaf` plus `offsets[i]` bytes. */
export interface Access {
  readonly leaf: LeafRef;
  readonly offsets: readonly number[];
  /** What decides where the leaf stands: the variable, and indices that no lane changes. */
  readonly by?: readonly Expr[];
}

/** The elements that a chain of members and indices names, lane by lane. Emits code for indices that no lane changes. */
export function accessOf(compiler: ExprCompiler, expr: Expr, lanes: Lanes): Access | undefined {
  if (!isScalar(expr.type) && expr.type.kind !== "exact") return undefined;
  if (expr.kind === "select") return chosenAccess(compiler, expr.condition, [expr.then, expr.else], lanes);
  const steps: (string | SplitIndex)[] = [];
  let root: Expr = expr;
  while (root.kind === "index" || root.kind === "member") {
    if (root.kind === "member") steps.unshift(root.name);
    else {
      const split = splitIndex(root.index, lanes);
      if (!split) return undefined;
      steps.unshift(split);
    }
    root = root.base;
  }
  if (steps.length === 0) return undefined;
  const place = compiler.resolvePlace(root, []);
  // Fields are separate arrays: follow the one that the names lead to.
  const leaf = place?.find(
    ({ path }) =>
      path.length === steps.length && steps.every((step, i) => path[i] === (typeof step === "string" ? step : "*")),
  );
  if (!leaf) return undefined;
  let at: Place = [leaf];
  const offsets = new Array<number>(lanes.count).fill(0);
  for (const step of steps) {
    if (typeof step === "string") {
      at = select(at, { member: step });
      continue;
    }
    const stride = select(at, { lane: 1 })[0]!.offset - at[0]!.offset;
    step.vary.forEach((x, i) => (offsets[i]! += x * stride));
    at = select(at, step.fixed ? compiler.lane(step.fixed) : { lane: 0 });
  }
  const fixed = steps.flatMap((step) => (typeof step === "string" ? [] : (step.fixed ?? [])));
  return { leaf: at[0]!, offsets, by: [root, ...fixed] };
}

/** Of each lane the first expression where `condition` is 1 and the second where it is 0; both have to be of one array. */
export function chosenAccess(
  compiler: ExprCompiler,
  condition: Expr,
  [one, zero]: readonly [Expr, Expr],
  lanes: Lanes,
): Access | undefined {
  if (!sameArray(one, zero, lanes)) return undefined;
  const which = Array.from({ length: lanes.count }, (_, i) => foldLanes(condition, laneValues(lanes, i)));
  if (!which.every((x) => x === 0 || x === 1)) return undefined;
  const [first, second] = [accessOf(compiler, zero, lanes), accessOf(compiler, one, lanes)];
  if (!first || !second) return undefined;
  const apart = second.leaf.offset - first.leaf.offset;
  const offsets = which.map((x, i) => (x === 0 ? first.offsets[i]! : second.offsets[i]! + apart));
  return { leaf: first.leaf, offsets };
}

/** All elements next to each other, in order, from `first` on. */
export const contiguous = ({ leaf, offsets }: Access, first: number, n: number): boolean =>
  Array.from({ length: n }, (_, i) => offsets[Math.min(first + i, offsets.length - 1)]! - offsets[first]!).every(
    (offset, i) => offset === i * leaf.size || first + i >= offsets.length,
  );

/** All elements the same one. */
export const broadcast = ({ offsets }: Access, first: number, n: number): boolean =>
  offsets.slice(first, first + n).every((offset) => offset === offsets[first]);

/** Two elements whose paths differ in their last index only, and there in a number that is known for each lane. */
function sameArray(a: Expr, b: Expr, lanes: Lanes): boolean {
  if (a.kind !== "index" || b.kind !== "index" || !sameExpr(a.base, b.base)) return false;
  const [first, second] = [splitIndex(a.index, lanes), splitIndex(b.index, lanes)];
  if (!first || !second) return false;
  return first.fixed && second.fixed ? sameExpr(first.fixed, second.fixed) : first.fixed === second.fixed;
}
