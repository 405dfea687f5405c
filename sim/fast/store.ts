/** Compiles the evaluation of an expression of any type into memory, leaf by leaf. */
import type { Expr } from "../../hw/ir/ir.js";
import type { StructType } from "../../hw/types.js";
import { emitBankWords } from "./bank-code.js";
import type { ExprCompiler, Source } from "./expr.js";
import { isScalar } from "./layout.js";
import { emitBase, emitCopy, select, storeOp, type LeafRef, type Place, type Selector } from "./place.js";
import { emitSimdLeaf } from "./simd.js";

type MapExpr = Extract<Expr, { kind: "map" }>;

/** Lanes up to this number are written one after the other instead of in a loop. */
const unrolled = 8;

/** `to` = `expr`. The expression must not read what is being written. */
export function store(compiler: ExprCompiler, to: Place, given: Expr): void {
  const { code } = compiler;
  const expr = given.kind === "cast" && !isScalar(given.type) ? given.operand : given;
  if (isScalar(expr.type) || expr.type.kind === "exact") {
    lanes(compiler, to[0]!, expr, [], 0);
    return;
  }
  const from = isName(expr) ? compiler.resolvePlace(expr, []) : undefined;
  if (from) {
    emitCopy(code, to, from);
    return;
  }
  switch (expr.kind) {
    case "let":
      compiler.bindLet(expr);
      store(compiler, to, expr.body);
      return;
    case "select":
      compiler.branch(
        expr.condition,
        () => store(compiler, to, expr.then),
        () => store(compiler, to, expr.else),
      );
      return;
    case "struct":
      for (const { name, value } of expr.fields) store(compiler, select(to, { member: name }), value);
      return;
    case "vector":
      expr.items.forEach((item, lane) => store(compiler, select(to, { lane }), item));
      return;
    case "map":
      if (!emitBankWords(compiler, to, expr, () => storeMap(compiler, to, expr))) storeMap(compiler, to, expr);
      return;
    default:
      for (const leaf of to) lanes(compiler, leaf, expr, [], 0);
  }
}

function storeMap(compiler: ExprCompiler, to: Place, expr: MapExpr): void {
  const { type } = expr.body;
  if (type.kind === "struct") {
    for (const name of Object.keys((type as StructType).fields)) {
      const leaves = to
        .filter(({ path }) => path[1] === name)
        .map((leaf) => ({ ...leaf, path: ["*", ...leaf.path.slice(2)] }));
      storeMap(compiler, leaves, { ...expr, body: memberOf(expr.body, name) });
    }
  } else if (type.kind === "vec") {
    if (to.length === 1 && emitSimdLeaf(compiler, to[0]!, expr)) return;
    for (let lane = 0; lane < expr.length; lane++)
      compiler.withLane(expr.lane, { lane }, () => store(compiler, select(to, { lane }), expr.body));
  } else if (!emitSimdLeaf(compiler, to[0]!, expr)) lanes(compiler, to[0]!, expr, [], 0);
}

/** A member of a struct expression, taken where it is made. */
function memberOf(expr: Expr, name: string): Expr {
  const type = (expr.type as unknown as StructType).fields[name] as unknown as Expr["type"];
  if (expr.kind === "struct") return expr.fields.find((field) => field.name === name)!.value;
  if (expr.kind === "let") return { ...expr, type, body: memberOf(expr.body, name) };
  if (expr.kind === "select")
    return { ...expr, type, then: memberOf(expr.then, name), else: memberOf(expr.else, name) };
  return { kind: "member", at: expr.at, type, base: expr, name };
}

/** A chain of members and indices from something that is stored. */
function isName(expr: Expr): boolean {
  let at = expr;
  while (at.kind === "index" || at.kind === "member") at = at.base;
  return at.kind === "local" || at.kind === "field" || at.kind === "q" || at.kind === "signal";
}

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
