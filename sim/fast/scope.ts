/**
 * What a process's expressions and statements find around them in the fast engine: where variables live (scalars in Wasm
 * locals, the rest in memory), the words of ports, the parts that a reference picks.
 */
import { TandemError } from "../../hw/errors.js";
import type { Expr, Local, Ref, StateField } from "../../hw/ir/ir.js";
import type { MemoryPort } from "../../hw/memory.js";
import type { Actor, Globals } from "./channel-code.js";
import { ExprCompiler, fitsSigned, fitsUnsigned, type Binding, type Surroundings } from "./expr.js";
import { isScalar, layoutOf, writeValue, type Layout } from "./layout.js";
import { emitError, emitQ } from "./memory-code.js";
import type { PortGroup, PortPlan } from "./memory-plan.js";
import { emitCopy, loadOp, placeAt, type Place } from "./place.js";
import type { ChannelPlan, Plan } from "./plan.js";
import { store } from "./store.js";
import type { Code, ValType } from "./wasm.js";

/** A scalar that lives across suspensions, and its place in the frame. */
export interface Spilled {
  readonly local: number;
  readonly type: ValType;
  readonly address: number;
}

export abstract class Scope implements Actor, Surroundings {
  readonly code: Code;
  readonly plan: Plan;
  readonly globals: Globals;
  readonly actor: number;
  readonly time: number;
  readonly polls: boolean = false;
  readonly news?: number;
  readonly horizon?: number;
  readonly exprs: ExprCompiler;
  protected readonly bindings = new Map<Local | StateField, Binding>();
  protected readonly spilled: Spilled[] = [];
  readonly #scratch = new Map<Expr, Place>();

  constructor(plan: Plan, globals: Globals, actor: number, code: Code) {
    this.code = code;
    this.plan = plan;
    this.globals = globals;
    this.actor = actor;
    this.time = this.code.local("i32");
    this.exprs = new ExprCompiler(this.code, this);
  }

  abstract suspend(id: number): void;

  binding(of: Local | StateField): Binding {
    const known = this.bindings.get(of);
    if (!known) throw new Error(`${of.name} is used before its declaration`);
    return known;
  }

  q({ port }: Extract<Expr, { kind: "q" }>): Place {
    const [only] = port.parts;
    const { layout } = this.portPlan(only!).memory;
    if (port.parts.length === 1) return placeAt(layout, 0, emitQ(this, this.portPlan(only!)));
    const address = this.code.local("i32");
    this.choose(port, (part) => {
      this.code.get(emitQ(this, this.portPlan(part))).set(address);
    });
    return placeAt(layout, 0, address);
  }

  signal({ signal }: Extract<Expr, { kind: "signal" }>): Place {
    const { code } = this;
    const address = code.local("i32");
    this.choose(signal, (part) => {
      const { now, next, lastWrite } = this.plan.signals.get(part)!;
      code.i32(next).i32(now).loadAt(lastWrite).get(this.time).op("i32.lt_s").op("select").set(address);
    });
    return placeAt(layoutOf(signal.parts[0]!.type), 0, address);
  }

  portGroup(parts: readonly MemoryPort[]): PortGroup | undefined {
    return this.plan.portGroups.find(
      ({ ports }) => ports.length === parts.length && ports.every(({ port }, i) => port === parts[i]),
    );
  }

  scratch(expr: Expr): Place {
    let place = this.#scratch.get(expr);
    if (!place) {
      const layout = layoutOf(expr.type as never);
      place = placeAt(layout, this.plan.heap.take(layout.bytes));
      this.#scratch.set(expr, place);
    }
    store(this.exprs, place, expr);
    return place;
  }

  keep(bytes: number, value: number): number {
    const at = this.plan.heap.take(bytes);
    if (value !== 0)
      this.plan.initially((view) => new Uint8Array(view.buffer, view.byteOffset + at, bytes).fill(value));
    return at;
  }

  protected bindField(field: StateField): void {
    const layout = layoutOf(field.type);
    const sums = this.plan.sums.placeOf(field);
    const address = sums ? sums[0]!.offset : this.plan.heap.take(layout.bytes);
    if (!isScalar(field.type)) {
      this.plan.initially((view) => writeValue(view, address, layout, field.initial));
      this.bindings.set(field, { place: placeAt(layout, address) });
      return;
    }
    const local = this.code.local("i32");
    this.bindings.set(field, { local, type: "i32" });
    this.spilled.push({ local, type: "i32", address: this.plan.heap.take(4, 4) });
  }

  protected initialFields(fields: readonly StateField[]): void {
    for (const field of fields) {
      const binding = this.bindings.get(field)!;
      if ("local" in binding) this.code.i32(Number(field.initial)).set(binding.local);
    }
  }

  /** Bind a local at its declaration; `lives` where a suspension may come between here and its last use. */
  protected bind(local: Local, lives: boolean): Binding {
    const known = this.bindings.get(local);
    if (known) return known;
    const { type } = local;
    let binding: Binding;
    if (type.kind === "exact" || isScalar(type)) {
      const wide = type.kind === "exact" && !fitsSigned(type.range) && !fitsUnsigned(type.range);
      const kind: ValType = wide ? "i64" : "i32";
      const index = this.code.local(kind);
      binding = { local: index, type: kind };
      if (lives) this.spilled.push({ local: index, type: kind, address: this.plan.heap.take(8, 8) });
    } else {
      const layout = layoutOf(type);
      binding = { place: this.plan.sums.placeOf(local) ?? placeAt(layout, this.plan.heap.take(layout.bytes)) };
    }
    this.bindings.set(local, binding);
    return binding;
  }

  /** Give a local or field the value of an expression. */
  protected set(binding: Binding, value: Expr): void {
    if ("place" in binding) store(this.exprs, binding.place, value);
    else {
      if (binding.type === "i64") this.exprs.emit64(value);
      else this.exprs.emit32(value);
      this.code.set(binding.local);
    }
  }

  /** Copy a token or word that lies at the address in a local. */
  protected take(binding: Binding, layout: Layout): (address: number) => void {
    return (address) => {
      const from = placeAt(layout, 0, address);
      if ("place" in binding) emitCopy(this.code, binding.place, from);
      else this.code.get(address).mem(loadOp(from[0]!), from[0]!.offset).set(binding.local);
    };
  }

  /** A local with the value of a 32-bit expression. */
  protected value(expr: Expr): number {
    const local = this.code.local("i32");
    this.exprs.emit32(expr);
    this.code.set(local);
    return local;
  }

  protected portPlan(port: MemoryPort): PortPlan {
    return this.plan.ports.get(port)!;
  }
  protected channelPlan(part: unknown): ChannelPlan {
    return this.plan.channels.get(part as never)!;
  }

  /** Code for the part that a reference picks; each part has its own. `index` is a local that has the index already. */
  protected choose<P>(ref: Ref<P>, emit: (part: P) => void, index?: number): void {
    const { code } = this;
    if (ref.parts.length === 1 || !ref.index) {
      emit(ref.parts[0]!);
      return;
    }
    const constant = this.exprs.constant(ref.index);
    if (constant !== undefined) {
      emit(ref.parts[constant]!);
      return;
    }
    const chosen = index ?? this.value(ref.index);
    const out = code.block();
    const labels = ref.parts.map(() => code.block()).reverse();
    const wrong = code.block();
    code.get(chosen).brTable(labels, wrong);
    code.end();
    const { length } = ref.parts;
    emitError(
      this,
      (_clock, value) => new TandemError(`${pathOf(this.plan, this.actor)}: index ${value} of ${length} parts`),
      chosen,
    );
    for (const part of ref.parts) {
      code.end();
      emit(part);
      code.br(out);
    }
    code.end();
  }
}

export const pathOf = (plan: Plan, actor: number): string =>
  plan.ir.processes[actor]?.node.path ?? plan.ir.cells[actor - plan.ir.processes.length]!.grid.path;
