/**
 * Powers of two by which lanes are shifted, each by its own amount (simd-arithmetic.ts). They are made of a few bytes that are, as a rule,
 * what they were the last time (the shifts of output channels, row after row): so they are kept in memory with the bytes of
 * which they were made, and made again when these are others.
 */
import type { Expr, Local } from "../../hw/ir/ir.js";
import { someExpr } from "../../hw/ir/walk.js";
import type { ExprCompiler } from "./expr.js";
import { accessOf, contiguous, dependsOn, type Access, type Lanes } from "./lanes.js";
import { emitBase, type LeafRef } from "./place.js";
import { loadOf } from "./simd-bytes.js";

/** What is kept of an amount n: 2^n, 2^n / 2 rounded down, 2^(31 - n). */
export type Power = "power" | "half" | "rest";

type Helper = "shl" | "roundingShiftRight";
const forms: Readonly<Record<Helper, readonly Power[]>> = { shl: ["power"], roundingShiftRight: ["half", "rest"] };

interface Amount {
  readonly n: Expr;
  readonly helper: Helper;
  readonly key: LeafRef;
  /** Address of the first lane of each form. */
  readonly at: ReadonlyMap<Power, number>;
}

/** Of four lanes from `first` on, on the stack: an amount, and, of one in a local, a form of it. */
export interface Maker {
  /** A name within the expression. */
  name(local: Local, value: Expr): void;
  amount(n: Expr, first: number): void;
  form(power: Power, amount: number): void;
}

export class KeptPowers {
  readonly #amounts: readonly Amount[];
  /** Address of a number that is zero if nothing is shifted left. */
  readonly #left: number | undefined;

  private constructor(amounts: readonly Amount[], left: number | undefined) {
    this.#amounts = amounts;
    this.#left = left;
  }

  /** Those of an expression over lanes. Emits code that makes them anew where they are not what they were. */
  static of(compiler: ExprCompiler, lanes: Lanes, body: Expr, maker: Maker): KeptPowers | undefined {
    if (![4, 8, 16].includes(lanes.count)) return undefined;
    const lets = new Map<Local, Expr>();
    const amounts = findAmounts(compiler, lanes, body, lets);
    if (amounts.length === 0) return undefined;
    const left = amounts.some(({ helper }) => helper === "shl") ? compiler.around.keep(4, 0) : undefined;
    const kept = new KeptPowers(amounts, left);
    for (const [local, value] of lets) maker.name(local, value);
    kept.#emit(compiler, lanes, maker);
    return kept;
  }

  /** Where four lanes of a form stand. */
  at(n: Expr, power: Power, first: number): number | undefined {
    const at = this.#amounts.find((amount) => amount.n === n)?.at.get(power);
    return at === undefined ? undefined : at + first * 4;
  }

  /** Where stands whether anything is shifted left. */
  get left(): number | undefined {
    return this.#left;
  }

  #emit(compiler: ExprCompiler, lanes: Lanes, maker: Maker): void {
    const { code, around } = compiler;
    const [now, amount, all] = [code.local("v128"), code.local("v128"), code.local("v128")];
    const changed = code.local("i32");
    const keys = new Map<string, LeafRef>(this.#amounts.map(({ key }) => [nameOf(key), key]));
    code.i32(0).set(changed);
    for (const key of keys.values()) {
      // No key consists of such bytes.
      const before = around.keep(16, 255);
      emitBase(code, key);
      code.mem(loadOf(lanes.count), key.offset).tee(now).loadAt(before, "v128.load").op("v128.xor");
      code.op("v128.any_true").if();
      code.storeAt(before, () => code.get(now), "v128.store");
      code.i32(1).set(changed).end();
    }
    code.get(changed).if();
    try {
      code.v128(new Array<number>(16).fill(0)).set(all);
      for (const { n, helper, at } of this.#amounts)
        for (let first = 0; first < lanes.count; first += 4) {
          maker.amount(n, first);
          code.set(amount);
          for (const [power, address] of at)
            code.storeAt(address + first * 4, () => maker.form(power, amount), "v128.store");
          if (helper === "shl") code.get(all).get(amount).op("v128.or").set(all);
        }
      const left = this.#left;
      if (left !== undefined) code.storeAt(left, () => code.get(all).op("v128.any_true"));
    } finally {
      code.end();
    }
  }
}

const nameOf = ({ offset, terms }: LeafRef): string => JSON.stringify([offset, terms]);

/** The amounts that differ from lane to lane and are made of nothing but a vector of bytes; none if one of them is not. */
function findAmounts(compiler: ExprCompiler, lanes: Lanes, body: Expr, lets: Map<Local, Expr>): Amount[] {
  const found = new Map<Expr, Helper>();
  someExpr(body, (expr) => {
    if (expr.kind === "let") lets.set(expr.local, expr.value);
    if (expr.kind === "call" && (expr.helper === "shl" || expr.helper === "roundingShiftRight"))
      found.set(expr.args[1]!, expr.helper);
    return false;
  });
  const amounts: Amount[] = [];
  for (const [n, helper] of found) {
    if (!dependsOn(n, lanes, new Set(lets.keys()))) continue;
    const key = keyOf(compiler, lanes, lets, n);
    if (!key || key === "constant") return [];
    const at = new Map(forms[helper].map((power) => [power, compiler.around.keep(lanes.count * 4, 0)]));
    amounts.push({ n, helper, key: key.leaf, at });
  }
  return amounts;
}

/** The one vector of bytes of which an expression is made. */
function keyOf(
  compiler: ExprCompiler,
  lanes: Lanes,
  lets: ReadonlyMap<Local, Expr>,
  expr: Expr,
): Access | "constant" | undefined {
  const both = (parts: readonly Expr[]): Access | "constant" | undefined =>
    parts
      .map((part) => keyOf(compiler, lanes, lets, part))
      .reduce((a, b) => {
        if (a === "constant" || b === undefined) return b;
        return b === "constant" || (a && nameOf(a.leaf) === nameOf(b.leaf)) ? a : undefined;
      }, "constant");
  switch (expr.kind) {
    case "const":
      return "constant";
    case "local": {
      const value = lets.get(expr.local);
      return value && keyOf(compiler, lanes, lets, value);
    }
    case "cast":
      return both([expr.operand]);
    case "binary":
      return both([expr.left, expr.right]);
    case "call":
      return both(expr.args);
    case "index":
    case "member": {
      const access = accessOf(compiler, expr, lanes);
      if (!access) return undefined;
      const { leaf, offsets } = access;
      const small = leaf.size === 1 && leaf.type.kind === "int" && leaf.type.max < 255 && !leaf.signed;
      if (!small || !contiguous(access, 0, lanes.count)) return undefined;
      return { leaf: { ...leaf, offset: leaf.offset + offsets[0]! }, offsets };
    }
    default:
      return undefined;
  }
}
