/**
 * Expressions of the IR as Verilog text. Every text made here is a plain bit vector of a stated width that equals the exact
 * value modulo 2^width: sums, differences and products need no more than that, and where the value itself counts
 * (comparisons, right shifts, conversions) the width is the one of the expression's range. So no text depends on
 * Verilog's rules for the widths and signs of its context.
 */
import type { MemoryPort } from "../memory.js";
import type { Signal } from "../signal.js";
import type { IntType, StructType, Type, VecType } from "../types.js";
import type { Expr, ExprType, Local, Ref, StateField } from "../ir/ir.js";
import { rangeOf, signedWidth, widthOf, type Width } from "../fsm/width.js";
import { extend, type FunctionLibrary } from "./functions.js";

/** How the names of values are read where an expression stands. */
export interface Names {
  local(local: Local): string;
  /** The name of a member that is a register of its own. */
  member?(local: Local, name: string): string | undefined;
  field(field: StateField): string;
  q(port: MemoryPort): string;
  signal(signal: Signal): string;
  /** A name for a value of `width` bits that the text before this expression gives it. */
  bind(name: string, width: number, text: string): string;
  /** The same for a text that may come again in the same statement: one name. Undefined where no text can stand before. */
  share(name: string, width: number, text: string): string | undefined;
}

/** A constant part of a named vector, or one whose place is computed. */
export interface Place {
  readonly name: string;
  /** Bits of the whole vector. */
  readonly total: number;
  readonly low: number | string;
  readonly width: number;
}

export function literal(value: number | boolean, width: number): string {
  const n = Number(value);
  if (n >= 0) {
    const bits = width > 53 ? BigInt(n) : BigInt(n) & ((1n << BigInt(width)) - 1n);
    return `${width}'d${bits}`;
  }
  return `${width}'h${(BigInt(n) & ((1n << BigInt(width)) - 1n)).toString(16)}`;
}

export const bitsFor = (count: number): number => Math.max(1, Math.ceil(Math.log2(count)));

export function placeText({ name, total, low, width }: Place): string {
  if (typeof low === "string") return `${name}[${low} +: ${width}]`;
  if (low === 0 && width === total) return name;
  return width === 1 ? `${name}[${low}]` : `${name}[${low + width - 1}:${low}]`;
}

/** Bits below a field of a struct; the first field stands highest. */
function fieldOffset(type: StructType, field: string): { offset: number; type: Type } {
  let offset = 0;
  for (const [name, of] of Object.entries(type.fields).reverse()) {
    if (name === field) return { offset, type: of };
    offset += of.bits;
  }
  throw new Error(`no field ${field} in ${type.name}`);
}

export class ExprText {
  readonly names: Names;
  readonly functions: FunctionLibrary;
  readonly #bound = new Map<Local, string>();

  constructor(names: Names, functions: FunctionLibrary) {
    this.names = names;
    this.functions = functions;
  }

  /** One bit. */
  bool(e: Expr): string {
    return this.bits(e, 1);
  }

  /** All bits of a value of its own type. */
  whole(e: Expr): string {
    return this.bits(e, widthOf(e.type).width);
  }

  /** `e` modulo 2^width. */
  bits(e: Expr, width: number): string {
    switch (e.kind) {
      case "const":
        return literal(e.value, width);
      case "local":
      case "field":
      case "index":
      case "member":
      case "q":
      case "signal":
        return this.#part(e, width);
      case "unary":
        return this.#unary(e, width);
      case "binary":
        return this.#binary(e, width);
      case "select":
        return `(${this.bool(e.condition)} ? ${this.bits(e.then, width)} : ${this.bits(e.else, width)})`;
      case "cast":
        return this.#cast(e, width);
      case "call":
        return this.#call(e, width);
      case "let": {
        const name = this.names.bind(e.local.name, widthOf(e.local.type).width, this.#valueOf(e.value, e.local.type));
        this.#bound.set(e.local, name);
        return this.bits(e.body, width);
      }
      case "vector":
        return this.#concat(e.items.map((item) => this.#valueOf(item, (e.type as VecType).of)).reverse(), e);
      case "struct": {
        const { fields } = e.type as StructType;
        const value = (name: string): Expr => e.fields.find((f) => f.name === name)!.value;
        return this.#concat(
          Object.entries(fields).map(([name, type]) => this.#valueOf(value(name), type)),
          e,
        );
      }
      case "map":
        throw new Error("a map is unrolled before Verilog is written");
    }
  }

  /** A value as stored in a variable of `type`. */
  #valueOf(e: Expr, type: ExprType): string {
    return this.bits(e, widthOf(type).width);
  }

  #concat(items: readonly string[], e: Expr): string {
    const parts = joined(items);
    if (parts.every((part) => /^\d+'d0$/.test(part))) return literal(0, widthOf(e.type).width);
    if (parts.length === 1) return parts[0]!;
    const line = `{${parts.join(", ")}}`;
    return line.length <= 100 ? line : `{\n        ${parts.join(",\n        ")}}`;
  }

  /**
   * Where a named value, or part of one, stands; undefined where it has to be computed. A lane by a computed index has a
   * place only for an assignment (`target`): read, it is chosen from the lanes that there are.
   */
  place(e: Expr, target = false): Place | undefined {
    const named = (name: string): Place => {
      const { width } = widthOf(e.type);
      return { name, total: width, low: 0, width };
    };
    switch (e.kind) {
      case "local": {
        const { width } = widthOf(e.local.type);
        return { name: this.#bound.get(e.local) ?? this.names.local(e.local), total: width, low: 0, width };
      }
      case "field":
        return named(this.names.field(e.field));
      case "q":
        return e.port.index ? undefined : named(this.names.q(e.port.parts[0]!));
      case "signal":
        return e.signal.index ? undefined : named(this.names.signal(e.signal.parts[0]!));
      case "member": {
        const own = e.base.kind === "local" ? this.names.member?.(e.base.local, e.name) : undefined;
        if (own !== undefined) return named(own);
        const base = this.place(e.base, target);
        const { offset, type } = fieldOffset(e.base.type as StructType, e.name);
        return base && { ...base, low: plus(base.low, offset, bitsFor(base.total)), width: type.bits };
      }
      case "index": {
        const base = this.place(e.base, target);
        if (!base) return undefined;
        const lane = (e.base.type as VecType).of.bits;
        if ((e.base.type as VecType).length === 1) return { ...base, width: lane };
        if (e.index.kind === "const") {
          const low = plus(base.low, Number(e.index.value) * lane, bitsFor(base.total));
          return { ...base, low, width: lane };
        }
        if (!target) return undefined;
        const wide = bitsFor(base.total);
        const offset = this.#times(e.index, lane, wide);
        return { ...base, low: plus(base.low, offset, wide), width: lane };
      }
      default:
        return undefined;
    }
  }

  /** index * lane in `wide` bits. */
  #times(index: Expr, lane: number, wide: number): string {
    const shift = Math.log2(lane);
    if (lane === 1) return this.bits(index, wide);
    if (Number.isInteger(shift)) return `{${this.bits(index, Math.max(1, wide - shift))}, ${shift}'d0}`;
    return `(${this.bits(index, wide)} * ${literal(lane, wide)})`;
  }

  #part(e: Expr, width: number): string {
    const { signed } = widthOf(e.type);
    const place = this.place(e);
    if (!place) return this.#computedPart(e, width);
    if (width <= place.width) return placeText({ ...place, width });
    const text = placeText(place);
    if (!signed) return `{${width - place.width}'d0, ${text}}`;
    if (typeof place.low === "string") return `${this.functions.sext(place.width, width)}(${text})`;
    const sign = placeText({ ...place, low: place.low + place.width - 1, width: 1 });
    return `{{${width - place.width}{${sign}}}, ${text}}`;
  }

  /** A part of something that has no name of its own. */
  #computedPart(e: Expr, width: number): string {
    const own = widthOf(e.type);
    const done = (text: string): string => this.resize(text, own, width);
    if (e.kind === "q") return done(this.#choose(e.port, own.width, (port) => this.names.q(port)));
    if (e.kind === "signal") return done(this.#choose(e.signal, own.width, (s) => this.names.signal(s)));
    if (e.kind === "member") {
      const { offset } = fieldOffset(e.base.type as StructType, e.name);
      return done(this.#slice(e.base, "fields", offset, own.width));
    }
    if (e.kind !== "index") throw new Error(`no text for ${e.kind}`);
    const base = e.base.type as VecType;
    if (e.index.kind === "const")
      return done(
        this.#slice(e.base, isPair(e.base) ? "products" : "lanes", Number(e.index.value) * own.width, own.width),
      );
    if (base.length === 1) return done(this.whole(e.base));
    const wide = bitsFor(base.length);
    const lane = this.functions.lane(base.bits, own.width, wide);
    const text = `${lane}(${this.whole(e.base)}, ${this.bits(e.index, wide)})`;
    const name = this.place(e.base)?.name ?? "lanes";
    return done(this.names.share(`${name.replace(/_n$/, "")}_lane`, own.width, text) ?? text);
  }

  /** A part at a constant place of what is computed: once for all its parts, where that can be. */
  #slice(base: Expr, name: string, low: number, width: number): string {
    const { bits } = base.type as Type;
    const whole = this.whole(base);
    const shared = /^\w+$/.test(whole) ? whole : this.names.share(name, bits, whole);
    if (shared !== undefined) return placeText({ name: shared, total: bits, low, width });
    return `${this.functions.slice(bits, low + width - 1, low)}(${whole})`;
  }

  /** One of several parts by a computed index. */
  #choose<P>(ref: Ref<P>, _width: number, name: (part: P) => string): string {
    const index = ref.index!;
    const wide = bitsFor(ref.parts.length);
    return ref.parts
      .map(name)
      .reduceRight((rest, text, i) => `(${this.bits(index, wide)} == ${literal(i, wide)} ? ${text} : ${rest})`);
  }

  /** A computed text of one width in another. */
  resize(text: string, own: Width, to: number): string {
    if (own.width === to) return text;
    if (/^\w+$/.test(text)) return extend(text, own.width, own.signed, to);
    if (to < own.width) return `${this.functions.slice(own.width, to - 1, 0)}(${text})`;
    return own.signed ? `${this.functions.sext(own.width, to)}(${text})` : `{${to - own.width}'d0, ${text}}`;
  }

  #unary(e: Extract<Expr, { kind: "unary" }>, width: number): string {
    if (e.op === "!") return this.resize(`(!${this.bool(e.operand)})`, { width: 1, signed: false }, width);
    return `(${e.op}${this.bits(e.operand, width)})`;
  }

  /** A width that holds both operands exactly. */
  #common(...operands: readonly Expr[]): Width {
    const widths = operands.map((e) => widthOf(e.type));
    const signed = widths.some((w) => w.signed);
    return { signed, width: Math.max(...widths.map((w) => (signed && !w.signed ? w.width + 1 : w.width))) };
  }

  #binary(e: Extract<Expr, { kind: "binary" }>, width: number): string {
    const { op, left, right } = e;
    const bit = (text: string): string => this.resize(text, { width: 1, signed: false }, width);
    switch (op) {
      case "+":
      case "-": {
        const [a, b] = [widthOf(left.type), widthOf(right.type)];
        const narrow = (w: Width, x: Expr): boolean => w.signed && w.width < width && x.kind !== "const";
        if (!narrow(a, left) && !narrow(b, right))
          return `(${this.bits(left, width)} ${op} ${this.bits(right, width)})`;
        const [from, to] = [a, b].map((w) => (w.width < width ? w : { width, signed: false })) as [Width, Width];
        const name = this.functions.add(op, from, to, width);
        return `${name}(${this.bits(left, from.width)}, ${this.bits(right, to.width)})`;
      }
      case "&":
      case "|":
      case "^":
        return `(${this.bits(left, width)} ${op} ${this.bits(right, width)})`;
      case "*":
        return this.#multiply(e, width);
      case "<<":
        return `(${this.bits(left, width)} << ${this.#amount(right)})`;
      case ">>":
      case ">>>":
        return this.#shiftRight(left, right, width);
      case "%":
        return this.#remainder(e, width);
      case "<":
      case "<=":
      case ">":
      case ">=": {
        const w = this.#common(left, right);
        const side = (x: Expr): string => (w.signed ? `$signed(${this.bits(x, w.width)})` : this.bits(x, w.width));
        return bit(`(${side(left)} ${op} ${side(right)})`);
      }
      case "===":
      case "!==": {
        const w = this.#common(left, right);
        return bit(`(${this.bits(left, w.width)} ${op.slice(0, 2)} ${this.bits(right, w.width)})`);
      }
      case "&&":
      case "||":
        return bit(`(${this.bool(left)} ${op} ${this.bool(right)})`);
    }
  }

  #amount(n: Expr): string {
    return n.kind === "const" ? String(n.value) : this.bits(n, Math.min(6, widthOf(n.type).width));
  }

  #multiply(e: Extract<Expr, { kind: "binary" }>, width: number): string {
    const { left, right } = e;
    for (const [x, y] of [
      [left, right],
      [right, left],
    ] as const) {
      if (y.kind !== "const") continue;
      const shift = Math.log2(Number(y.value));
      if (Number.isInteger(shift)) return shift === 0 ? this.bits(x, width) : `(${this.bits(x, width)} << ${shift})`;
    }
    const a = operandWidth(left);
    const b = operandWidth(right);
    // The exact product, or as much of it as is asked for.
    const own = { width: a.width + b.width, signed: a.signed || b.signed };
    const to = Math.min(width, own.width);
    const text = `${this.functions.multiply(a, b, to)}(${this.bits(left, a.width)}, ${this.bits(right, b.width)})`;
    return this.resize(text, { ...own, width: to }, width);
  }

  /** floor(x / 2^n): what `>>` does on int32, and `>>>` and `asr` on what the checker lets through. */
  #shiftRight(x: Expr, n: Expr, width: number): string {
    const own = widthOf(x.type);
    if (n.kind === "const") {
      const low = Math.min(Number(n.value), own.width - 1);
      if (low < Number(n.value) && !own.signed) return literal(0, width);
      const place = this.place(x);
      const kept = own.width - low;
      if (place && typeof place.low === "number") {
        const slice: Place = { ...place, low: place.low + low, width: Math.min(kept, width) };
        if (width <= kept) return placeText(slice);
        const sign = placeText({ ...place, low: place.low + place.width - 1, width: 1 });
        const fill = own.signed ? `{${width - kept}{${sign}}}` : `${width - kept}'d0`;
        return `{${fill}, ${placeText(slice)}}`;
      }
      const text = `${this.functions.slice(own.width, own.width - 1, low)}(${this.whole(x)})`;
      return this.resize(text, { width: kept, signed: own.signed }, width);
    }
    const amount = Math.min(6, widthOf(n.type).width);
    const text = own.signed
      ? `${this.functions.asr(own.width, amount)}(${this.whole(x)}, ${this.bits(n, amount)})`
      : `(${this.whole(x)} >> ${this.bits(n, amount)})`;
    return this.resize(text, own, width);
  }

  #remainder(e: Extract<Expr, { kind: "binary" }>, width: number): string {
    const w = this.#common(e.left, e.right);
    const divisor = e.right.kind === "const" ? Number(e.right.value) : 0;
    const shift = Math.log2(divisor);
    if (divisor > 0 && Number.isInteger(shift))
      return shift === 0
        ? literal(0, width)
        : this.resize(this.bits(e.left, shift), { width: shift, signed: false }, width);
    return this.resize(`(${this.bits(e.left, w.width)} % ${this.bits(e.right, w.width)})`, w, width);
  }

  #cast(e: Extract<Expr, { kind: "cast" }>, width: number): string {
    const type = e.type as Type;
    if (type.kind !== "int") return this.bits(e.operand, width);
    const { bits, signed, min, max } = type as unknown as IntType;
    const { lo, hi } = rangeOf(e.operand.type);
    if (width <= bits || (lo >= min && hi <= max)) return this.bits(e.operand, width);
    return this.resize(this.bits(e.operand, bits), { width: bits, signed }, width);
  }

  #call(e: Extract<Expr, { kind: "call" }>, width: number): string {
    const { functions } = this;
    const [a, b, c] = e.args as [Expr, Expr, Expr];
    switch (e.helper) {
      case "asr":
        return this.#shiftRight(a, b, width);
      case "shl":
        return `(${this.bits(a, width)} << ${this.#amount(b)})`;
      case "bits": {
        if (b.kind !== "const" || c.kind !== "const") throw new Error("bits(x, high, low) needs constant bounds");
        const high = Number(b.value);
        const low = Number(c.value);
        const place = this.place(a);
        const own: Width = { width: high - low + 1, signed: false };
        if (place && typeof place.low === "number" && high < place.width) {
          const text = placeText({ ...place, low: place.low + low, width: Math.min(own.width, width) });
          return width > own.width ? `{${width - own.width}'d0, ${text}}` : text;
        }
        const whole = Math.max(high + 1, widthOf(a.type).width);
        return this.resize(`${functions.slice(whole, high, low)}(${this.bits(a, whole)})`, own, width);
      }
      case "andU":
      case "orU":
      case "xorU": {
        const op = { andU: "&", orU: "|", xorU: "^" }[e.helper];
        const own = { width: Math.min(32, widthOf(e.type).width), signed: false };
        return this.resize(`(${this.bits(a, own.width)} ${op} ${this.bits(b, own.width)})`, own, width);
      }
      case "doublingHighMul": {
        const text = `${functions.doublingHighMul()}(${this.bits(a, 32)}, ${this.bits(b, 32)})`;
        return this.resize(text, { width: 32, signed: true }, width);
      }
      case "roundingShiftRight": {
        const text = `${functions.roundingShiftRight()}(${this.bits(a, 32)}, ${this.bits(b, 5)})`;
        return this.resize(text, { width: 32, signed: true }, width);
      }
      case "mulPair": {
        const own = Math.max(8, signedWidth(b.type), signedWidth(c.type));
        return `${functions.mulPair(own)}(${this.bits(a, 8)}, ${this.bits(b, own)}, ${this.bits(c, own)})`;
      }
      case "clamp": {
        const within = saturation(a, b, c);
        if (within !== undefined) {
          const own = widthOf(a.type).width;
          const text = `${functions.saturate(own, within)}(${this.bits(a, own)})`;
          return this.resize(text, { width: within, signed: true }, width);
        }
        const w = this.#common(a, b, c);
        const args = [a, b, c].map((x) => this.bits(x, w.width)).join(", ");
        return this.resize(`${functions.clamp(w.width, w.signed)}(${args})`, w, width);
      }
      case "min":
      case "max": {
        const w = this.#common(...e.args);
        const name = functions.extreme(e.helper, w.width, w.signed);
        const text = e.args.map((x) => this.bits(x, w.width)).reduceRight((rest, x) => `${name}(${x}, ${rest})`);
        return this.resize(text, w, width);
      }
      case "abs": {
        const own = widthOf(a.type);
        if (!own.signed) return this.bits(a, width);
        // One more bit than the operand: |-128| is 128.
        const w = own.width + 1;
        return this.resize(`${functions.abs(w)}(${this.bits(a, w)})`, { width: w, signed: false }, width);
      }
    }
  }
}

/** Bits of the signed type whose range the bounds are, if they are constant and `x` is signed and wider. */
function saturation(x: Expr, low: Expr, high: Expr): number | undefined {
  if (low.kind !== "const" || high.kind !== "const") return undefined;
  const bits = 1 + Math.log2(Number(high.value) + 1);
  const own = widthOf(x.type);
  const fits = Number.isInteger(bits) && bits > 1 && Number(low.value) === -(2 ** (bits - 1));
  return fits && own.signed && own.width > bits ? bits : undefined;
}

/** An operand of a product keeps the width of its type where that is known to be enough. */
function operandWidth(e: Expr): Width {
  return widthOf(e.type);
}

const isPair = (e: Expr): boolean => e.kind === "call" && e.helper === "mulPair";

/** Parts of a concatenation, with those in one where they are neighbours in the same vector. */
function joined(parts: readonly string[]): string[] {
  const out: string[] = [];
  const range = (part: string | undefined): [string, number, number] | undefined => {
    const found = /^(\w+)\[(\d+)(?::(\d+))?\]$/.exec(part ?? "");
    return found ? [found[1]!, Number(found[2]), Number(found[3] ?? found[2])] : undefined;
  };
  for (const part of parts) {
    const [name, high, low] = range(out.at(-1)) ?? [];
    const [next, from, to] = range(part) ?? [];
    if (next !== undefined && next === name && from === low! - 1) out[out.length - 1] = `${name}[${high!}:${to!}]`;
    else out.push(part);
  }
  return out;
}

function plus(low: number | string, offset: number | string, wide = 32): number | string {
  if (typeof low === "number" && typeof offset === "number") return low + offset;
  if (offset === 0) return low;
  if (low === 0) return offset;
  const text = (x: number | string): string => (typeof x === "number" ? literal(x, wide) : x);
  return `(${text(low)} + ${text(offset)})`;
}
