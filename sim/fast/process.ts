/**
 * Compiles a process of the IR to one Wasm function: control flow as in the source, scalars in Wasm locals, the process's
 * clock in a local. Where the process has to wait for what is not simulated yet, its locals go to its frame in memory
 * and the function returns; called again, it goes on from there.
 */
import type { CellIr, Local, Loop, ProcessIr, Ref, StateField, Stmt } from "../../hw/ir/ir.js";
import { children, expressionsOf, someExpr } from "../../hw/ir/walk.js";
import * as channels from "./channel-code.js";
import type { Globals } from "./channel-code.js";
import { feedLoop, matchBurst } from "./feed-burst.js";
import type { GridCode } from "./grid-code.js";
import { emitFeedBurst, feedsFromMemory } from "./grid-feed.js";
import type { Place } from "./place.js";
import { frame } from "./frame.js";
import type { ChannelPlan, Plan } from "./plan.js";
import { exitOf } from "./pass-reader.js";
import type { ClusterState } from "./rounds-code.js";
import type { Spilled } from "./scope.js";
import { ShortLoops } from "./short-loops.js";
import { emitSequence, totalPoints, type Resumption, type Step } from "./steps.js";
import { Code, type Label } from "./wasm.js";

const waits = new Set(["edge", "clocks", "pop", "push", "feed"]);
const polls = new Set(["tryPop", "peek", "tryPush", "signal"]);

/** The statement reads or writes what other processes change under its eyes: it must run in the order of clocks. */
const ordered = (stmt: Stmt): boolean =>
  polls.has(stmt.kind) || expressionsOf(stmt).some((expr) => someExpr(expr, ({ kind }) => kind === "signal"));

/** Loops at whose head a process parks, to be taken through many passes at once (rounds-code.ts). */
const parking = new WeakSet<Loop>();

/** Passes of these loops may be done in the function of another process, which comes back behind a pass (follower.ts). */
export function setApart(loops: Iterable<Loop>): void {
  for (const loop of loops) parking.add(loop);
}

const pointCounts = new WeakMap<Stmt, number>();
function pointsOf(stmt: Stmt): number {
  let points = pointCounts.get(stmt);
  if (points === undefined) {
    points = (waits.has(stmt.kind) ? 1 : 0) + (ordered(stmt) ? 1 : 0);
    if (stmt.kind === "loop" && feedLoop(stmt)) points++;
    if (stmt.kind === "loop" && parking.has(stmt)) points += 2;
    for (const list of children(stmt)) points += pointsIn(list);
    pointCounts.set(stmt, points);
  }
  return points;
}
const pointsIn = (stmts: readonly Stmt[]): number => stmts.reduce((sum, stmt) => sum + pointsOf(stmt), 0);

export class StatementCompiler extends ShortLoops implements Resumption {
  readonly resume: number;
  override readonly polls: boolean;
  next = 1;
  readonly #process: Pick<ProcessIr, "fields" | "body">;
  readonly #grids: readonly GridCode[];
  /** Loops at whose head the process parks, and the suspension points of statements that wait, by number. */
  readonly #parks: ReadonlyMap<Loop, ClusterState>;
  readonly #points = new Map<Stmt, number>();
  /** Where the index of a channel stands across the wait. */
  readonly #held = new Map<Stmt, Spilled>();
  /** Of these loops, the point behind a pass, where the condition is looked at. */
  readonly #behind = new Map<Loop, number>();
  readonly #labels = new Map<string, { break: Label; continue?: Label }>();
  #leave!: Label;
  #end!: Label;

  constructor(
    plan: Plan,
    globals: Globals,
    actor: number,
    grids: readonly GridCode[],
    process: Pick<ProcessIr, "fields" | "body">,
    code = new Code(),
    parks: ReadonlyMap<Loop, ClusterState> = new Map(),
  ) {
    super(plan, globals, actor, code);
    this.#parks = parks;
    for (const loop of parks.keys()) parking.add(loop);
    this.#grids = grids;
    this.#process = process;
    this.resume = this.code.local("i32");
    const ordering = (stmts: readonly Stmt[]): boolean =>
      stmts.some((stmt) => ordered(stmt) || children(stmt).some(ordering));
    this.polls = ordering(this.#process.body);
  }

  compile(): Code {
    const { code } = this;
    for (const field of this.#process.fields) this.bindField(field);
    const start = this.plan.frames[this.actor]!;
    code.loadAt(start + frame.resume).set(this.resume);
    code.loadAt(start + frame.time).set(this.time);
    code.get(this.resume).if();
    // What lives across suspensions is known when the body is written; the code that restores it is put in here then.
    const restore = code.mark();
    code.else();
    this.initialFields(this.#process.fields);
    code.end();
    this.#end = code.block();
    this.#leave = code.block();
    emitSequence(this, this.#steps(this.#process.body));
    code.br(this.#end);
    code.end();
    this.leaving();
    for (const { local, type, address } of this.spilled)
      code.storeAt(address, () => code.get(local), type === "i64" ? "i64.store" : "i32.store");
    code.storeAt(start + frame.time, () => code.get(this.time));
    code.storeAt(start + frame.resume, () => code.get(this.resume));
    code.op("return");
    code.end();
    this.leaving();
    code.storeAt(start + frame.time, () => code.get(this.time));
    code.storeAt(start + frame.resume, () => code.i32(-1));
    code.insertAt(restore, () => {
      for (const { local, type, address } of this.spilled)
        code.loadAt(address, type === "i64" ? "i64.load" : "i32.load").set(local);
    });
    return code;
  }

  /** The suspension point of a statement that waits. */
  pointOf(stmt: Stmt): number {
    const point = this.#points.get(stmt);
    if (point === undefined) throw new Error(`a ${stmt.kind} without a suspension point`);
    return point;
  }
  /** Where the index of the channel of a push or pop is kept while it waits. */
  heldBy(stmt: Stmt): Spilled | undefined {
    return this.#held.get(stmt);
  }
  /** The variables that outlive a suspension or lie in memory. */
  variables(): readonly (Local | StateField)[] {
    return [...this.bindings.keys()];
  }
  /** The suspension point behind a pass of a loop at whose head the process parks. */
  behind(loop: Loop): number {
    return this.#behind.get(loop)!;
  }
  /** Where a variable is kept while the process is suspended. */
  homeOf(of: Local | StateField): { place: Place } | Spilled | undefined {
    const binding = this.bindings.get(of);
    if (!binding || "place" in binding) return binding;
    return this.spilled.find(({ local }) => local === binding.local);
  }

  bindPlace(local: Local, place: Place): void {
    this.bindings.set(local, { place });
  }
  bindScalar(local: Local, index: number): void {
    this.bindings.set(local, { local: index, type: "i32" });
  }
  /** Statements without suspension points. */
  emitBody(stmts: readonly Stmt[]): void {
    emitSequence(this, this.#steps(stmts));
  }

  suspend(id: number): void {
    this.code.i32(id).set(this.resume).br(this.#leave);
  }

  /** In front of the code that saves the process's variables: it is left, or has ended. */
  protected leaving(): void {
    return;
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
        return [this.#advance(stmt, () => code.i32(1))];
      case "clocks":
        return [this.#clocks(stmt)];
      case "pop":
        return [this.#pop(stmt, lives)];
      case "push":
        return [this.#push(stmt)];
      case "feed":
        return [this.#feed(stmt)];
      default:
        return plain(() => this.plain(stmt, lives));
    }
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
        this.shortWay(loop, out);
        const top = code.loop();
        const first = loop.atLeastOnce ? [] : check(true, () => out);
        const many = [...this.#park(loop), ...this.#feedMany(loop, () => top)];
        const inner: Step = {
          points: bodyPoints + totalPoints([...first, ...many]) + (parking.has(loop) && exitOf(loop) ? 1 : 0),
          emit: () => {
            this.#labels.set(loop.label, { break: out, continue: code.block() });
            emitSequence(this, [...first, ...many, ...this.#bodySteps(loop)]);
            code.end();
          },
        };
        const last = loop.atLeastOnce && !endless ? check(false, () => top) : [{ points: 0, emit: () => code.br(top) }];
        const behind = parking.has(loop) && !exitOf(loop) ? [this.#behindStep(loop)] : [];
        emitSequence(this, [inner, ...this.#steps(loop.update), ...behind, ...last]);
        code.end();
        code.end();
      },
    };
  }

  /** Where a process comes back that has done passes in rounds, and whose loop may be over. */
  #behindStep(loop: Loop): Step {
    return this.#point((id) => this.#behind.set(loop, id));
  }

  #bodySteps(loop: Loop): Step[] {
    const exit = parking.has(loop) && exitOf(loop);
    const steps = (stmts: readonly Stmt[]): Step[] => this.#steps(stmts);
    return exit ? [...steps(loop.body.slice(0, -1)), this.#behindStep(loop), ...steps([exit])] : steps(loop.body);
  }

  /** At the head of a loop that takes part in rounds: stop here, unless it is to go on alone. */
  #park(loop: Loop): Step[] {
    const state = this.#parks.get(loop);
    if (!parking.has(loop)) return [];
    if (!state) return [this.#point(() => undefined)];
    const { code } = this;
    return [
      this.#point(
        () => undefined,
        () => {
          code.loadAt(state.alone).if();
          code.storeAt(state.alone, () => code.loadAt(state.alone).i32(1).op("i32.sub"));
          code.else();
          code.storeAt(state.parked, () => code.i32(1));
          this.#standAtEdge();
          this.suspend(this.next);
          code.end();
        },
      ),
    ];
  }

  /** A loop that only feeds a grid hands over many waves at once, and goes on at `condition` with the waves that are left. */
  #feedMany(loop: Loop, condition: () => Label): Step[] {
    const feeds = feedLoop(loop);
    if (!feeds) return [];
    const { code } = this;
    const grid = this.grid(feeds.feed);
    const burst = grid.product && matchBurst(feeds, grid.product.form);
    const counter = this.bindings.get(feeds.counter);
    if (!burst || !counter || "place" in counter || !feedsFromMemory(this, this.exprs, burst))
      return [this.#point(() => undefined)];
    const did = code.local("i32");
    this.spilled.push({ local: did, type: "i32", address: this.plan.heap.take(4, 4) });
    return [
      this.#point(
        (id) => {
          code.get(did).if();
          this.leaveAtHorizon(id);
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
  #advance(stmt: Stmt, amount: () => void): Step {
    const { code } = this;
    return this.#point(
      (id) => {
        this.#points.set(stmt, id);
        this.leaveAtHorizon(id);
      },
      () => {
        code.get(this.time);
        amount();
        code.op("i32.add").set(this.time);
      },
    );
  }

  protected leaveAtHorizon(id: number, leaving = (): void => undefined): void {
    this.code.get(this.time);
    channels.emitHorizon(this).op("i32.ge_s").if();
    leaving();
    this.#standAtEdge();
    this.suspend(id);
    this.code.end();
  }

  #clocks(stmt: Extract<Stmt, { kind: "clocks" }>): Step {
    const { code } = this;
    return this.#advance(stmt, () => {
      const n = this.value(stmt.count);
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
  #heldIndex(stmt: Extract<Stmt, { kind: "pop" | "push" }>): number | undefined {
    const ref: Ref<unknown> = stmt.channel;
    if (ref.parts.length === 1 || !ref.index || this.exprs.constant(ref.index) !== undefined) return undefined;
    const local = this.value(ref.index);
    const held: Spilled = { local, type: "i32", address: this.plan.heap.take(4, 4) };
    this.#held.set(stmt, held);
    this.spilled.push(held);
    return local;
  }

  #pop(stmt: Extract<Stmt, { kind: "pop" }>, lives: boolean): Step {
    let index: number | undefined;
    return this.#point(
      (id) => {
        this.#points.set(stmt, id);
        const binding = stmt.into && this.bind(stmt.into, lives);
        this.choose(
          stmt.channel,
          (part) => {
            const channel = this.channelPlan(part);
            channels.emitPop(this, channel, id, binding ? this.take(binding, channel.layout) : () => undefined);
          },
          index,
        );
      },
      () => (index = this.#heldIndex(stmt)),
    );
  }

  #push(stmt: Extract<Stmt, { kind: "push" }>): Step {
    const { code } = this;
    let index: number | undefined;
    return this.#point(
      (id) => {
        this.#points.set(stmt, id);
        this.choose(stmt.channel, (part) => this.pushInto(this.channelPlan(part), id), index);
      },
      () => {
        this.plan.sums.emitBefore(code, stmt);
        index = this.#heldIndex(stmt);
        // The operand is evaluated once, on arrival, into the slot that the token will have.
        this.choose(stmt.channel, (part) => this.putToken(this.channelPlan(part), stmt.value), index);
      },
    );
  }

  /** The token stands in its slot; `id` is the suspension point in front of this code. */
  protected pushInto(channel: ChannelPlan, id: number): void {
    channels.emitPush(this, channel, id);
  }

  #feed(stmt: Extract<Stmt, { kind: "feed" }>): Step {
    const grid = this.grid(stmt);
    return this.#point((id) => grid.emitFeed(this, this.exprs, stmt, id));
  }
  protected grid(stmt: Extract<Stmt, { kind: "feed" }>): GridCode {
    return this.#grids.find((candidate) => candidate.cell.grid === stmt.grid)!;
  }
}

/** The step of a grid's cell: combinational statements in a function of the grid's. */
export class CellCompiler extends StatementCompiler {
  constructor(plan: Plan, actor: number, cell: CellIr, code: Code) {
    const none = { head: 0, tail: 0, horizon: 0, pollLimit: 0 };
    super(plan, none, actor, [], { fields: [], body: cell.body }, code);
  }
}
