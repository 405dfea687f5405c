/** Runs IR as a generator, in JavaScript's own arithmetic: the body of a kernel process for a design made as IR. */
import * as arithmetic from "../../../hw/arithmetic.js";
import type { Expr, Local, Ref, StateField, Stmt, Target } from "../../../hw/ir/ir.js";
import { clocks, estimated, type Process } from "../../../hw/process.js";
import type { IntType, Type } from "../../../hw/types.js";

const helpers: Record<string, (...args: number[]) => unknown> = {
  ...(arithmetic as unknown as Record<string, (...args: number[]) => unknown>),
  min: Math.min,
  max: Math.max,
  abs: Math.abs,
};

export class Interpreter {
  readonly #locals = new Map<Local, unknown>();
  readonly #fields = new Map<StateField, unknown>();

  constructor(fields: readonly StateField[]) {
    for (const field of fields) this.#fields.set(field, structuredClone(field.initial));
  }

  value(expr: Expr): unknown {
    switch (expr.kind) {
      case "const":
        return expr.value;
      case "local":
        return this.#locals.get(expr.local);
      case "field":
        return this.#fields.get(expr.field);
      case "index":
        return (this.value(expr.base) as unknown[])[this.number(expr.index)];
      case "member":
        return (this.value(expr.base) as Record<string, unknown>)[expr.name];
      case "unary": {
        const x = this.value(expr.operand) as number;
        return expr.op === "-" ? -x : expr.op === "~" ? ~x : !x;
      }
      case "binary":
        return this.#binary(expr);
      case "select":
        return this.value(this.value(expr.condition) ? expr.then : expr.else);
      case "cast":
        return (expr.type as IntType)(this.number(expr.operand));
      case "call":
        return helpers[expr.helper]!(...expr.args.map((arg) => this.number(arg)));
      case "map":
        return Array.from({ length: expr.length }, (_, lane) => {
          this.#locals.set(expr.lane, lane);
          return this.value(expr.body);
        });
      case "let":
        this.#locals.set(expr.local, this.value(expr.value));
        return this.value(expr.body);
      case "vector":
        return expr.items.map((item) => this.value(item));
      case "struct":
        return Object.fromEntries(expr.fields.map(({ name, value }) => [name, this.value(value)]));
      case "q":
        return (this.part(expr.port) as unknown as { q: unknown }).q;
      case "signal":
        return this.part(expr.signal).read();
    }
  }

  number(expr: Expr): number {
    return this.value(expr) as number;
  }

  #binary({ op, left, right }: Extract<Expr, { kind: "binary" }>): unknown {
    const a = this.value(left) as number;
    if (op === "&&") return a && this.value(right);
    if (op === "||") return a || this.value(right);
    const b = this.value(right) as number;
    const results: Record<string, unknown> = {
      "+": a + b,
      "-": a - b,
      "*": a * b,
      "%": a % b,
      "&": a & b,
      "|": a | b,
      "^": a ^ b,
      "<<": a << b,
      ">>": a >> b,
      ">>>": a >>> b,
      "<": a < b,
      "<=": a <= b,
      ">": a > b,
      ">=": a >= b,
      "===": a === b,
      "!==": a !== b,
    };
    const result = results[op];
    // Minus zero is no integer of hardware.
    return result === 0 ? 0 : result;
  }

  part<P>({ parts, index }: Ref<P>): P {
    return parts[index ? this.number(index) : 0]!;
  }

  #copy(value: unknown): unknown {
    return structuredClone(value);
  }

  #assign(target: Target, value: unknown): void {
    if (target.kind === "local") this.#locals.set(target.local, value);
    else if (target.kind === "field") this.#fields.set(target.field, value);
    else if (target.kind === "index") (this.value(target.base) as unknown[])[this.number(target.index)] = value;
    else (this.value(target.base) as Record<string, unknown>)[target.name] = value;
  }

  /** Returns the label that is being left or continued, or "end". */
  *run(stmts: readonly Stmt[]): Process<string | undefined> {
    for (const stmt of stmts) {
      const leaving = yield* this.#stmt(stmt);
      if (leaving !== undefined) return leaving;
    }
    return undefined;
  }

  *#stmt(stmt: Stmt): Process<string | undefined> {
    switch (stmt.kind) {
      case "let":
        this.#locals.set(stmt.local, this.#copy(this.value(stmt.value)));
        return undefined;
      case "assign":
        this.#assign(stmt.target, this.#copy(this.value(stmt.value)));
        return undefined;
      case "if":
        return yield* this.run(this.value(stmt.condition) ? stmt.then : stmt.else);
      case "loop":
        for (let first = stmt.atLeastOnce; first || Boolean(this.value(stmt.condition)); first = false) {
          const leaving = yield* this.run(stmt.body);
          if (leaving === `break ${stmt.label}`) return undefined;
          if (leaving !== undefined && leaving !== `continue ${stmt.label}`) return leaving;
          yield* this.run(stmt.update);
        }
        return undefined;
      case "block": {
        const leaving = yield* this.run(stmt.body);
        return leaving === `break ${stmt.label}` ? undefined : leaving;
      }
      case "break":
      case "continue":
        return `${stmt.kind} ${stmt.label}`;
      case "end":
        return "end";
      case "edge":
        yield;
        return undefined;
      case "clocks":
        yield* (stmt.estimate ? estimated : clocks)(this.number(stmt.count));
        return undefined;
      case "pop": {
        const token = yield* this.part(stmt.channel).pop();
        if (stmt.into) this.#locals.set(stmt.into, this.#copy(token));
        return undefined;
      }
      case "push":
        yield* this.part(stmt.channel).push(this.#copy(this.value(stmt.value)));
        return undefined;
      case "tryPop":
      case "peek": {
        const channel = this.part(stmt.channel);
        const token = stmt.kind === "peek" ? channel.peek() : channel.tryPop();
        this.#locals.set(stmt.ok, token !== undefined);
        this.#locals.set(stmt.into, this.#copy(token ?? (stmt.into.type as Type).zero()));
        return undefined;
      }
      case "tryPush":
        this.#locals.set(stmt.ok, this.part(stmt.channel).tryPush(this.#copy(this.value(stmt.value))));
        return undefined;
      case "read":
        this.part(stmt.port).read(this.number(stmt.address));
        return undefined;
      case "write":
        this.part(stmt.port).write(this.number(stmt.address), this.#copy(this.value(stmt.value)));
        return undefined;
      case "signal":
        this.part(stmt.signal).write(this.#copy(this.value(stmt.value)));
        return undefined;
      case "feed":
        stmt.grid.feed(this.value(stmt.west) as unknown[], this.value(stmt.north) as unknown[]);
        return undefined;
      case "assert":
        arithmetic.assert(Boolean(this.value(stmt.condition)), stmt.text);
        return undefined;
    }
  }
}
