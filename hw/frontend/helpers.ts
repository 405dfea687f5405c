/** The named arithmetic of hw/arithmetic.ts, as the compiler sees it: what the operands may be, and the result's range. */
import * as arithmetic from "../arithmetic.js";
import type { Expr, ExprType, HelperName, Range } from "../ir/ir.js";
import { i16, i32, vec } from "../types.js";
import type { Context } from "./context.js";
import { constant, toInt } from "./convert.js";
import { checkRange } from "./operators.js";
import type { Ast } from "./parse.js";
import { asrRange, bitsFor, inside, INT32, shlRange, showRange, UINT32 } from "./ranges.js";
import { dynamic, type Value } from "./values.js";

const byIdentity = new Map<unknown, HelperName>(
  (
    ["asr", "shl", "bits", "andU", "orU", "xorU", "doublingHighMul", "roundingShiftRight", "clamp", "mulPair"] as const
  ).map((name) => [arithmetic[name], name]),
);

export const helperOf = (live: unknown): HelperName | undefined => byIdentity.get(live);

const INT8: Range = { lo: -128, hi: 127 };
/** What a pair of 25 bits can hold, and whose products with an int8 fit 16. */
const PAIRED: Range = { lo: -255, hi: 255 };
const WORD: Range = { lo: INT32.lo, hi: UINT32.hi };
/** Greatest value of a 32-bit word, read as unsigned. */
const unsigned = ({ lo, hi }: Range): number => (lo < 0 ? UINT32.hi : hi);

/** A call of a helper with operands that are not all constant. */
export function helperCall(cx: Context, helper: HelperName, values: readonly Value[], node: Ast.CallExpression): Value {
  const args = values.map((value, i) => toInt(cx, value, node.arguments[i] ?? node));
  const ranges = args.map((arg) => cx.env.range(arg));
  const want = (i: number, allowed: Range): void => {
    const range = ranges[i];
    if (!range) cx.fail(node, "type", `${cx.text(node)} lacks an operand`, "");
    if (!inside(range, allowed))
      cx.fail(
        node.arguments[i] ?? node,
        "range",
        `operand ${i + 1} of ${helper} is in ${showRange(range)}; it has to be in ${showRange(allowed)}`,
        "Truncate it with a type, or assert its range.",
      );
  };
  const type = resultType(cx, helper, values, ranges, want, node);
  const expr: Expr = { kind: "call", helper, args, type, at: cx.at(node) };
  return helper === "mulPair" ? { kind: "expr", expr, copy: true } : dynamic(expr);
}

function resultType(
  cx: Context,
  helper: HelperName,
  values: readonly Value[],
  ranges: readonly Range[],
  want: (i: number, allowed: Range) => void,
  node: Ast.CallExpression,
): ExprType {
  const a = ranges[0]!;
  const b = ranges[1]!;
  const exactly = (range: Range): ExprType => {
    checkRange(cx, range, node);
    return { kind: "exact", range };
  };
  switch (helper) {
    case "asr":
      want(1, { lo: 0, hi: 31 });
      return exactly(asrRange(a, b));
    case "shl":
      want(1, { lo: 0, hi: 52 });
      return exactly(shlRange(a, b));
    case "bits": {
      const high = constant(cx, values[1]!, node) as number;
      const low = constant(cx, values[2]!, node) as number;
      want(1, { lo: low, hi: Math.min(52, low + 31) });
      want(2, { lo: 0, hi: Math.min(31, high) });
      const all = 2 ** (high - low + 1) - 1;
      return exactly({ lo: 0, hi: a.lo >= 0 ? Math.min(all, Math.floor(a.hi / 2 ** low)) : all });
    }
    case "andU":
      want(0, WORD);
      want(1, WORD);
      return exactly({ lo: 0, hi: Math.min(unsigned(a), unsigned(b)) });
    case "orU":
    case "xorU":
      want(0, WORD);
      want(1, WORD);
      return exactly({ lo: 0, hi: 2 ** bitsFor(Math.max(unsigned(a), unsigned(b))) - 1 });
    case "doublingHighMul":
      want(0, INT32);
      want(1, INT32);
      return i32;
    case "roundingShiftRight":
      want(0, INT32);
      want(1, { lo: 0, hi: 31 });
      return i32;
    case "clamp": {
      const c = ranges[2];
      if (!c) return cx.fail(node, "type", `${cx.text(node)} lacks an operand`, "Write clamp(x, low, high).");
      if (b.hi > c.lo) return exactly({ lo: Math.min(a.lo, b.lo, c.lo), hi: Math.max(a.hi, b.hi, c.hi) });
      return exactly({ lo: Math.min(Math.max(a.lo, b.lo), c.lo), hi: Math.max(Math.min(a.hi, c.hi), b.hi) });
    }
    case "mulPair":
      want(0, INT8);
      for (const i of [1, 2]) want(i, PAIRED);
      return vec(i16, 2);
    case "min":
      return exactly({ lo: Math.min(...ranges.map(({ lo }) => lo)), hi: Math.min(...ranges.map(({ hi }) => hi)) });
    case "max":
      return exactly({ lo: Math.max(...ranges.map(({ lo }) => lo)), hi: Math.max(...ranges.map(({ hi }) => hi)) });
    case "abs":
      return exactly({ lo: a.lo > 0 ? a.lo : a.hi < 0 ? -a.hi : 0, hi: Math.max(-a.lo, a.hi) });
  }
}
