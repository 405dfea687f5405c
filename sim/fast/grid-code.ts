/**
 * Grids of cells in wave coordinates (see hw/grid.ts): the cell at (r, c) sees the waves in their order, whatever the
 * clock is; so waves go through all cells one after the other, or many at once where a tile is a matrix product
 * (grid-product.ts). What leaves is pushed on `results` in clock fed + r + C by an actor of
 * its own, which has to know first that the consumer has made room by then.
 */
import { TandemError } from "../../hw/errors.js";
import { vec } from "../../hw/types.js";
import type { CellIr, Stmt } from "../../hw/ir/ir.js";
import type { Actor, Globals } from "./channel-code.js";
import { countReleases, emitPushOccupancy, emitWake, slot } from "./channel-code.js";
import type { ExprCompiler } from "./expr.js";
import { GridProduct } from "./grid-product.js";
import { GridStationary } from "./grid-stationary.js";
import { emitTell, emitTellAll, toldBytes } from "./knowledge.js";
import { layoutOf, type Layout } from "./layout.js";
import { GridView, type GridImage, type GridState } from "./grid-view.js";
import { emitError } from "./memory-code.js";
import { emitCopy, placeAt, select, type Place } from "./place.js";
import { frame } from "./frame.js";
import type { ChannelPlan, Plan } from "./plan.js";
import { CellCompiler } from "./process.js";
import { rules } from "./rules.js";
import { store } from "./store.js";
import { Code, type Label, type WasmModule } from "./wasm.js";

export class GridCode {
  readonly cell: CellIr;
  readonly plan: Plan;
  readonly actor: number;
  readonly state: GridState;
  readonly results: ChannelPlan;
  /** A wave: the west values of all rows, the north values of all columns. */
  readonly west: Layout;
  readonly north: Layout;
  readonly westWave: Place;
  readonly northWave: Place;
  /** Registers of all cells, rows x columns. */
  readonly registers: Place;
  readonly emitted: Layout;
  readonly leaveValues: number;
  readonly leaveSlots: number;
  readonly #leaveKnowledge: number;
  readonly #feedWaits: number;
  /** The leaving actor has nothing to do. */
  readonly #idle: number;
  /** For each clock of the last ones whether a row left column 0 then. */
  readonly used: number;
  readonly usedSlots: number;
  /** The function that takes a wave through all cells, where the grid is no matrix product. */
  readonly #wave: number;
  readonly product: GridProduct | undefined;
  readonly #stationary: GridStationary | undefined;
  #feeder = -1;
  globals: Globals | undefined;

  constructor(cell: CellIr, plan: Plan, module: WasmModule) {
    this.cell = cell;
    this.plan = plan;
    const { grid } = cell;
    const { rows, cols } = grid;
    const { heap } = plan;
    this.actor = plan.gridActor(grid);
    this.results = plan.channels.get(grid.results.channel)!;
    this.west = layoutOf(vec(grid.cell.west, rows));
    this.north = layoutOf(vec(grid.cell.north, cols));
    this.emitted = this.results.layout;
    this.product = GridProduct.of(this, module);
    this.westWave = placeAt(this.west, heap.take(this.west.bytes));
    this.northWave = placeAt(this.north, heap.take(this.north.bytes));
    const registers = layoutOf(vec(vec(grid.cell.state, cols), rows));
    this.registers = placeAt(registers, heap.take(registers.bytes));
    this.leaveSlots = 2 ** Math.ceil(Math.log2(Math.max(64, 4 * rows)));
    this.leaveValues = heap.take(this.leaveSlots * this.emitted.bytes);
    this.#leaveKnowledge = heap.take(this.leaveSlots * toldBytes(this.results.told));
    const cells = heap.take(48);
    this.usedSlots = 2 ** Math.ceil(Math.log2(2 * rows + 2));
    this.used = heap.take(this.usedSlots * 4);
    const runSlots = 2 ** Math.ceil(Math.log2(rows + cols + 1));
    this.state = {
      waves: cells + 4,
      lastFeed: cells + 8,
      head: cells + 12,
      tail: cells + 16,
      runs: cells + 28,
      runTimes: heap.take(runSlots * 4),
      runCounts: heap.take(runSlots * 4),
      runSlots,
      leaveTimes: heap.take(this.leaveSlots * 4),
      leaveRows: heap.take(this.leaveSlots * 4),
    };
    this.#feedWaits = cells + 20;
    this.#idle = cells + 24;
    plan.initially((view) => {
      view.setInt32(this.state.lastFeed, -1, true);
      for (let i = 0; i < this.usedSlots; i++) view.setInt32(this.used + i * 4, -1, true);
    });
    this.#wave = this.product ? -1 : module.declare(`${grid.path} wave`);
    this.#stationary = this.product ? undefined : GridStationary.of(this, module);
  }

  /** Feed one wave; the suspension point stands in front. It only waits where too many results are on their way out. */
  emitFeed(actor: Actor, exprs: ExprCompiler, stmt: Extract<Stmt, { kind: "feed" }>, id: number): void {
    const { code } = actor;
    const { plan } = this;
    this.#checkFeeder(actor.actor);
    this.emitRoom(code);
    code.op("i32.eqz").if();
    code.storeAt(this.#feedWaits, () => code.i32(1));
    code.storeAt(plan.frames[actor.actor]! + frame.standsAt, () => code.i32(0));
    actor.suspend(id);
    code.end();
    this.emitFeedNow(actor, exprs, stmt);
  }

  /** Feed one wave; there is room for its results. */
  emitFeedNow(actor: Actor, exprs: ExprCompiler, stmt: Extract<Stmt, { kind: "feed" }>): void {
    const { code, time } = actor;
    const { state } = this;
    const { grid } = this.cell;
    this.#checkFeeder(actor.actor);
    code.loadAt(state.lastFeed).get(time).op("i32.eq").if();
    emitError(
      actor,
      (clock) =>
        new TandemError(`${grid.path} is fed twice in clock ${clock}`, { hint: "Put a yield between two waves." }),
      time,
    );
    code.end();
    this.countFeeds(code, time, () => code.i32(1));
    this.tellKnowledge(actor, () => code.i32(1));
    if (this.product) {
      store(exprs, this.product.west, stmt.west);
      store(exprs, this.product.north, stmt.north);
      this.product.emitWave(code, time);
    } else {
      store(exprs, this.westWave, stmt.west);
      store(exprs, this.northWave, stmt.north);
      if (this.#stationary) this.#stationary.emitWave(code, time);
      else code.get(time).call(this.#wave);
      code.i32(1);
    }
    code.if();
    this.emitWakeLeaver(actor);
    code.end();
  }

  /** Nonzero on the stack if the results of another wave surely find room on their way out. */
  emitRoom(code: Code): void {
    const { tail, head } = this.state;
    code.loadAt(tail).loadAt(head).op("i32.sub");
    code.i32(this.leaveSlots - this.cell.grid.rows).op("i32.le_s");
  }

  /** `count` waves are fed one a clock, the first in clock `time` (a local), which is not that of the last feed. */
  countFeeds(code: Code, time: number, count: () => void): void {
    const { state } = this;
    const slot = code.local("i32");
    code.get(time).loadAt(state.lastFeed).i32(1).op("i32.add").op("i32.ne");
    code.loadAt(state.runs).op("i32.eqz").op("i32.or").if();
    code.storeAt(state.runs, () => code.loadAt(state.runs).i32(1).op("i32.add"));
    const newest = (): void => {
      code
        .loadAt(state.runs)
        .i32(state.runSlots - 1)
        .op("i32.and")
        .i32(2)
        .op("i32.shl")
        .set(slot);
    };
    newest();
    code.get(slot).get(time).mem("i32.store", state.runTimes);
    code.get(slot).i32(0).mem("i32.store", state.runCounts);
    code.end();
    newest();
    code.get(slot).get(slot).mem("i32.load", state.runCounts);
    count();
    code.op("i32.add").mem("i32.store", state.runCounts);
    code.storeAt(state.waves, () => {
      code.loadAt(state.waves);
      count();
      code.op("i32.add");
    });
    code.storeAt(state.lastFeed, () => {
      code.get(time);
      count();
      code.op("i32.add").i32(1).op("i32.sub");
    });
  }

  /** What the feeder knows goes with the waves; its own count goes up with each. */
  tellKnowledge(actor: Actor, waves: () => void): void {
    const { plan } = this;
    const { code } = actor;
    const told = plan.fedTold.get(this.actor) ?? [];
    const before = (): void => {
      waves();
      code.i32(1).op("i32.sub");
    };
    countReleases(actor, told, before);
    emitTellAll(code, told, plan.known[this.actor]!, plan.known[actor.actor]!);
    countReleases(actor, told, () => code.i32(1));
  }

  /** The actor that pushes results may have something to do. */
  emitWakeLeaver(actor: Actor): void {
    emitWake(actor, this.#idle, this.actor);
  }

  #checkFeeder(actor: number): void {
    const { grid } = this.cell;
    if (this.#feeder >= 0 && this.#feeder !== actor) {
      const path = (id: number): string => this.plan.ir.processes[id]!.node.path;
      throw new TandemError(`${grid.path} is fed by both ${path(this.#feeder)} and ${path(actor)}`);
    }
    this.#feeder = actor;
  }

  /** The functions of the grid: to be called when all feeds are compiled. */
  define(module: WasmModule, globals: Globals): Code {
    this.globals = globals;
    if (this.product) this.product.define(module);
    else module.define(this.#wave, this.#evaluateWave());
    this.#stationary?.define(module, this.#wave);
    return this.#leave(globals);
  }

  /** One wave through all cells, one after the other. Parameter: the clock in which it was fed. */
  #evaluateWave(): Code {
    const code = new Code(["i32"]);
    const { cell, plan } = this;
    const { grid } = cell;
    const { rows, cols } = grid;
    const { heap } = plan;
    const one = (layout: Layout): Place => placeAt(layout, heap.take(layout.bytes));
    const links = { west: layoutOf(grid.cell.west), north: layoutOf(grid.cell.north) };
    const [east, south] = [one(links.west), one(links.north)];
    const westNow = one(links.west);
    const columns = one(this.north);
    const [r, c] = [code.local("i32"), code.local("i32")];
    const emitted = code.local("i32");
    const compiler = new CellCompiler(plan, this.actor, cell, code);
    const northNow = select(columns, { local: c, plus: 0 });
    compiler.bindPlace(cell.west, westNow);
    compiler.bindPlace(cell.north, northNow);
    compiler.bindPlace(cell.state, select(select(this.registers, { local: r, plus: 0 }), { local: c, plus: 0 }));
    compiler.bindScalar(cell.row, r);
    compiler.bindScalar(cell.col, c);
    const row = one(this.emitted);

    emitCopy(code, columns, this.northWave);
    code.i32(0).set(r);
    const rowLoop = code.loop();
    code.i32(0).set(emitted).i32(0).set(c);
    emitCopy(code, westNow, select(this.westWave, { local: r, plus: 0 }));
    const colLoop = code.loop();
    compiler.emitBody(cell.body);
    compiler.exprs.emit32(cell.emitWhen);
    code.if();
    // A column that begins to emit after one that did not: they do not decide alike.
    this.#ragged(code, r, () => code.get(emitted).get(c).op("i32.ne"));
    store(compiler.exprs, select(row, { local: c, plus: 0 }), cell.emit);
    code.get(emitted).i32(1).op("i32.add").set(emitted);
    code.else();
    this.#ragged(code, r, () => code.get(emitted).i32(0).op("i32.ne"));
    code.end();
    store(compiler.exprs, east, cell.east);
    store(compiler.exprs, south, cell.south);
    emitCopy(code, westNow, east);
    emitCopy(code, northNow, south);
    code.get(c).i32(1).op("i32.add").tee(c).i32(cols).op("i32.lt_s").brIf(colLoop);
    code.end();
    code.get(emitted).if();
    this.emitLeaving(code, 0, r, !this.#stationary, (to) => emitCopy(code, to, row));
    code.end();
    code.get(r).i32(1).op("i32.add").tee(r).i32(rows).op("i32.lt_s").brIf(rowLoop);
    code.end();
    return code;
  }

  #ragged(code: Code, row: number, condition: () => void): void {
    condition();
    code.if();
    const { path } = this.cell.grid;
    emitError(
      { code, plan: this.plan, time: 0 },
      (clock, r) =>
        new TandemError(`${path}: in row ${r} some columns emit and others do not (wave of clock ${clock})`, {
          hint: "Let the decision travel with the values from the west, so that a whole row decides alike.",
        }),
      row,
    );
    code.end();
  }

  /**
   * A row of results goes to the ring; `time` has the clock of its wave, `row` its row. `known`: its values are, so that it need not wait there
   * if nothing does and `results` has room.
   */
  emitLeaving(code: Code, time: number, row: number, known: boolean, put: (to: Place) => void): void {
    const { state, plan } = this;
    const { grid } = this.cell;
    const [at, index, slot] = [code.local("i32"), code.local("i32"), code.local("i32")];
    // A column's result register takes one value a clock: fed + r + c must be free, for all columns alike.
    code.get(time).get(row).op("i32.add").i32(rules.ring.leave).op("i32.add").tee(at);
    code
      .i32(this.usedSlots - 1)
      .op("i32.and")
      .i32(2)
      .op("i32.shl")
      .tee(index);
    code.mem("i32.load", this.used).get(at).op("i32.eq").if();
    emitError(
      { code, plan, time: at },
      (clock) =>
        new TandemError(`${grid.path}: two rows of column 0 emit in clock ${clock}`, {
          hint: "A column has one result register: start the next tile at least R waves after the last.",
        }),
      row,
    );
    code.end();
    code.get(index).get(at).mem("i32.store", this.used);
    code
      .loadAt(state.tail)
      .tee(slot)
      .i32(1)
      .op("i32.sub")
      .i32(this.leaveSlots - 1)
      .op("i32.and")
      .i32(2)
      .op("i32.shl");
    code.mem("i32.load", state.leaveTimes).get(at).i32(grid.cols).op("i32.add").op("i32.gt_s");
    code.get(slot).i32(0).op("i32.gt_s").op("i32.and").if();
    emitError(
      { code, plan, time: at },
      () =>
        new TandemError(`${grid.path}: a row of a later wave emits before a row of an earlier one`, {
          hint: "The fast engine takes rows in the order of their waves only: run this design with --engine kernel.",
        }),
      row,
    );
    code.end();
    code
      .get(slot)
      .i32(this.leaveSlots - 1)
      .op("i32.and")
      .set(slot);
    code.get(slot).i32(2).op("i32.shl").tee(index).get(at).i32(grid.cols).op("i32.add");
    code.mem("i32.store", state.leaveTimes);
    code.get(index).get(row).mem("i32.store", state.leaveRows);
    const value = code.local("i32");
    const gone = code.block();
    // Whoever polls may not be overtaken by what is woken here.
    if (known && !plan.ir.processes.some(({ polls }) => polls)) {
      code.get(at).i32(grid.cols).op("i32.add").set(at);
      this.#pushAhead(code, at, value, put, gone);
    }
    code.get(slot).i32(this.emitted.bytes).op("i32.mul").set(value);
    put(placeAt(this.emitted, this.leaveValues, value));
    const { told } = this.results;
    code.get(slot).i32(toldBytes(told)).op("i32.mul").set(value);
    emitTell(code, told, [value, this.#leaveKnowledge], plan.known[this.actor]!);
    code.storeAt(state.tail, () => code.loadAt(state.tail).i32(1).op("i32.add"));
    code.end();
  }

  /** The row of clock `time` is pushed at once, and the code left by `gone`, if no other waits and it is known that there is room. */
  #pushAhead(code: Code, time: number, value: number, put: (to: Place) => void, gone: Label): void {
    const { state, plan, results } = this;
    const { depth, lanes } = results.channel;
    const i = code.local("i32");
    const before = (ring: number, back: number): void => {
      slot(code, results, i, back);
      code.mem("i32.load", ring).get(time).op("i32.lt_s").op("i32.and");
    };
    code.loadAt(state.tail).loadAt(state.head).op("i32.eq");
    code.get(time).globalGet(this.globals!.horizon).op("i32.lt_s").op("i32.and");
    code.loadAt(results.pushed).tee(i).loadAt(results.popped).op("i32.sub").i32(depth).op("i32.lt_s").op("i32.and");
    before(results.popTimes, depth);
    before(results.pushTimes, lanes);
    code.if();
    slot(code, results, i, 0);
    code.get(time).mem("i32.store", results.pushTimes);
    const to = (bytes: number): void => {
      code
        .get(i)
        .i32(results.slots - 1)
        .op("i32.and")
        .i32(bytes)
        .op("i32.mul")
        .set(value);
    };
    to(toldBytes(results.told));
    emitTell(code, results.told, [value, results.knowledge], plan.known[this.actor]!);
    to(this.emitted.bytes);
    put(placeAt(this.emitted, results.values, value));
    code.storeAt(results.pushed, () => code.get(i).i32(1).op("i32.add"));
    emitPushOccupancy(code, results, i, time);
    const actor = {
      code,
      plan,
      globals: this.globals!,
      actor: this.actor,
      time,
      polls: false,
      suspend: () => undefined,
    };
    if (results.consumer >= 0) emitWake(actor, results.popWaits, results.consumer);
    for (const count of [state.tail, state.head]) code.storeAt(count, () => code.loadAt(count).i32(1).op("i32.add"));
    code.br(gone).end();
  }

  /** The actor that pushes what leaves. */
  #leave(globals: Globals): Code {
    const code = new Code();
    const { state, plan, results } = this;
    const mask = results.slots - 1;
    const time = code.local("i32");
    const [i, slot, from, to] = [code.local("i32"), code.local("i32"), code.local("i32"), code.local("i32")];
    const actor: Actor = {
      code,
      plan,
      globals,
      actor: this.actor,
      time,
      polls: false,
      suspend: () => code.op("return"),
    };
    this.#stationary?.emitFlush(code);
    const next = code.loop();
    code.loadAt(state.head).loadAt(state.tail).op("i32.eq").if();
    code.storeAt(this.#idle, () => code.i32(1));
    code.op("return");
    code.end();
    code
      .loadAt(state.head)
      .i32(this.leaveSlots - 1)
      .op("i32.and")
      .tee(slot);
    code.i32(2).op("i32.shl").mem("i32.load", state.leaveTimes).tee(time);
    code.globalGet(globals.horizon).op("i32.ge_s").if();
    code.op("return").end();
    code.loadAt(results.pushed).tee(i).loadAt(results.popped).op("i32.sub");
    code.i32(results.channel.depth).op("i32.ge_s").if();
    code.storeAt(results.pushWaits, () => code.i32(1));
    code.op("return");
    code.end();
    const ringTime = (ring: number, back: number): void => {
      code.get(i).i32(back).op("i32.sub").i32(mask).op("i32.and").i32(2).op("i32.shl").mem("i32.load", ring);
    };
    ringTime(results.popTimes, results.channel.depth);
    code.get(time).op("i32.ge_s");
    ringTime(results.pushTimes, results.channel.lanes);
    code.get(time).op("i32.ge_s").op("i32.or").if();
    code.get(slot).i32(2).op("i32.shl").mem("i32.load", state.leaveRows).set(from);
    emitError(actor, (clock, row) => new GridView(this.image).full(clock, row), from);
    code.end();
    code.get(i).i32(mask).op("i32.and").tee(to).i32(2).op("i32.shl").get(time).mem("i32.store", results.pushTimes);
    const stride = toldBytes(results.told);
    const [a, b] = [code.local("i32"), code.local("i32")];
    code.get(slot).i32(stride).op("i32.mul").set(a).get(to).i32(stride).op("i32.mul").set(b);
    for (let at = 0; at < stride; at += 4)
      code
        .get(b)
        .get(a)
        .mem("i32.load", this.#leaveKnowledge + at)
        .mem("i32.store", results.knowledge + at);
    code.get(slot).i32(this.emitted.bytes).op("i32.mul").set(from);
    code.get(to).i32(this.emitted.bytes).op("i32.mul").set(to);
    emitCopy(code, placeAt(this.emitted, results.values, to), placeAt(this.emitted, this.leaveValues, from));
    code.storeAt(results.pushed, () => code.get(i).i32(1).op("i32.add"));
    emitPushOccupancy(code, results, i, time);
    if (results.consumer >= 0) emitWake(actor, results.popWaits, results.consumer);
    code.storeAt(state.head, () => code.loadAt(state.head).i32(1).op("i32.add"));
    if (this.#feeder >= 0) emitWake(actor, this.#feedWaits, this.#feeder);
    code.br(next);
    code.end();
    return code;
  }

  /** What an engine has to know of the grid (grid-view.ts). */
  get image(): GridImage {
    const { grid } = this.cell;
    return {
      path: grid.path,
      results: grid.results.channel.path,
      rows: grid.rows,
      cols: grid.cols,
      leaveSlots: this.leaveSlots,
      feedWaits: this.#feedWaits,
      idle: this.#idle,
      state: this.state,
    };
  }
}
