/** Compiles the evaluation of an expression of any type into memory, leaf by leaf. */
import type { Expr } from "../../hw/ir/ir.js";
import type { ExprCompiler, Source } from "./expr.js";
import { emitSimdLeaf } from "./simd.js";
import { emitBase, emitCopyLeaf, storeOp, type LeafRef, type Place, type Selector } from "./place.js";

/** Lanes up to this number are written one after the other instead of in a loop. */
const unrolled = 8;

/** `to` = `expr`. The expression must not read what is being written (see `storeSafely`). */
export function store(compiler: ExprCompiler, to: Place, expr: Expr): void {
  for (const leaf of to) storeLeaf(compiler, leaf, expr);
}

function storeLeaf(compiler: ExprCompiler, to: LeafRef, expr: Expr): void {
  if (to.dims.length > 0) {
    const whole = wholeLeaf(compiler, expr, to);
    if (whole) {
      emitCopyLeaf(compiler.code, to, whole);
      return;
    }
    if (emitSimdLeaf(compiler, to, expr)) return;
  }
  lanes(compiler, to, expr, [], 0);
}

/** The array in memory that an expression names, if it is one of the same shape. */
function wholeLeaf(compiler: ExprCompiler, expr: Expr, to: LeafRef): LeafRef | undefined {
  let at = expr;
  while (at.kind === "index" || at.kind === "member") at = at.base;
  if (at.kind !== "local" && at.kind !== "field" && at.kind !== "q" && at.kind !== "signal") return undefined;
  return compiler.resolvePlace(expr, [])?.find(({ path }) => same(path, to.path));
}

const same = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((x, i) => x === b[i]);

/** Scalar by scalar. `selectors` leads from the value to the part that `to` is. */
function lanes(compiler: ExprCompiler, to: LeafRef, expr: Expr, selectors: readonly Selector[], depth: number): void {
  const { code } = compiler;
  const [step, ...path] = to.path;
  if (step === undefined) {
    const source: Source = compiler.resolve(expr, selectors);
    emitBase(code, to);
    compiler.emitSource(source);
    code.mem(storeOp(to), to.offset);
    return;
  }
  if (step !== "*") {
    lanes(compiler, { ...to, path }, expr, [...selectors, { member: step }], depth);
    return;
  }
  const [length, ...dims] = to.dims;
  const stride = dims.reduce((product, n) => product * n, to.size);
  const inner = { ...to, path, dims, count: to.count / length! };
  if (length! <= unrolled || needsConstantLanes(expr)) {
    for (let lane = 0; lane < length!; lane++)
      lanes(compiler, { ...inner, offset: to.offset + lane * stride }, expr, [...selectors, { lane }], depth + 1);
    return;
  }
  const lane = code.local("i32");
  code.i32(0).set(lane);
  const loop = code.loop();
  lanes(
    compiler,
    { ...inner, terms: [...to.terms, { local: lane, scale: stride }] },
    expr,
    [...selectors, { local: lane, plus: 0 }],
    depth + 1,
  );
  code.get(lane).i32(1).op("i32.add").tee(lane).i32(length!).op("i32.lt_u").brIf(loop);
  code.end();
}

/** Written-out vectors and pairs are picked apart lane by lane. */
const needsConstantLanes = (expr: Expr): boolean =>
  expr.kind === "vector" ||
  (expr.kind === "call" && expr.helper === "mulPair") ||
  (expr.kind === "select" && (needsConstantLanes(expr.then) || needsConstantLanes(expr.else))) ||
  (expr.kind === "struct" && expr.fields.some(({ value }) => needsConstantLanes(value))) ||
  (expr.kind === "map" && needsConstantLanes(expr.body));
