/**
 * Compiles a process of the IR to one Wasm function: control flow as in the source, scalars in Wasm locals, the process's
 * clock in a local. Where the process has to wait for what is not simulated yet, its locals go to its frame in memory
 * and the function returns; called again, it goes on from there.
 */
import { TandemError } from "../../hw/errors.js";
import type { CellIr, Expr, Local, Loop, ProcessIr, Ref, StateField, Stmt } from "../../hw/ir/ir.js";
import type { MemoryPort } from "../../hw/memory.js";
import { bankLoop, emitGroupRead, pickLoop, readsTogether } from "./bank-code.js";
import * as channels from "./channel-code.js";
import type { Actor, Globals } from "./channel-code.js";
import { ExprCompiler, fitsSigned, fitsUnsigned, type Binding, type Surroundings } from "./expr.js";
import { feedLoop, matchBurst } from "./feed-burst.js";
import type { GridCode } from "./grid-code.js";
import { emitFeedBurst, feedsFromMemory } from "./grid-feed.js";
import { isScalar, layoutOf, writeValue, type Layout } from "./layout.js";
import { emitError, emitQ, emitRead, emitWrite } from "./memory-code.js";
import { emitCopy, loadOp, placeAt, type Place } from "./place.js";
import type { PortGroup, PortPlan } from "./memory-plan.js";
import { frame, type ChannelPlan, type Plan } from "./plan.js";
import { emitSequence, totalPoints, type Resumption, type Step } from "./steps.js";
import { store } from "./store.js";
import { children, ownExprs, someExpr } from "./visit.js";
import { Code, type Label, type ValType } from "./wasm.js";

const waits = new Set(["edge", "clocks", "pop", "push", "feed"]);
const polls = new Set(["tryPop", "peek", "tryPush", "signal"]);

/** The statement reads or writes what other processes change under its eyes: it must run in the order of clocks. */
const ordered = (stmt: Stmt): boolean =>
  polls.has(stmt.kind) || ownExprs(stmt).some((expr) => someExpr(expr, ({ kind }) => kind === "signal"));

const pointCounts = new WeakMap<Stmt, number>();
function pointsOf(stmt: Stmt): number {
  let points = pointCounts.get(stmt);
  if (points === undefined) {
    points = (waits.has(stmt.kind) ? 1 : 0) + (ordered(stmt) ? 1 : 0);
    if (stmt.kind === "loop" && feedLoop(stmt)) points++;
    for (const list of children(stmt)) points += pointsIn(list);
    pointCounts.set(stmt, points);
  }
  return points;
}
const pointsIn = (stmts: readonly Stmt[]): number => stmts.reduce((sum, stmt) => sum + pointsOf(stmt), 0);

interface Spilled {
  readonly local: number;
  readonly type: ValType;
  readonly address: number;
}

export class StatementCompiler implements Actor, Surroundings, Resumption {
  readonly code: Code;
  readonly plan: Plan;
  readonly globals: Globals;
  readonly actor: number;
  readonly time: number;
  readonly resume: number;
  readonly polls: boolean;
  next = 1;
  readonly #process: Pick<ProcessIr, "fields" | "body">;
  readonly #grids: readonly GridCode[];
  readonly exprs: ExprCompiler;
  readonly #bindings = new Map<Local | StateField, Binding>();
  readonly #spilled: Spilled[] = [];
  readonly #labels = new Map<string, { break: Label; continue?: Label }>();
  readonly #scratch = new Map<Expr, Place>();
  #leave!: Label;
  #end!: Label;

  constructor(
    plan: Plan,
    globals: Globals,
    actor: number,
    grids: readonly GridCode[],
    process: Pick<ProcessIr, "fields" | "body">,
    code = new Code(),
  ) {
    this.code = code;
    this.plan = plan;
    this.globals = globals;
    this.actor = actor;
    this.#grids = grids;
    this.#process = process;
    this.time = this.code.local("i32");
    this.resume = this.code.local("i32");
    this.exprs = new ExprCompiler(this.code, this);
    const ordering = (stmts: readonly Stmt[]): boolean =>
      stmts.some((stmt) => ordered(stmt) || children(stmt).some(ordering));
    this.polls = ordering(this.#process.body);
  }

  compile(): Code {
    const { code } = this;
    for (const field of this.#process.fields) this.#bindField(field);
    const start = this.plan.frames[this.actor]!;
    code.loadAt(start + frame.resume).set(this.resume);
    code.loadAt(start + frame.time).set(this.time);
    code.get(this.resume).if();
    // What lives across suspensions is known when the body is written; the code that restores it is put in here then.
    const restore = code.mark();
    code.else();
    this.#initialFields();
    code.end();
    this.#end = code.block();
    this.#leave = code.block();
    emitSequence(this, this.#steps(this.#process.body));
    code.br(this.#end);
    code.end();
    for (const { local, type, address } of this.#spilled)
      code.storeAt(address, () => code.get(local), type === "i64" ? "i64.store" : "i32.store");
    code.storeAt(start + frame.time, () => code.get(this.time));
    code.storeAt(start + frame.resume, () => code.get(this.resume));
    code.op("return");
    code.end();
    code.storeAt(start + frame.time, () => code.get(this.time));
    code.storeAt(start + frame.resume, () => code.i32(-1));
    code.insertAt(restore, () => {
      for (const { local, type, address } of this.#spilled)
        code.loadAt(address, type === "i64" ? "i64.load" : "i32.load").set(local);
    });
    return code;
  }

  bindPlace(local: Local, place: Place): void {
    this.#bindings.set(local, { place });
  }
  bindScalar(local: Local, index: number): void {
    this.#bindings.set(local, { local: index, type: "i32" });
  }
  /** Statements without suspension points. */
  emitBody(stmts: readonly Stmt[]): void {
    emitSequence(this, this.#steps(stmts));
  }

  // --- what expressions see

  binding(of: Local | StateField): Binding {
    const known = this.#bindings.get(of);
    if (!known) throw new Error(`${of.name} is used before its declaration`);
    return known;
  }

  q({ port }: Extract<Expr, { kind: "q" }>): Place {
    const [only] = port.parts;
    const { layout } = this.#port(only!).memory;
    if (port.parts.length === 1) return placeAt(layout, 0, emitQ(this, this.#port(only!)));
    const address = this.code.local("i32");
    this.#choose(port, (part) => {
      this.code.get(emitQ(this, this.#port(part))).set(address);
    });
    return placeAt(layout, 0, address);
  }

  signal({ signal }: Extract<Expr, { kind: "signal" }>): Place {
    const { code } = this;
    const address = code.local("i32");
    this.#choose(signal, (part) => {
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

  suspend(id: number): void {
    this.code.i32(id).set(this.resume).br(this.#leave);
  }

  // --- variables

  #bindField(field: StateField): void {
    const layout = layoutOf(field.type);
    const address = this.plan.heap.take(layout.bytes);
    if (!isScalar(field.type)) {
      this.plan.initially((view) => writeValue(view, address, layout, field.initial));
      this.#bindings.set(field, { place: placeAt(layout, address) });
      return;
    }
    const local = this.code.local("i32");
    this.#bindings.set(field, { local, type: "i32" });
    this.#spilled.push({ local, type: "i32", address: this.plan.heap.take(4, 4) });
  }

  #initialFields(): void {
    for (const field of this.#process.fields) {
      const binding = this.#bindings.get(field)!;
      if ("local" in binding) this.code.i32(Number(field.initial)).set(binding.local);
    }
  }

  /** Bind a local at its declaration; `lives` where a suspension may come between here and its last use. */
  #bind(local: Local, lives: boolean): Binding {
    const known = this.#bindings.get(local);
    if (known) return known;
    const { type } = local;
    let binding: Binding;
    if (type.kind === "exact" || isScalar(type)) {
      const wide = type.kind === "exact" && !fitsSigned(type.range) && !fitsUnsigned(type.range);
      const kind: ValType = wide ? "i64" : "i32";
      const index = this.code.local(kind);
      binding = { local: index, type: kind };
      if (lives) this.#spilled.push({ local: index, type: kind, address: this.plan.heap.take(8, 8) });
    } else {
      const layout = layoutOf(type);
      binding = { place: placeAt(layout, this.plan.heap.take(layout.bytes)) };
    }
    this.#bindings.set(local, binding);
    return binding;
  }

  /** Give a local or field the value of an expression. */
  #set(binding: Binding, value: Expr): void {
    if ("place" in binding) store(this.exprs, binding.place, value);
    else {
      if (binding.type === "i64") this.exprs.emit64(value);
      else this.exprs.emit32(value);
      this.code.set(binding.local);
    }
  }

  /** Copy a token or word that lies at the address in a local. */
  #take(binding: Binding, layout: Layout): (address: number) => void {
    return (address) => {
      const from = placeAt(layout, 0, address);
      if ("place" in binding) emitCopy(this.code, binding.place, from);
      else this.code.get(address).mem(loadOp(from[0]!), from[0]!.offset).set(binding.local);
    };
  }

  // --- statements

  #steps(stmts: readonly Stmt[]): Step[] {
    return stmts.flatMap((stmt, i) => this.#step(stmt, pointsIn(stmts.slice(i + 1)) > 0));
  }

  /** `lives`: suspension points follow in the same list. */
  #step(stmt: Stmt, lives: boolean): Step[] {
    const steps = this.#plainSteps(stmt, lives);
    // A loop orders its condition itself, each time round.
    return ordered(stmt) && stmt.kind !== "loop" ? [this.#orderStep(), ...steps] : steps;
  }

  #orderStep(): Step {
    const { code } = this;
    return this.#point((id) => {
      code.get(this.time).globalGet(this.globals.pollLimit).op("i32.gt_s").if();
      code.storeAt(this.plan.frames[this.actor]! + frame.pollTime, () => code.get(this.time));
      this.#standAtEdge();
      this.suspend(id);
      code.end();
    });
  }

  #standAtEdge(): void {
    this.code.storeAt(this.plan.frames[this.actor]! + frame.standsAt, () => this.code.i32(0));
  }

  /** A step with one suspension point in front of `emit`. */
  #point(emit: (id: number) => void, before?: () => void): Step {
    return {
      points: 1,
      ...(before ? { before } : {}),
      emit: () => {
        const id = this.next++;
        this.code.i32(0).set(this.resume);
        emit(id);
      },
    };
  }

  #plainSteps(stmt: Stmt, lives: boolean): Step[] {
    const { code } = this;
    const plain = (emit: () => void): Step[] => [{ points: 0, emit }];
    switch (stmt.kind) {
      case "let":
        return plain(() => this.#set(this.#bind(stmt.local, lives), stmt.value));
      case "assign":
        return plain(() => this.#assign(stmt));
      case "if":
        return [this.#if(stmt)];
      case "loop":
        return [this.#loop(stmt)];
      case "block":
        return [this.#block(stmt)];
      case "break":
        return plain(() => code.br(this.#labels.get(stmt.label)!.break));
      case "continue":
        return plain(() => code.br(this.#labels.get(stmt.label)!.continue!));
      case "end":
        return plain(() => code.br(this.#end));
      case "edge":
        return [this.#advance(() => code.i32(1))];
      case "clocks":
        return [this.#clocks(stmt)];
      case "pop":
        return [this.#pop(stmt, lives)];
      case "push":
        return [this.#push(stmt)];
      case "tryPop":
      case "peek":
        return plain(() => this.#tryPop(stmt, lives));
      case "tryPush":
        return plain(() => this.#tryPush(stmt, lives));
      case "read":
        return plain(() =>
          this.#choose(stmt.port, (part) => emitRead(this, this.#port(part), this.#value(stmt.address))),
        );
      case "write":
        return plain(() => this.#write(stmt));
      case "signal":
        return plain(() => this.#writeSignal(stmt));
      case "feed":
        return [this.#feed(stmt)];
      case "assert":
        return plain(() => this.#assert(stmt));
    }
  }

  /** A local with the value of a 32-bit expression. */
  #value(expr: Expr): number {
    const local = this.code.local("i32");
    this.exprs.emit32(expr);
    this.code.set(local);
    return local;
  }

  #port(port: MemoryPort): PortPlan {
    return this.plan.ports.get(port)!;
  }
  #channel(part: unknown): ChannelPlan {
    return this.plan.channels.get(part as never)!;
  }

  /** Code for the part that a reference picks; each part has its own. `index` is a local that has the index already. */
  #choose<P>(ref: Ref<P>, emit: (part: P) => void, index?: number): void {
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
    const chosen = index ?? this.#value(ref.index);
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

  #assign({ target, value }: Extract<Stmt, { kind: "assign" }>): void {
    let root: Expr = target;
    while (root.kind === "index" || root.kind === "member") root = root.base;
    const of = root.kind === "local" ? root.local : (root as Extract<Expr, { kind: "field" }>).field;
    if (target.kind === "local" || target.kind === "field") {
      const binding = this.binding(of);
      if ("local" in binding || !reads(value, of)) {
        this.#set(binding, value);
        return;
      }
    }
    const place = this.exprs.resolvePlace(target, []);
    if (!place) throw new Error("assignment to something that is not stored");
    if (isScalar(target.type) || !reads(value, of)) store(this.exprs, place, value);
    else emitCopy(this.code, place, this.scratch(value));
  }

  #if(stmt: Extract<Stmt, { kind: "if" }>): Step {
    const { code } = this;
    const points = pointsIn(stmt.then) + pointsIn(stmt.else);
    return {
      points,
      emit: () => {
        const elseFrom = this.next + pointsIn(stmt.then);
        if (points > 0) {
          code.get(this.resume).if("i32");
          code.get(this.resume).i32(elseFrom).op("i32.lt_u").else();
          this.exprs.emit32(stmt.condition);
          code.end();
        } else this.exprs.emit32(stmt.condition);
        code.if();
        emitSequence(this, this.#steps(stmt.then));
        if (stmt.else.length > 0) {
          code.else();
          emitSequence(this, this.#steps(stmt.else));
        }
        code.end();
      },
    };
  }

  #block(stmt: Extract<Stmt, { kind: "block" }>): Step {
    return {
      points: pointsIn(stmt.body),
      emit: () => {
        this.#labels.set(stmt.label, { break: this.code.block() });
        emitSequence(this, this.#steps(stmt.body));
        this.code.end();
      },
    };
  }

  #loop(loop: Loop): Step {
    const { code } = this;
    const bodyPoints = pointsIn(loop.body);
    const updatePoints = pointsIn(loop.update);
    const endless = loop.condition.kind === "const" && Boolean(loop.condition.value);
    const orderedCondition = someExpr(loop.condition, ({ kind }) => kind === "signal");
    const check = (leaveIf: boolean, target: () => Label): Step[] => {
      if (endless) return [];
      const emit = (): void => {
        this.exprs.emit32(loop.condition);
        if (leaveIf) code.op("i32.eqz");
        code.brIf(target());
      };
      return [...(orderedCondition ? [this.#orderStep()] : []), { points: 0, emit }];
    };
    // The point of an ordered condition was counted with the statement: it stands before the body, or after it.
    return {
      points: pointsOf(loop),
      emit: () => {
        const out = code.block();
        this.#shortWay(loop, out);
        const top = code.loop();
        const first = loop.atLeastOnce ? [] : check(true, () => out);
        const many = this.#feedMany(loop, () => top);
        const inner: Step = {
          points: bodyPoints + totalPoints([...first, ...many]),
          emit: () => {
            this.#labels.set(loop.label, { break: out, continue: code.block() });
            emitSequence(this, [...first, ...many, ...this.#steps(loop.body)]);
            code.end();
          },
        };
        const last = loop.atLeastOnce && !endless ? check(false, () => top) : [{ points: 0, emit: () => code.br(top) }];
        emitSequence(this, [inner, ...this.#steps(loop.update), ...last]);
        code.end();
        code.end();
      },
    };
  }

  /** In a combinational loop over banks: do what it does at once, if nothing is amiss, and leave it. */
  #shortWay(loop: Loop, out: Label): void {
    const { code } = this;
    const [pick, banks] = [pickLoop(loop), bankLoop(loop)];
    const counted = pick ?? banks;
    const counter = counted && this.#bindings.get(counted.counter);
    if (!counter || "place" in counter) return;
    const group = banks && this.portGroup(banks.read.port.parts);
    code.get(counter.local).op("i32.eqz");
    if (pick) {
      const picked = this.#value(pick.picked);
      code.if();
      code.get(picked).i32(pick.trips).op("i32.lt_u").if();
      code.get(picked).set(counter.local);
      this.emitBody(pick.then);
      code.end();
      code.i32(pick.trips).set(counter.local).br(out).end();
    } else if (banks && group && group.ports.length === banks.trips && readsTogether(this, group)) {
      if (banks.used) {
        this.exprs.emit32(banks.used);
        code.i32(banks.trips).op("i32.ge_s").op("i32.and");
      }
      code.if();
      const done = code.local("i32");
      emitGroupRead(this, group, this.#value(banks.read.address), done);
      code.get(done).if();
      code.i32(banks.trips).set(counter.local).br(out);
      code.end().end();
    } else code.op("drop");
  }

  /** A loop that only feeds a grid hands over many waves at once, and goes on at `condition` with the waves that are left. */
  #feedMany(loop: Loop, condition: () => Label): Step[] {
    const feeds = feedLoop(loop);
    if (!feeds) return [];
    const { code } = this;
    const grid = this.#grid(feeds.feed);
    const burst = grid.product && matchBurst(feeds, grid.product.form);
    const counter = this.#bindings.get(feeds.counter);
    if (!burst || !counter || "place" in counter || !feedsFromMemory(this, this.exprs, burst))
      return [this.#point(() => undefined)];
    const did = code.local("i32");
    this.#spilled.push({ local: did, type: "i32", address: this.plan.heap.take(4, 4) });
    return [
      this.#point(
        (id) => {
          code.get(did).if();
          this.#leaveAtHorizon(id);
          code.end();
          code.get(did).if();
          this.exprs.emit32(loop.condition);
          code.brIf(condition());
          code.br(this.#labels.get(loop.label)!.break);
          code.end();
        },
        () => emitFeedBurst(this, this.exprs, grid, burst, counter.local, did),
      ),
    ];
  }

  /** The clock moves on by what `amount` leaves on the stack. */
  #advance(amount: () => void): Step {
    const { code } = this;
    return this.#point(
      (id) => this.#leaveAtHorizon(id),
      () => {
        code.get(this.time);
        amount();
        code.op("i32.add").set(this.time);
      },
    );
  }

  #leaveAtHorizon(id: number): void {
    this.code.get(this.time).globalGet(this.globals.horizon).op("i32.ge_s").if();
    this.#standAtEdge();
    this.suspend(id);
    this.code.end();
  }

  #clocks(stmt: Extract<Stmt, { kind: "clocks" }>): Step {
    const { code } = this;
    return this.#advance(() => {
      const n = this.#value(stmt.count);
      // A negative number of clocks is none, as in hw/process.ts.
      code.get(n).i32(0).get(n).i32(0).op("i32.gt_s").op("select").set(n);
      if (stmt.estimate) {
        const at = this.plan.frames[this.actor]! + frame.estimated;
        code.storeAt(at, () => code.loadAt(at).get(n).op("i32.add"));
      }
      code.get(n);
    });
  }

  /** A local that keeps the index of a reference across the wait. */
  #heldIndex(ref: Ref<unknown>): number | undefined {
    if (ref.parts.length === 1 || !ref.index || this.exprs.constant(ref.index) !== undefined) return undefined;
    const local = this.#value(ref.index);
    this.#spilled.push({ local, type: "i32", address: this.plan.heap.take(4, 4) });
    return local;
  }

  #pop(stmt: Extract<Stmt, { kind: "pop" }>, lives: boolean): Step {
    let index: number | undefined;
    return this.#point(
      (id) => {
        const binding = stmt.into && this.#bind(stmt.into, lives);
        this.#choose(
          stmt.channel,
          (part) => {
            const channel = this.#channel(part);
            channels.emitPop(this, channel, id, binding ? this.#take(binding, channel.layout) : () => undefined);
          },
          index,
        );
      },
      () => (index = this.#heldIndex(stmt.channel)),
    );
  }

  #push(stmt: Extract<Stmt, { kind: "push" }>): Step {
    let index: number | undefined;
    return this.#point(
      (id) => this.#choose(stmt.channel, (part) => channels.emitPush(this, this.#channel(part), id), index),
      () => {
        index = this.#heldIndex(stmt.channel);
        // The operand is evaluated once, on arrival, into the slot that the token will have.
        this.#choose(stmt.channel, (part) => this.#putToken(this.#channel(part), stmt.value), index);
      },
    );
  }

  #putToken(channel: ChannelPlan, value: Expr): void {
    const address = channels.emitPushSlot(this.code, channel);
    store(this.exprs, placeAt(channel.layout, 0, address), value);
  }

  #tryPop(stmt: Extract<Stmt, { kind: "tryPop" | "peek" }>, lives: boolean): void {
    const ok = this.#bind(stmt.ok, lives);
    const into = this.#bind(stmt.into, lives);
    if (!("local" in ok)) throw new Error("ok is a bool");
    this.#clear(into);
    this.#choose(stmt.channel, (part) => {
      const channel = this.#channel(part);
      channels.emitTryPop(this, channel, ok.local, stmt.kind === "peek", this.#take(into, channel.layout));
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
    const ok = this.#bind(stmt.ok, lives);
    if (!("local" in ok)) throw new Error("ok is a bool");
    this.#choose(stmt.channel, (part) => {
      this.#putToken(this.#channel(part), stmt.value);
      channels.emitTryPush(this, this.#channel(part), ok.local);
    });
  }

  #write(stmt: Extract<Stmt, { kind: "write" }>): void {
    this.#choose(stmt.port, (part) => {
      const address = this.#value(stmt.address);
      emitWrite(this, this.#port(part), address, (word) => store(this.exprs, word, stmt.value));
    });
  }

  #writeSignal(stmt: Extract<Stmt, { kind: "signal" }>): void {
    const { code } = this;
    this.#choose(stmt.signal, (part) => {
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

  #feed(stmt: Extract<Stmt, { kind: "feed" }>): Step {
    const grid = this.#grid(stmt);
    return this.#point((id) => grid.emitFeed(this, this.exprs, stmt, id));
  }
  #grid(stmt: Extract<Stmt, { kind: "feed" }>): GridCode {
    return this.#grids.find((candidate) => candidate.cell.grid === stmt.grid)!;
  }

  #assert({ condition, text }: Extract<Stmt, { kind: "assert" }>): void {
    const { code } = this;
    this.exprs.emit32(condition);
    code.op("i32.eqz").if();
    emitError(this, () => new TandemError(`Assertion failed in simulated hardware: ${text}`), this.time);
    code.end();
  }
}

const pathOf = (plan: Plan, actor: number): string =>
  plan.ir.processes[actor]?.node.path ?? plan.ir.cells[actor - plan.ir.processes.length]!.grid.path;

/** A process: one function. */
export class ProcessCompiler extends StatementCompiler {
  constructor(plan: Plan, globals: Globals, actor: number, grids: readonly GridCode[]) {
    super(plan, globals, actor, grids, plan.ir.processes[actor]!);
  }
}

/** The step of a grid's cell: combinational statements in a function of the grid's. */
export class CellCompiler extends StatementCompiler {
  constructor(plan: Plan, actor: number, cell: CellIr, code: Code) {
    const none = { head: 0, tail: 0, horizon: 0, pollLimit: 0 };
    super(plan, none, actor, [], { fields: [], body: cell.body }, code);
  }
}

/** The expression reads the variable. */
const reads = (value: Expr, of: Local | StateField): boolean =>
  someExpr(value, (e) => (e.kind === "local" && e.local === of) || (e.kind === "field" && e.field === of));
