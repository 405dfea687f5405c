/** Writes the body of one process of a random network (network.ts), as IR. */
import type { Channel } from "../../../hw/channel.js";
import { bool, int, uint } from "../../../hw/index.js";
import type { Expr, Local, Range, StateField, Stmt } from "../../../hw/ir/ir.js";
import type { MemoryPort } from "../../../hw/memory.js";
import type { IntType, Type, VecType, StructType } from "../../../hw/types.js";
import { randomType, type Network, type NetworkOptions } from "./network-parts.js";
import type { Random } from "./random.js";

export const nowhere = { file: "random", line: 1, column: 1 };
const at = nowhere;
const exact = (lo: number, hi: number): { kind: "exact"; range: Range } => ({ kind: "exact", range: { lo, hi } });

export class Writer {
  readonly fields: StateField[] = [];
  readonly locals: Local[] = [];
  polls = false;
  readonly #random: Random;
  readonly #top: Network;
  readonly #options: NetworkOptions;
  readonly #ins: Channel[];
  readonly #outs: Channel[];
  readonly #port: MemoryPort;
  readonly #writesSignal: boolean;
  #scope: Local[] = [];
  #loops: string[] = [];
  #label = 0;

  constructor(random: Random, top: Network, p: number, options: NetworkOptions, writesSignal: boolean) {
    this.#random = random;
    this.#top = top;
    this.#options = options;
    this.#ins = top.wires.filter(({ consumer }) => consumer === p).map(({ channel }) => channel);
    this.#outs = top.wires.filter(({ producer }) => producer === p).map(({ channel }) => channel);
    this.#port = top.memoryParts[p]!.ports[0]!;
    this.#writesSignal = writesSignal;
    for (let i = 0; i < 2; i++) {
      const type = randomType(random, i);
      this.fields.push({ module: top, name: `f${i}`, type, initial: type.zero() });
    }
  }

  process(): Stmt[] {
    const setup: Stmt[] = [];
    for (let i = 0; i < 2; i++) setup.push(this.#let(randomType(this.#random, i), true));
    // The whole memory is written first, so that no later read meets an unwritten word.
    for (let address = 0; address < 8; address++)
      setup.push(
        {
          kind: "write",
          at,
          port: { parts: [this.#port] },
          address: this.#constant(address),
          value: this.#of(this.#port.memory.type, 1),
        },
        { kind: "edge", at },
      );
    setup.push(
      { kind: "read", at, port: { parts: [this.#port] }, address: this.#constant(this.#random.below(8)) },
      { kind: "edge", at },
    );
    const body = this.#list(3 + this.#random.below(6), 0);
    // Whatever the paths, a round takes a clock.
    const round: Stmt[] = [...body, { kind: "edge", at }];
    const endless: Expr = { kind: "const", at, type: bool, value: true };
    const label = this.#newLabel();
    return [
      ...setup,
      { kind: "loop", at, label, condition: endless, update: [], body: round, atLeastOnce: true, combinational: false },
    ];
  }

  #newLabel(): string {
    return `l${this.#label++}`;
  }

  #local(type: Local["type"], mutable: boolean): Local {
    const local: Local = { id: this.locals.length, name: `v${this.locals.length}`, type, mutable };
    this.locals.push(local);
    return local;
  }

  #let(type: Type, mutable: boolean): Stmt {
    const value = this.#of(type, 2);
    const local = this.#local(type, mutable);
    this.#scope.push(local);
    return { kind: "let", at, local, value };
  }

  #list(n: number, depth: number): Stmt[] {
    const before = this.#scope.slice();
    const out: Stmt[] = [];
    for (let i = 0; i < n; i++) out.push(...this.#stmt(depth));
    this.#scope = before;
    return out;
  }

  #stmt(depth: number): Stmt[] {
    const r = this.#random;
    const kind = r.below(depth < 2 ? 18 : 14);
    if (kind < 3 && this.#ins.length > 0) {
      const channel = r.pick(this.#ins);
      const into = this.#local(channel.type, false);
      this.#scope.push(into);
      return [{ kind: "pop", at, channel: { parts: [channel] }, into }];
    }
    if (kind < 6 && this.#outs.length > 0) {
      const same = this.#outs.filter((other) => other.type === this.#outs[0]!.type);
      if (same.length > 1 && r.chance(0.3)) {
        const index = this.#reduce(this.#int(1), same.length);
        return [{ kind: "push", at, channel: { parts: same, index }, value: this.#of(same[0]!.type, 2) }];
      }
      const channel = r.pick(this.#outs);
      return [{ kind: "push", at, channel: { parts: [channel] }, value: this.#of(channel.type, 2) }];
    }
    if (kind === 6) return [{ kind: "edge", at }];
    if (kind === 7)
      return [
        {
          kind: "clocks",
          at,
          count: this.#reduce(this.#int(1), 4),
          estimate: r.chance(0.2) && !this.#options.hardware,
        },
      ];
    if (kind === 8) return [this.#let(randomType(r, 1), r.chance(0.5))];
    if (kind === 9 || kind === 10) return this.#assign();
    if (kind === 11) return this.#access();
    if (kind === 12 || kind === 13) return this.#options.polls ? this.#poll() : [{ kind: "edge", at }];
    if (kind === 14 || kind === 15)
      return [
        {
          kind: "if",
          at,
          condition: this.#bool(2),
          then: this.#list(1 + r.below(3), depth + 1),
          else: r.chance(0.5) ? this.#list(1 + r.below(3), depth + 1) : [],
        },
      ];
    return this.#loop(depth);
  }

  #assign(): Stmt[] {
    const r = this.#random;
    const mutable = this.#scope.filter((local) => local.mutable);
    const target: Expr =
      r.chance(0.5) && mutable.length > 0 ? this.#name(r.pick(mutable)) : this.#fieldName(r.pick(this.fields));
    if (target.type.kind === "vec" && r.chance(0.6)) {
      const { of, length } = target.type as VecType;
      const index = r.chance(0.5) ? this.#constant(r.below(length)) : this.#reduce(this.#int(1), length);
      const lane = { kind: "index", at, type: of, base: target, index } as Extract<Expr, { kind: "index" }>;
      return [{ kind: "assign", at, target: lane, value: this.#of(of, 2) }];
    }
    return [{ kind: "assign", at, target: target as never, value: this.#of(target.type as Type, 2) }];
  }

  #access(): Stmt[] {
    const r = this.#random;
    const port = { parts: [this.#port] };
    const address = this.#reduce(this.#int(1), 8);
    const access: Stmt = r.chance(0.5)
      ? { kind: "read", at, port, address }
      : { kind: "write", at, port, address, value: this.#of(this.#port.memory.type, 2) };
    return [access, { kind: "edge", at }];
  }

  #poll(): Stmt[] {
    const r = this.#random;
    this.polls = true;
    if (r.chance(0.3)) {
      const signal = { parts: this.#top.signalParts };
      if (this.#writesSignal && r.chance(0.6)) return [{ kind: "signal", at, signal, value: this.#of(uint(4), 2) }];
      const value: Expr = { kind: "signal", at, type: uint(4), signal };
      const local = this.#local(uint(4), false);
      this.#scope.push(local);
      return [{ kind: "let", at, local, value }];
    }
    if (r.chance(0.5) && this.#outs.length > 0) {
      const channel = r.pick(this.#outs);
      const value = this.#of(channel.type, 1);
      const ok = this.#local(bool, false);
      this.#scope.push(ok);
      return [{ kind: "tryPush", at, channel: { parts: [channel] }, value, ok }];
    }
    if (this.#ins.length === 0) return [{ kind: "edge", at }];
    const channel = r.pick(this.#ins);
    const ok = this.#local(bool, false);
    const into = this.#local(channel.type, false);
    this.#scope.push(ok, into);
    return [{ kind: r.chance(0.5) ? "peek" : "tryPop", at, channel: { parts: [channel] }, ok, into }];
  }

  #loop(depth: number): Stmt[] {
    const r = this.#random;
    const type = uint(8);
    const counter = this.#local(type, true);
    const before = this.#scope.slice();
    const name = this.#name(counter);
    const bound = this.#reduce(this.#int(1), 5);
    const limit = this.#local(exact(0, 4), false);
    const label = this.#newLabel();
    this.#scope.push(limit);
    this.#loops.push(label);
    const body = this.#list(1 + r.below(3), depth + 1);
    if (r.chance(0.3)) {
      const place = r.below(body.length + 1);
      const condition = this.#bool(1);
      const jump: Stmt = { kind: r.chance(0.5) ? "break" : "continue", at, label: r.pick(this.#loops) };
      // A pass that goes on early would take no clock.
      const then: Stmt[] = this.#options.hardware && jump.kind === "continue" ? [{ kind: "edge", at }, jump] : [jump];
      body.splice(place, 0, { kind: "if", at, condition, then, else: [] });
    }
    this.#loops.pop();
    this.#scope = before;
    const one = this.#constant(1);
    const next: Expr = {
      kind: "cast",
      at,
      type,
      operand: { kind: "binary", at, type: exact(1, 256), op: "+", left: name, right: one },
    };
    return [
      { kind: "let", at, local: counter, value: { kind: "cast", at, type, operand: this.#constant(0) } },
      { kind: "let", at, local: limit, value: bound },
      {
        kind: "loop",
        at,
        label,
        condition: { kind: "binary", at, type: bool, op: "<", left: name, right: this.#name(limit) },
        update: [{ kind: "assign", at, target: name as never, value: next }],
        body: [...body, { kind: "edge", at }],
        atLeastOnce: false,
        combinational: false,
      },
    ];
  }

  // --- expressions

  #constant(value: number): Expr {
    return { kind: "const", at, type: exact(value, value), value };
  }
  #name(local: Local): Extract<Expr, { kind: "local" }> {
    return { kind: "local", at, type: local.type, local };
  }
  #fieldName(field: StateField): Expr {
    return { kind: "field", at, type: field.type as Local["type"], field };
  }

  /** An index below n made of any integer: (x mod 2^8 as unsigned) % n. */
  #reduce(x: Expr, n: number): Expr {
    const byte: Expr = { kind: "cast", at, type: uint(8), operand: x };
    return { kind: "binary", at, type: exact(0, n - 1), op: "%", left: byte, right: this.#constant(n) };
  }

  /** An expression of a type of the language. */
  #of(type: Type, depth: number): Expr {
    const same = this.#scope.filter((local) => local.type === type).map((local) => this.#name(local));
    if (same.length > 0 && this.#random.chance(0.4)) return this.#random.pick(same);
    if (type === this.#port.memory.type && this.#random.chance(0.15) && this.#scope.length > 2)
      return { kind: "q", at, type: type as Local["type"], port: { parts: [this.#port] } };
    if (type.kind === "int") return { kind: "cast", at, type: type as unknown as IntType, operand: this.#int(depth) };
    if (type.kind === "bool") return this.#bool(depth);
    if (type.kind === "struct") {
      const fields = Object.entries((type as StructType).fields).map(([name, field]) => ({
        name,
        value: this.#of(field, depth - 1),
      }));
      return { kind: "struct", at, type: type as Local["type"], fields };
    }
    const { of, length } = type as VecType;
    if (length <= 4 && this.#random.chance(0.3)) {
      const items = Array.from({ length }, () => this.#of(of as Type, depth - 1));
      return { kind: "vector", at, type: type as Local["type"], items };
    }
    const lane = this.#local(exact(0, length - 1), false);
    this.#scope.push(lane);
    const body = this.#of(of, depth);
    this.#scope.pop();
    return { kind: "map", at, type: type as Local["type"], length, lane, body };
  }

  #bool(depth: number): Expr {
    const r = this.#random;
    const flags = this.#scope.filter((local) => local.type.kind === "bool");
    if (flags.length > 0 && r.chance(0.3)) return this.#name(r.pick(flags));
    if (depth > 0 && r.chance(0.2)) {
      const op = r.pick(["&&", "||"] as const);
      return { kind: "binary", at, type: bool, op, left: this.#bool(depth - 1), right: this.#bool(depth - 1) };
    }
    const op = r.pick(["<", "<=", ">", ">=", "===", "!=="] as const);
    return { kind: "binary", at, type: bool, op, left: this.#int(depth - 1), right: this.#int(depth - 1) };
  }

  #leaf(): Expr {
    const r = this.#random;
    const names = [
      ...this.#scope.map((local) => this.#name(local)),
      ...this.fields.map((field) => this.#fieldName(field)),
    ];
    const name = r.pick(names);
    if (names.length === 0 || r.chance(0.25))
      return this.#constant(r.pick([0, 1, 2, 3, 7, 100, 255, -1, -5, 65535, 2147483647, -2147483648]));
    return this.#scalarOf(name) ?? this.#constant(r.below(10));
  }

  #scalarOf(base: Expr): Expr | undefined {
    const r = this.#random;
    const { type } = base;
    if (type.kind === "int" || type.kind === "exact") return base;
    if (type.kind === "vec") {
      const { of, length } = type as VecType;
      const index = r.chance(0.5) ? this.#constant(r.below(length)) : this.#lane(length);
      return this.#scalarOf({ kind: "index", at, type: of as Local["type"], base, index });
    }
    if (type.kind === "struct") {
      const [name, field] = r.pick(Object.entries((type as StructType).fields).filter(([, f]) => f.kind !== "bool"));
      return this.#scalarOf({ kind: "member", at, type: field as Local["type"], base, name });
    }
    return undefined;
  }

  #lane(length: number): Expr {
    const lanes = this.#scope.filter(
      ({ type }) => type.kind === "exact" && type.range.lo >= 0 && type.range.hi < length,
    );
    return lanes.length > 0 ? this.#name(this.#random.pick(lanes)) : this.#constant(this.#random.below(length));
  }

  /** An exact integer. */
  #int(depth: number): Expr {
    const r = this.#random;
    if (depth <= 0 || r.chance(0.2)) return this.#leaf();
    const kind = r.below(10);
    const [left, right] = [this.#int(depth - 1), this.#int(depth - 1)];
    const [a, b] = [range(left), range(right)];
    if (kind < 3) return this.#checked("+", left, right, a.lo + b.lo, a.hi + b.hi);
    if (kind === 3) return this.#checked("-", left, right, a.lo - b.hi, a.hi - b.lo);
    if (kind === 4) {
      const ends = [a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi];
      return this.#checked("*", left, right, Math.min(...ends), Math.max(...ends));
    }
    const { hardware = false } = this.#options;
    const cast = (type: Type, x: Expr): Expr => ({ kind: "cast", at, type: type as unknown as IntType, operand: x });
    const i32 = (x: Expr): Expr => cast(int(32), x);
    if (kind === 5)
      return {
        kind: "binary",
        at,
        type: exact(-(2 ** 31), 2 ** 31 - 1),
        op: r.pick(["&", "|", "^"] as const),
        left: hardware ? i32(left) : left,
        right: hardware ? i32(right) : right,
      };
    if (kind === 6)
      return {
        kind: "select",
        at,
        type: exact(Math.min(a.lo, b.lo), Math.max(a.hi, b.hi)),
        condition: this.#bool(depth - 1),
        then: left,
        else: right,
      };
    const shift = this.#reduce(right, 32);
    const full = exact(-(2 ** 31), 2 ** 31 - 1);
    if (kind === 7) {
      const op = r.pick(["<<", ">>", ">>>"] as const);
      if (hardware) {
        // Without a bit lost on the left, and no negative number shifted right.
        const operand = cast(op === "<<" ? int(8) : uint(op === ">>" ? 31 : 32), left);
        const amount = op === "<<" ? this.#reduce(right, 24) : shift;
        const type = op === "<<" ? exact(-(2 ** 30), 2 ** 30) : exact(0, 2 ** 32 - 1);
        return { kind: "binary", at, type, op, left: operand, right: amount };
      }
      return {
        kind: "binary",
        at,
        type: op === ">>>" ? exact(0, 2 ** 32 - 1) : full,
        op,
        left: i32(left),
        right: shift,
      };
    }
    if (kind === 8) {
      const helper = r.pick(["doublingHighMul", "roundingShiftRight", "asr", "xorU", "andU", "orU"] as const);
      const unsigned = helper.endsWith("U");
      const second = helper === "doublingHighMul" || unsigned ? i32(right) : shift;
      return { kind: "call", at, type: unsigned ? exact(0, 2 ** 32 - 1) : full, helper, args: [i32(left), second] };
    }
    const helper = r.pick(["min", "max", "clamp", "bits"] as const);
    if (helper === "bits") {
      const low = r.below(32);
      const high = low + r.below(32 - low);
      const args = [i32(left), this.#constant(high), this.#constant(low)];
      return { kind: "call", at, type: exact(0, 2 ** (high - low + 1) - 1), helper, args };
    }
    const type = exact(Math.min(a.lo, b.lo, -10), Math.max(a.hi, b.hi, 100));
    if (helper === "clamp")
      return { kind: "call", at, type, helper, args: [left, this.#constant(-10), this.#constant(100)] };
    return { kind: "call", at, type, helper, args: [left, right] };
  }

  #checked(op: "+" | "-" | "*", left: Expr, right: Expr, lo: number, hi: number): Expr {
    if (lo < -(2 ** 52) || hi > 2 ** 52) return { kind: "cast", at, type: int(32), operand: left };
    return { kind: "binary", at, type: exact(lo, hi), op, left, right };
  }
}

function range({ type }: Expr): Range {
  if (type.kind === "exact") return type.range;
  if (type.kind === "int") return { lo: (type as IntType).min, hi: (type as IntType).max };
  return { lo: 0, hi: 1 };
}
