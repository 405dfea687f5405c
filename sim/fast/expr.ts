/**
 * Compiles scalar expressions of the IR. An exact integer that fits 32 bits (signed, or unsigned as a bit pattern) is an
 * i32, a wider one an i64. Where only the low 32 bits count (under a cast), everything is computed modulo 2^32.
 */
import type { BinaryOp, Expr, Local, StateField } from "../../hw/ir/ir.js";
import type { MemoryPort } from "../../hw/memory.js";
import type { IntType } from "../../hw/types.js";
import { emitCall32, emitCall64 } from "./helper-code.js";
import { isScalar, type ScalarType } from "./layout.js";
import type { PortGroup } from "./memory-plan.js";
import { emitLoad, select, type LeafRef, type Place, type Selector } from "./place.js";
import type { Code, Op, ValType } from "./wasm.js";

export interface ScalarBinding {
  readonly local: number;
  readonly type: ValType;
}
export type Binding = ScalarBinding | { readonly place: Place };

/** What the surroundings of an expression provide. */
export interface Surroundings {
  binding(of: Local | StateField): Binding;
  q(expr: Extract<Expr, { kind: "q" }>): Place;
  signal(expr: Extract<Expr, { kind: "signal" }>): Place;
  /** Ports whose words lie next to each other, in this order. */
  portGroup(parts: readonly MemoryPort[]): PortGroup | undefined;
  /** Memory for a value of an expression that has to be addressed. */
  scratch(expr: Expr): Place;
  /** Address of so many bytes, each `value` at the start, for what is kept from one time to the next. */
  keep(bytes: number, value: number): number;
}

/** Where the bits of a scalar come from. */
export type Source =
  | { readonly kind: "leaf"; readonly leaf: LeafRef }
  | { readonly kind: "expr"; readonly expr: Expr }
  | { readonly kind: "select"; readonly condition: Expr; readonly then: () => Source; readonly else: () => Source }
  | { readonly kind: "pair"; readonly a: Expr; readonly b: Expr };

export interface Bounds {
  readonly lo: number;
  readonly hi: number;
}

export function boundsOf(expr: Expr): Bounds {
  const { type } = expr;
  if (type.kind === "exact") return type.range;
  if (type.kind === "int") return { lo: (type as IntType).min, hi: (type as IntType).max };
  return { lo: 0, hi: 1 };
}

const MIN = -2147483648;
export const MAX = 2147483647;
export const UMAX = 4294967295;
export const fitsSigned = ({ lo, hi }: Bounds): boolean => lo >= MIN && hi <= MAX;
export const fitsUnsigned = ({ lo, hi }: Bounds): boolean => lo >= 0 && hi <= UMAX;
/** The value can be told from its low 32 bits. */
const fits32 = (b: Bounds): boolean => fitsSigned(b) || fitsUnsigned(b);

const compare: Partial<Record<BinaryOp, [Op, Op, Op]>> = {
  "<": ["i32.lt_s", "i32.lt_u", "i64.lt_s"],
  "<=": ["i32.le_s", "i32.le_u", "i64.le_s"],
  ">": ["i32.gt_s", "i32.gt_u", "i64.gt_s"],
  ">=": ["i32.ge_s", "i32.ge_u", "i64.ge_s"],
  "===": ["i32.eq", "i32.eq", "i64.eq"],
  "!==": ["i32.ne", "i32.ne", "i64.ne"],
};
const ring32: Partial<Record<BinaryOp, Op>> = {
  "+": "i32.add",
  "-": "i32.sub",
  "*": "i32.mul",
  "&": "i32.and",
  "|": "i32.or",
  "^": "i32.xor",
  "<<": "i32.shl",
  ">>": "i32.shr_s",
  ">>>": "i32.shr_u",
};

export class ExprCompiler {
  readonly code: Code;
  readonly around: Surroundings;
  /** Lane numbers of maps that are being evaluated; hide the bindings of the surroundings. */
  readonly #lanes = new Map<number, Selector>();
  /** Names given inside expressions. */
  readonly #lets = new Map<Local, Binding>();

  constructor(code: Code, around: Surroundings) {
    this.code = code;
    this.around = around;
  }

  /** Follow `selectors` into an expression, down to one scalar or array. May emit code that fills index locals. */
  resolve(expr: Expr, selectors: readonly Selector[]): Source {
    switch (expr.kind) {
      case "index":
        return this.resolve(expr.base, [this.#lane(expr), ...selectors]);
      case "member":
        return this.resolve(expr.base, [{ member: expr.name }, ...selectors]);
      case "map": {
        const [lane, ...rest] = selectors;
        this.#lanes.set(expr.lane.id, lane!);
        return this.resolve(expr.body, rest);
      }
      case "let":
        this.bindLet(expr);
        return this.resolve(expr.body, selectors);
      case "vector": {
        const [lane, ...rest] = selectors;
        if (lane && "lane" in lane) return this.resolve(expr.items[lane.lane]!, rest);
        return this.#walk(this.around.scratch(expr), selectors);
      }
      case "struct": {
        const [step, ...rest] = selectors;
        const field = expr.fields.find(({ name }) => step && "member" in step && step.member === name);
        if (!field) throw new Error(`no such member of ${expr.fields.map(({ name }) => name).join()}`);
        return this.resolve(field.value, rest);
      }
      case "select":
        if (isScalar(expr.type) || expr.type.kind === "exact") return { kind: "expr", expr };
        return {
          kind: "select",
          condition: expr.condition,
          // Resolved in its branch: what is not chosen is not evaluated.
          then: () => this.resolve(expr.then, selectors),
          else: () => this.resolve(expr.else, selectors),
        };
      case "call":
        if (expr.helper === "mulPair") {
          const [lane] = selectors;
          if (!lane || !("lane" in lane)) return this.#walk(this.around.scratch(expr), selectors);
          return { kind: "pair", a: expr.args[0]!, b: expr.args[1 + lane.lane]! };
        }
        return { kind: "expr", expr };
      case "cast":
        return isScalar(expr.type) ? { kind: "expr", expr } : this.resolve(expr.operand, selectors);
      case "local":
      case "field": {
        if (expr.kind === "local" && this.#lanes.has(expr.local.id)) return { kind: "expr", expr };
        const binding = this.#binding(expr);
        return "place" in binding ? this.#walk(binding.place, selectors) : { kind: "expr", expr };
      }
      case "q":
        return this.#walk(this.around.q(expr), selectors);
      case "signal":
        return this.#walk(this.around.signal(expr), selectors);
      default:
        return { kind: "expr", expr };
    }
  }

  #binding(expr: Extract<Expr, { kind: "local" | "field" }>): Binding {
    if (expr.kind === "field") return this.around.binding(expr.field);
    return this.#lets.get(expr.local) ?? this.around.binding(expr.local);
  }

  /** `then` or `otherwise`, as the condition says at run time. */
  branch(condition: Expr, then: () => void, otherwise: () => void): void {
    this.emit32(condition);
    this.code.if();
    then();
    this.code.else();
    otherwise();
    this.code.end();
  }

  /** Evaluate what a `let` inside an expression names. */
  bindLet({ local, value }: Extract<Expr, { kind: "let" }>): void {
    const { code } = this;
    if (value.type.kind === "vec" || value.type.kind === "struct") {
      this.#lets.set(local, { place: this.around.scratch(value) });
      return;
    }
    const bounds = boundsOf({ ...value, type: local.type });
    const type: ValType = fits32(bounds) ? "i32" : "i64";
    if (type === "i32") this.emit32(value);
    else this.emit64(value);
    const index = code.local(type);
    code.set(index);
    this.#lets.set(local, { local: index, type });
  }

  /** The place that a chain of names, members and indices denotes, if it is one. */
  resolvePlace(expr: Expr, selectors: readonly Selector[]): Place | undefined {
    switch (expr.kind) {
      case "index":
        return this.resolvePlace(expr.base, [this.#lane(expr), ...selectors]);
      case "member":
        return this.resolvePlace(expr.base, [{ member: expr.name }, ...selectors]);
      case "local":
      case "field": {
        const binding = this.#binding(expr);
        return "place" in binding ? selectors.reduce(select, binding.place) : undefined;
      }
      case "q":
        return selectors.reduce(select, this.around.q(expr));
      case "signal":
        return selectors.reduce(select, this.around.signal(expr));
      default:
        return undefined;
    }
  }

  #walk(place: Place, selectors: readonly Selector[]): Source {
    const [leaf] = selectors.reduce(select, place);
    return { kind: "leaf", leaf: leaf! };
  }

  /** The lane that an index expression picks. */
  #lane(expr: Extract<Expr, { kind: "index" }>): Selector {
    return this.lane(expr.index);
  }
  lane(index: Expr): Selector {
    if (index.kind === "const") return { lane: Number(index.value) };
    if (index.kind === "cast" && index.operand.kind === "const") return { lane: Number(index.operand.value) };
    if (index.kind === "local") {
      const lane = this.#lanes.get(index.local.id);
      if (lane) return lane;
    }
    const constant = this.constant(index);
    if (constant !== undefined) return { lane: constant };
    const local = this.code.local("i32");
    this.emit32(index);
    this.code.set(local);
    return { local, plus: 0 };
  }

  /** The value of an index expression whose lanes are known now. */
  constant(expr: Expr): number | undefined {
    if (expr.kind === "const") return Number(expr.value);
    if (expr.kind === "local") {
      const lane = this.#lanes.get(expr.local.id);
      return lane && "lane" in lane ? lane.lane : undefined;
    }
    if (expr.kind === "cast") {
      const x = this.constant(expr.operand);
      if (x === undefined || expr.type.kind !== "int") return undefined;
      const { min, max } = expr.type as IntType;
      return x >= min && x <= max ? x : undefined;
    }
    if (expr.kind !== "binary") return undefined;
    const a = this.constant(expr.left);
    const b = a === undefined ? undefined : this.constant(expr.right);
    if (a === undefined || b === undefined) return undefined;
    if (expr.op === "+") return a + b;
    if (expr.op === "-") return a - b;
    if (expr.op === "*") return a * b;
    if (expr.op === "%") return b === 0 ? undefined : a % b;
    if (expr.op === ">>") return a >> b;
    if (expr.op === "<<") return a << b;
    if (expr.op === "&") return a & b;
    if (expr.op === "^") return a ^ b;
    if (expr.op === "|") return a | b;
    return undefined;
  }

  /** The lane (or the counter of a loop that is written out) is `selector` in what `use` emits. */
  withLane<T>(lane: Local, selector: Selector, use: () => T): T {
    const before = this.#lanes.get(lane.id);
    this.#lanes.set(lane.id, selector);
    const result = use();
    if (before) this.#lanes.set(lane.id, before);
    else this.#lanes.delete(lane.id);
    return result;
  }
  /** From here on the counter of a loop that is written out has this value. */
  setLane(lane: Local, value: number): void {
    this.#lanes.set(lane.id, { lane: value });
  }
  laneOf(id: number): Selector | undefined {
    return this.#lanes.get(id);
  }

  /** The low 32 bits of a scalar. */
  emit32(expr: Expr): void {
    const { code } = this;
    switch (expr.kind) {
      case "const":
        code.i32(Number(BigInt.asIntN(32, BigInt(Number(expr.value)))));
        return;
      case "local": {
        const lane = this.#lanes.get(expr.local.id);
        if (lane) {
          this.#emitLane(lane);
          return;
        }
        this.#scalarBinding(expr, "i32");
        return;
      }
      case "field":
        this.#scalarBinding(expr, "i32");
        return;
      case "unary":
        if (expr.op === "-") {
          code.i32(0);
          this.emit32(expr.operand);
          code.op("i32.sub");
        } else if (expr.op === "~") {
          this.emit32(expr.operand);
          code.i32(-1).op("i32.xor");
        } else {
          this.emit32(expr.operand);
          code.op("i32.eqz");
        }
        return;
      case "binary":
        this.#binary32(expr);
        return;
      case "select":
        this.#select(
          expr.condition,
          "i32",
          () => this.emit32(expr.then),
          () => this.emit32(expr.else),
        );
        return;
      case "cast":
        this.emit32(expr.operand);
        this.wrap(expr.type as ScalarType, boundsOf(expr.operand));
        return;
      case "call":
        emitCall32(this, expr);
        return;
      default:
        this.emitSource(this.resolve(expr, []));
    }
  }

  /** The low 32 bits of a resolved scalar. */
  emitSource(source: Source): void {
    switch (source.kind) {
      case "leaf":
        emitLoad(this.code, source.leaf);
        return;
      case "expr":
        this.emit32(source.expr);
        return;
      case "pair":
        this.emit32(source.a);
        this.emit32(source.b);
        this.code.op("i32.mul").op("i32.extend16_s");
        return;
      case "select":
        this.#select(
          source.condition,
          "i32",
          () => this.emitSource(source.then()),
          () => this.emitSource(source.else()),
        );
    }
  }

  /** A scalar as an exact i64. */
  emit64(expr: Expr): void {
    const { code } = this;
    const bounds = boundsOf(expr);
    if (fits32(bounds)) {
      this.emit32(expr);
      code.op(fitsSigned(bounds) ? "i64.extend_i32_s" : "i64.extend_i32_u");
      return;
    }
    switch (expr.kind) {
      case "const":
        code.i64(Number(expr.value));
        return;
      case "unary":
        code.i64(0);
        this.emit64(expr.operand);
        code.op("i64.sub");
        return;
      case "binary": {
        this.emit64(expr.left);
        this.emit64(expr.right);
        const op = ({ "+": "i64.add", "-": "i64.sub", "*": "i64.mul", "%": "i64.rem_s" } as const)[expr.op as "+"];
        code.op(op);
        return;
      }
      case "let":
        this.bindLet(expr);
        this.emit64(expr.body);
        return;
      case "select":
        this.#select(
          expr.condition,
          "i64",
          () => this.emit64(expr.then),
          () => this.emit64(expr.else),
        );
        return;
      case "call":
        emitCall64(this, expr);
        return;
      case "local":
      case "field":
        this.#scalarBinding(expr, "i64");
        return;
      default:
        throw new Error(`${expr.kind} of more than 32 bits`);
    }
  }

  #emitLane(lane: Selector): void {
    if ("lane" in lane) this.code.i32(lane.lane);
    else if ("local" in lane) {
      this.code.get(lane.local);
      if (lane.plus !== 0) this.code.i32(lane.plus).op("i32.add");
    }
  }

  #scalarBinding(expr: Extract<Expr, { kind: "local" | "field" }>, want: ValType): void {
    const binding = this.#binding(expr);
    if ("place" in binding) {
      emitLoad(this.code, binding.place[0]!);
      return;
    }
    this.code.get(binding.local);
    if (binding.type === "i64" && want === "i32") this.code.op("i32.wrap_i64");
  }

  /** Wrap the i32 on the stack to a type; nothing to do where the operand is known to fit. */
  wrap(type: ScalarType, from: Bounds): void {
    const { code } = this;
    if (type.kind === "bool") return;
    const { bits, signed, min, max } = type;
    if (bits === 32 || (from.lo >= min && from.hi <= max)) return;
    if (!signed) code.i32(2 ** bits - 1).op("i32.and");
    else if (bits === 8) code.op("i32.extend8_s");
    else if (bits === 16) code.op("i32.extend16_s");
    else
      code
        .i32(32 - bits)
        .op("i32.shl")
        .i32(32 - bits)
        .op("i32.shr_s");
  }

  #select(condition: Expr, type: ValType, then: () => void, otherwise: () => void): void {
    this.emit32(condition);
    this.code.if(type);
    then();
    this.code.else();
    otherwise();
    this.code.end();
  }

  #binary32(expr: Extract<Expr, { kind: "binary" }>): void {
    const { code } = this;
    const { op, left, right } = expr;
    if (op === "&&" || op === "||") {
      this.emit32(left);
      code.if("i32");
      if (op === "&&") this.emit32(right);
      else code.i32(1);
      code.else();
      if (op === "&&") code.i32(0);
      else this.emit32(right);
      code.end();
      return;
    }
    const [a, b] = [boundsOf(left), boundsOf(right)];
    const ops = compare[op];
    const remainder = op === "%";
    if (ops || remainder) {
      const signed = fitsSigned(a) && fitsSigned(b);
      const narrow = signed || (fitsUnsigned(a) && fitsUnsigned(b));
      for (const side of [left, right])
        if (narrow) this.emit32(side);
        else this.emit64(side);
      if (ops) code.op(ops[signed ? 0 : narrow ? 1 : 2]);
      else if (narrow) code.op(signed ? "i32.rem_s" : "i32.rem_u");
      else code.op("i64.rem_s").op("i32.wrap_i64");
      return;
    }
    this.emit32(left);
    this.emit32(right);
    code.op(ring32[op]!);
  }
}
