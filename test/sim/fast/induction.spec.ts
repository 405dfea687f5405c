/** What the engine says of many passes at once is what the passes do one after the other. */
import { expect } from "chai";
import { int, uint } from "../../../hw/index.js";
import type { BinaryOp, Expr, Local, Stmt } from "../../../hw/ir/ir.js";
import { printExpr } from "../../../hw/ir/print.js";
import { bool, type IntType } from "../../../hw/types.js";
import { boundsOf, ExprCompiler, type Surroundings } from "../../../sim/fast/expr.js";
import { emitCount, Induction, type Count } from "../../../sim/fast/induction.js";
import { Code, WasmModule } from "../../../sim/fast/wasm.js";
import { Interpreter } from "./interpret.js";
import { nowhere as at } from "./network-writer.js";
import { Random } from "./random.js";

const first = Number(process.env["SEED"] ?? 1);
const count = process.env["SEED"] ? 1 : Number(process.env["LOOPS"] ?? 1500);
const MOST = 400;

const number = (value: number): Expr => ({
  kind: "const",
  at,
  type: { kind: "exact", range: { lo: value, hi: value } },
  value,
});
const named = (local: Local): Expr => ({ kind: "local", at, type: local.type, local });
const cast = (type: IntType, operand: Expr): Expr => ({ kind: "cast", at, type, operand });

function arithmetic(op: "+" | "-" | "*", left: Expr, right: Expr): Expr {
  const [a, b] = [boundsOf(left), boundsOf(right)];
  const corners = [a.lo, a.hi].flatMap((x) =>
    [b.lo, b.hi].map((y) => (op === "+" ? x + y : op === "-" ? x - y : x * y)),
  );
  const range = { lo: Math.min(...corners), hi: Math.max(...corners) };
  return { kind: "binary", at, type: { kind: "exact", range }, op, left, right };
}
const logic = (op: BinaryOp, left: Expr, right: Expr): Expr => ({ kind: "binary", at, type: bool, op, left, right });

interface Case {
  readonly locals: readonly Local[];
  readonly start: readonly number[];
  readonly pass: readonly Stmt[];
  readonly condition: Expr;
  readonly holds: boolean;
}

/** Counters up and down, by one or more; some variables that are none; a condition on them. */
function randomCase(random: Random): Case {
  const locals = Array.from({ length: 2 + random.below(4) }, (_, id): Local => {
    const type = random.pick([uint(4), uint(8), uint(16), int(5), int(8), int(16)]) as IntType;
    return { id, name: `v${id}`, type, mutable: true };
  });
  const start = locals.map(({ type }) => {
    const { min, max } = type as IntType;
    const span = max - min;
    const far = random.pick([0, random.below(span + 1), random.below(20), span - random.below(20)]);
    return min + Math.max(0, Math.min(span, far));
  });
  const leaf = (): Expr => (random.chance(0.7) ? named(random.pick(locals)) : number(random.below(300) - 150));
  const value = (depth: number): Expr => {
    if (depth === 0 || random.chance(0.3)) return leaf();
    const inner = arithmetic(random.pick(["+", "-"]), value(depth - 1), leaf());
    if (random.chance(0.2)) return arithmetic("*", leaf(), number(random.below(7) - 3));
    return random.chance(0.4) ? cast(random.pick([uint(8), uint(16), int(8), int(16)]), inner) : inner;
  };
  const compare = (): Expr => logic(random.pick(["<", "<=", ">", ">=", "===", "!=="]), value(2), value(2));
  const condition = (depth: number): Expr => {
    if (depth === 0 || random.chance(0.4)) return compare();
    if (random.chance(0.2)) return { kind: "unary", at, type: bool, op: "!", operand: condition(depth - 1) };
    return logic(random.pick(["&&", "||"]), condition(depth - 1), condition(depth - 1));
  };
  const pass = locals.flatMap((local): Stmt[] => {
    const type = local.type as IntType;
    const assign = (value: Expr): Stmt => ({ kind: "assign", at, target: named(local) as never, value });
    if (random.chance(0.25)) return [];
    if (random.chance(0.1)) return [assign(cast(type, value(2)))];
    const step = random.pick([1, 1, 1, -1, 2, 3, 7, -5]);
    const next = cast(type, arithmetic(random.pick(["+", "-"]), named(local), number(step)));
    return random.chance(0.2) ? [assign(next), assign(next)] : [assign(next)];
  });
  return { locals, start, pass, condition: condition(2), holds: random.chance(0.7) };
}

/** What the condition is in front of the first pass. */
function initially({ locals, start, condition }: Case): boolean {
  const machine = new Interpreter([]);
  machine.run(locals.map((local, i): Stmt => ({ kind: "let", at, local, value: number(start[i]!) }))).next();
  return Boolean(machine.value(condition));
}

/** Passes in a row in front of which the condition is as it has to be. */
function truly({ locals, start, pass, condition, holds }: Case): number {
  const machine = new Interpreter([]);
  const run = (stmts: readonly Stmt[]): void => void machine.run(stmts).next();
  run(locals.map((local, i): Stmt => ({ kind: "let", at, local, value: number(start[i]!) })));
  let passes = 0;
  for (; passes < MOST && Boolean(machine.value(condition)) === holds; passes++) run(pass);
  return passes;
}

function told({ locals, start }: Case, found: Count): number {
  const code = new Code(
    locals.map(() => "i32"),
    ["i32"],
  );
  const around = { binding: (of: Local) => ({ local: locals.indexOf(of), type: "i32" }) } as unknown as Surroundings;
  emitCount(new ExprCompiler(code, around), found);
  const module = new WasmModule();
  module.exportFunction("count", module.add("count", code));
  const env = { memory: new WebAssembly.Memory({ initial: 1 }) };
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.encode(1)), { env });
  return (exports["count"] as (...values: number[]) => number)(...start);
}

const inductionOf = (pass: readonly Stmt[]): Induction => new Induction(pass.map((stmt) => ({ kind: "plain", stmt })));

describe(`For how many passes a condition holds (seed ${first})`, () => {
  it(`is never told as too many: ${count} random loops, whose variables wrap`, () => {
    const tally = { told: 0, all: 0, some: 0 };
    for (let seed = first; seed < first + count; seed++) {
      const random = new Random(seed);
      const one = randomCase(random);
      const found = inductionOf(one.pass).count(one.condition, one.holds);
      if (!found) continue;
      const [passes, least] = [truly(one), told(one, found)];
      expect(Math.min(least, MOST), `SEED=${seed}`).to.be.at.most(passes);
      tally.told++;
      if (passes > 0) tally.some++;
      if (passes > 0 && Math.min(least, MOST) === passes) tally.all++;
    }
    if (count === 1) return;
    expect(tally.told).to.be.above(count / 2);
    expect(tally.all).to.be.above(tally.some / 5);
  });

  it(`and for how many it stays what it is, likewise: ${count} random loops`, () => {
    const tally = { told: 0, all: 0 };
    for (let seed = first; seed < first + count; seed++) {
      const one = randomCase(new Random(seed));
      const found = inductionOf(one.pass).linear(one.condition, true);
      if (found?.step !== 0) continue;
      const passes = truly({ ...one, holds: initially(one) });
      const least = Math.min(told(one, { kind: "all", of: found.while }), MOST);
      expect(least, `SEED=${seed}`).to.be.at.most(passes);
      tally.told++;
      if (least === passes) tally.all++;
    }
    if (count === 1) return;
    expect(tally.told).to.be.above(count / 2);
    expect(tally.all).to.be.above(tally.told / 5);
  });

  it("is told in full for the loops of designs", () => {
    const u16 = uint(16) as IntType;
    const local = (id: number, name: string, type = u16): Local => ({ id, name, type, mutable: true });
    const [w, words, base] = [local(0, "w"), local(1, "words"), local(2, "base")] as const;
    const left = local(3, "left", int(16));
    const counts = (of: Local, step: number): Stmt => {
      const value = cast(of.type as IntType, arithmetic("+", named(of), number(step)));
      return { kind: "assign", at, target: named(of) as never, value };
    };
    const pass = [counts(w, 2), counts(left, -1)];
    const start = [6, 20, 1000, 5];
    const address = cast(u16, arithmetic("+", named(base), named(w)));
    const conditions: readonly (readonly [Expr, boolean, number])[] = [
      [logic("<", named(w), named(words)), true, 7],
      [logic("<", cast(u16, arithmetic("+", named(w), number(2))), named(words)), true, 6],
      [logic("<", address, number(1024)), true, 9],
      [logic(">=", address, number(1024)), false, 9],
      [logic(">", named(left), number(0)), true, 5],
      [logic("===", named(left), number(0)), false, 5],
      [logic("!==", named(left), number(0)), true, 5],
      [logic("===", named(words), number(20)), true, MOST],
      [logic("===", named(words), number(21)), true, 0],
      [logic("&&", logic("<", named(w), named(words)), logic(">", named(left), number(1))), true, 4],
      [logic("||", logic("<", named(w), named(words)), logic(">", named(left), number(1))), true, 7],
      [logic("&&", logic(">=", named(w), named(words)), logic("<=", named(left), number(1))), false, 7],
    ];
    for (const [condition, holds, passes] of conditions) {
      const one = { locals: [w, words, base, left], start, pass, condition, holds };
      const most = passes === MOST ? 0x3fffffff : passes;
      expect(told(one, inductionOf(pass).count(condition, holds)!), printExpr(condition)).to.equal(most);
      expect(truly(one), printExpr(condition)).to.equal(passes);
    }
  });
});
