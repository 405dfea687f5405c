/** Statements of a process that neither wait nor branch: assignments, accesses of memories and signals, polls, assertions. */
import { TandemError } from "../../hw/errors.js";
import type { Expr, Local, StateField, Stmt } from "../../hw/ir/ir.js";
import * as channels from "./channel-code.js";
import type { Binding } from "./expr.js";
import { isScalar } from "./layout.js";
import { emitError, emitRead, emitWrite } from "./memory-code.js";
import { movesUp } from "./move-up.js";
import { emitCopy, placeAt, select, type Place } from "./place.js";
import type { ChannelPlan } from "./plan.js";
import { Scope } from "./scope.js";
import { rules } from "./rules.js";
import { emitSimdLeaf } from "./simd.js";
import { store } from "./store.js";
import { someExpr } from "../../hw/ir/walk.js";

/** Bytes that are stored at once. */
const AT_ONCE = 16;

export abstract class PlainStatements extends Scope {
  /** A statement without control flow, waits and suspension points; `lives`: suspension points follow in the same list. */
  protected plain(stmt: Stmt, lives: boolean): void {
    const named = this.plan.sums.named(stmt);
    if (named && stmt.kind === "let") {
      this.bindings.set(stmt.local, this.binding(named));
      return;
    }
    if (this.plan.sums.emit(this.exprs, stmt)) return;
    this.plan.sums.emitBefore(this.code, stmt);
    switch (stmt.kind) {
      case "let":
        this.set(this.bind(stmt.local, lives), stmt.value);
        return;
      case "assign":
        this.#assign(stmt);
        return;
      case "tryPop":
      case "peek":
        this.#tryPop(stmt, lives);
        return;
      case "tryPush":
        this.#tryPush(stmt, lives);
        return;
      case "read":
        this.choose(stmt.port, (part) => emitRead(this, this.portPlan(part), this.value(stmt.address)));
        return;
      case "write":
        this.#write(stmt);
        return;
      case "signal":
        this.#writeSignal(stmt);
        return;
      case "assert":
        this.#assert(stmt);
        return;
      default:
        throw new Error(`${stmt.kind} is no plain statement`);
    }
  }

  #assign({ target, value }: Extract<Stmt, { kind: "assign" }>): void {
    let root: Expr = target;
    while (root.kind === "index" || root.kind === "member") root = root.base;
    const of = root.kind === "local" ? root.local : (root as Extract<Expr, { kind: "field" }>).field;
    if (target.kind === "local" || target.kind === "field") {
      const binding = this.binding(of);
      if ("local" in binding || !reads(value, of)) {
        this.set(binding, value);
        return;
      }
    }
    const place = this.exprs.resolvePlace(target, []);
    if (!place) throw new Error("assignment to something that is not stored");
    if (isScalar(target.type) || !reads(value, of)) store(this.exprs, place, value);
    else if (this.#atOnce(place, value)) return;
    else if (target.kind === "local" && this.#moveUp(place, value, target.local)) return;
    else emitCopy(this.code, place, this.scratch(value));
  }

  /** Elements that move towards the first, in their order; false if these are others. */
  #moveUp(place: Place, value: Expr, of: Local): boolean {
    const from = movesUp(value, of);
    from?.forEach((at, lane) => {
      const moved = Math.min(at + rules.round.movedUp, from.length - 1);
      if (moved !== lane) emitCopy(this.code, select(place, { lane }), select(place, { lane: moved }));
    });
    return from !== undefined;
  }

  /** All that is stored at once may read what it overwrites; false if nothing was emitted. */
  #atOnce([leaf, ...more]: Place, given: Expr): boolean {
    const value = given.kind === "cast" ? given.operand : given;
    if (value.kind !== "map" || !leaf || more.length > 0 || leaf.count * leaf.size > AT_ONCE) return false;
    return emitSimdLeaf(this.exprs, leaf, value);
  }

  #tryPop(stmt: Extract<Stmt, { kind: "tryPop" | "peek" }>, lives: boolean): void {
    const ok = this.bind(stmt.ok, lives);
    const into = this.bind(stmt.into, lives);
    if (!("local" in ok)) throw new Error("ok is a bool");
    this.#clear(into);
    this.choose(stmt.channel, (part) => {
      const channel = this.channelPlan(part);
      channels.emitTryPop(this, channel, ok.local, stmt.kind === "peek", this.take(into, channel.layout));
    });
  }

  #clear(binding: Binding): void {
    const { code } = this;
    if ("local" in binding) {
      if (binding.type === "i64") code.i64(0);
      else code.i32(0);
      code.set(binding.local);
      return;
    }
    for (const leaf of binding.place)
      for (let at = 0; at < leaf.count * leaf.size; at++)
        code
          .i32(0)
          .i32(0)
          .mem("i32.store8", leaf.offset + at);
  }

  #tryPush(stmt: Extract<Stmt, { kind: "tryPush" }>, lives: boolean): void {
    const ok = this.bind(stmt.ok, lives);
    if (!("local" in ok)) throw new Error("ok is a bool");
    this.choose(stmt.channel, (part) => {
      this.putToken(this.channelPlan(part), stmt.value);
      channels.emitTryPush(this, this.channelPlan(part), ok.local);
    });
  }

  #write(stmt: Extract<Stmt, { kind: "write" }>): void {
    this.choose(stmt.port, (part) => {
      const address = this.value(stmt.address);
      emitWrite(this, this.portPlan(part), address, (word) => store(this.exprs, word, stmt.value));
    });
  }

  #writeSignal(stmt: Extract<Stmt, { kind: "signal" }>): void {
    const { code } = this;
    this.choose(stmt.signal, (part) => {
      const { now, next, lastWrite, layout } = this.plan.signals.get(part)!;
      // Evaluated first: the value may read this very signal.
      const value = placeAt(layout, this.plan.heap.take(layout.bytes));
      store(this.exprs, value, stmt.value);
      code.loadAt(lastWrite).get(this.time).op("i32.lt_s").if();
      emitCopy(code, placeAt(layout, now), placeAt(layout, next));
      code.end();
      emitCopy(code, placeAt(layout, next), value);
      code.storeAt(lastWrite, () => code.get(this.time));
    });
  }

  #assert({ condition, text }: Extract<Stmt, { kind: "assert" }>): void {
    const { code } = this;
    this.exprs.emit32(condition);
    code.op("i32.eqz").if();
    emitError(this, () => new TandemError(`Assertion failed in simulated hardware: ${text}`), this.time);
    code.end();
  }

  protected putToken(channel: ChannelPlan, value: Expr): void {
    const address = channels.emitPushSlot(this.code, channel);
    store(this.exprs, placeAt(channel.layout, 0, address), value);
  }
}

/** The expression reads the variable. */
const reads = (value: Expr, of: Local | StateField): boolean =>
  someExpr(value, (e) => (e.kind === "local" && e.local === of) || (e.kind === "field" && e.field === of));
