/**
 * The reference engine: evaluate, update, notify (the cycle of IEEE 1666's scheduler, on clock edges). The processes are
 * the generators themselves; one is resumed only in clocks in which it can move, so that time passes at the cost of
 * what happens in it.
 *
 * A clock has three parts: results that leave grids are pushed; every process that is due runs to its next `yield` or
 * to an operation that has to wait; signals take their new values and grids move their registers.
 */
import { elaborate, TandemError, type Elaborated, type Module } from "../../hw/index.js";
import type { ClockContext } from "../../hw/context.js";
import type { Grid } from "../../hw/grid.js";
import { ProcessNode, type Blocked, type Process } from "../../hw/process.js";
import type { Counters, ProcessCounters } from "./counters.js";
import { GridRun } from "./grid-runner.js";
import { Handover } from "./handover.js";
import { restoreState, saveState, type SavedState } from "./state.js";

/** A process at run time. */
export interface Running {
  readonly node: ProcessNode;
  body: Process;
  /** The operation that it waits for, since clock `since`. */
  blocked: Blocked | undefined;
  since: number;
  ended: boolean;
  busy: number;
  estimated: number;
  readonly stalls: Map<Blocked, number>;
  /** Clock for which it is scheduled, to schedule it once. */
  due: number;
}

export interface RunOptions {
  /** Stop before this clock, whatever still moves. */
  readonly until?: number;
  /** Refuse to run longer: an endless design is an error, not a hang. */
  readonly limit?: number;
  /** Called about every `every` clocks. */
  readonly progress?: { readonly every: number; readonly report: (clock: number) => void };
}

/**
 * Looks at a design, and changes nothing. Clocks in which nothing can happen are passed over: between two calls with
 * clocks further apart than one the design stood still.
 */
export interface Observer {
  /** Before anything happens in `clock`: registers hold what the edge gave them. */
  start?(clock: number, running: readonly Running[]): void;
  /** After all processes of `clock`, before signals and grids move. */
  end(clock: number, running: readonly Running[]): void;
}

/** Bodies and steps to run in place of those of the design: what a compiler made of them, to be held against them. */
export interface Replaced {
  readonly bodies: ReadonlyMap<ProcessNode, () => Process>;
  readonly steps: ReadonlyMap<Grid, Grid["cell"]["step"]>;
}

export class Kernel implements ClockContext {
  readonly design: Elaborated;
  now = 0;
  current: ProcessNode | undefined;

  readonly #running: Running[];
  readonly #environment: Running[] = [];
  readonly #byNode = new Map<ProcessNode, Running>();
  readonly grids: readonly GridRun[];
  readonly #saved: SavedState;
  readonly #observers: Observer[] = [];
  #ready: Running[] = [];
  #next: Running[] = [];
  /** Due later than the next clock. */
  #later: Running[] = [];
  #changed: { update(): void }[] = [];
  #lastMove = -1;

  constructor(top: Module, replaced?: Replaced) {
    this.#bodies = replaced?.bodies;
    this.design = elaborate(top);
    this.#saved = saveState(this.design.modules);
    for (const part of [...this.design.channels, ...this.design.memories, ...this.design.signals]) part.context = this;
    let handover = new Handover(this.design, this);
    this.grids = this.design.grids.map(
      (grid) => new GridRun(grid, this, () => handover.snapshot(), replaced?.steps.get(grid)),
    );
    this.#renew = () => {
      handover = new Handover(this.design, this);
      for (const run of this.grids) if (run.results.release) run.results.release = () => run.leavingSnapshot;
    };
    this.#renew();
    this.#running = this.design.processes.map((node) => this.#start(node));
  }

  readonly #renew: () => void;
  readonly #bodies: Replaced["bodies"] | undefined;

  #start(node: ProcessNode): Running {
    const running: Running = {
      node,
      body: (this.#bodies?.get(node) ?? node.body).call(node.module),
      blocked: undefined,
      since: 0,
      ended: false,
      busy: 0,
      estimated: 0,
      stalls: new Map(),
      due: this.now,
    };
    this.#byNode.set(node, running);
    this.#ready.push(running);
    return running;
  }

  /** Add a process of the environment (a source or a sink at the outer ports); before the run. */
  spawn(body: () => Process): ProcessNode {
    const node = new ProcessNode(this.design.top, body);
    this.#environment.push(this.#start(node));
    return node;
  }

  observe(observer: Observer): void {
    this.#observers.push(observer);
  }

  wake(process: ProcessNode, at: number): void {
    const running = this.#byNode.get(process);
    if (running) this.#schedule(running, at);
  }

  changed(signal: { update(): void }): void {
    this.#changed.push(signal);
  }

  #schedule(running: Running, at: number): void {
    running.due = at;
    if (at === this.now + 1) this.#next.push(running);
    else this.#later.push(running);
  }

  /** Run to quiescence, or to a horizon; returns the clocks passed since reset. */
  run(options: RunOptions = {}): number {
    const until = options.until ?? Infinity;
    const limit = options.limit ?? 2 ** 31;
    const every = options.progress?.every ?? Infinity;
    let nextReport = this.now + every;
    for (;;) {
      if (this.#ready.length === 0 && !this.#gridsActive() && !this.#skip(until)) break;
      if (this.now >= until) break;
      if (this.now >= limit) throw this.#endless(limit);
      this.#clock();
      if (this.now >= nextReport) {
        options.progress?.report(this.now);
        nextReport = this.now + every;
      }
    }
    return this.clocks;
  }

  /** Clocks passed: up to the last in which anything moved, or up to the horizon if that is where the run stopped. */
  get clocks(): number {
    let last = this.#lastMove;
    for (const { lastEvent } of this.design.channels) if (lastEvent > last) last = lastEvent;
    return Math.min(last + 1, this.now);
  }

  #gridsActive(): boolean {
    for (const run of this.grids) if (run.active) return true;
    return false;
  }

  /** Nobody is due in this clock: go to the next one with work, or to the horizon. False at quiescence. */
  #skip(until: number): boolean {
    let at = Infinity;
    for (const { due } of this.#later) if (due < at) at = due;
    if (at === Infinity) return false;
    this.now = Math.min(at, until);
    this.#takeLater();
    return true;
  }

  #takeLater(): void {
    this.#later = this.#later.filter((running) => {
      if (running.due > this.now) return true;
      this.#ready.push(running);
      return false;
    });
  }

  #clock(): void {
    for (const observer of this.#observers) observer.start?.(this.now, this.#running);
    for (const run of this.grids) if (run.active) run.leave();
    for (const running of this.#ready) this.#resume(running);
    for (const observer of this.#observers) observer.end(this.now, this.#running);
    if (this.#changed.length > 0) {
      for (const signal of this.#changed) signal.update();
      this.#changed = [];
    }
    for (const run of this.grids) if (run.active) run.advance();
    this.#ready.length = 0;
    [this.#ready, this.#next] = [this.#next, this.#ready];
    this.now++;
    if (this.#later.length > 0) this.#takeLater();
  }

  #resume(running: Running): void {
    const { now } = this;
    if (running.blocked) {
      const { stalls, blocked, since } = running;
      stalls.set(blocked, (stalls.get(blocked) ?? 0) + now - since);
      running.blocked = undefined;
    }
    this.current = running.node;
    const step = running.body.next();
    this.current = undefined;
    if (step.done) {
      running.ended = true;
      return;
    }
    const wait = step.value;
    if (wait === undefined) {
      running.busy++;
      // A wait of many clocks may reach beyond this one.
      if (now > this.#lastMove) this.#lastMove = now;
      running.due = now + 1;
      this.#next.push(running);
    } else if (wait.kind === "clocks") {
      running.busy += wait.clocks;
      if (wait.estimate) running.estimated += wait.clocks;
      this.#lastMove = Math.max(this.#lastMove, now + wait.clocks - 1);
      this.#schedule(running, now + wait.clocks);
    } else {
      running.blocked = wait;
      running.since = now;
      if (wait.readyAt < Infinity) this.#schedule(running, wait.readyAt);
      else if (wait.kind === "pop") wait.channel.popWaiter = running.node;
      else wait.channel.pushWaiter = running.node;
    }
  }

  /** Who waits for what: for the report of a run that stopped too early. */
  get stalled(): { process: string; on: "pop" | "push"; channel: string; since: number }[] {
    return this.#running
      .filter(({ blocked }) => blocked)
      .map(({ node, blocked, since }) => ({
        process: node.path,
        on: blocked!.kind,
        channel: blocked!.channel.path,
        since,
      }));
  }

  #endless(limit: number): TandemError {
    return new TandemError(`${this.design.top.path}: still running after ${limit} clocks`, {
      hint: "Raise the limit, or look for a process that polls without end.",
    });
  }

  get counters(): Counters {
    const { clocks, design } = this;
    return {
      clocks,
      processes: this.#running.map((running) => processCounters(running, clocks)),
      channels: design.channels.map((channel) => {
        const { mean, max } = channel.occupancyUntil(clocks);
        const { path, pushed, popped } = channel;
        return { path, pushed, popped, meanOccupancy: mean, maxOccupancy: max };
      }),
      memories: design.memories.map(({ path, ports }) => ({
        path,
        reads: ports.reduce((sum, port) => sum + port.reads, 0),
        writes: ports.reduce((sum, port) => sum + port.writes, 0),
      })),
      grids: this.grids.map(({ grid, waves, cellSteps }) => ({ path: grid.path, waves, cellSteps })),
    };
  }

  /** Reset: everything as after elaboration, and clock 0 again. Processes of the environment are dropped. */
  reset(): void {
    this.now = 0;
    this.#lastMove = -1;
    this.#ready = [];
    this.#next = [];
    this.#later = [];
    this.#changed = [];
    this.#environment.length = 0;
    this.#byNode.clear();
    restoreState(this.#saved);
    for (const part of [...this.design.channels, ...this.design.memories, ...this.design.signals, ...this.grids])
      part.reset();
    this.#renew();
    this.#running.splice(0, Infinity, ...this.design.processes.map((node) => this.#start(node)));
  }
}

function processCounters(running: Running, clocks: number): ProcessCounters {
  const { node, blocked, since, estimated } = running;
  const stalls = new Map(running.stalls);
  if (blocked) stalls.set(blocked, (stalls.get(blocked) ?? 0) + Math.max(0, clocks - since));
  // A wait of many clocks may reach beyond the horizon.
  const busy = running.busy - Math.max(0, running.ended || blocked ? 0 : running.due - clocks);
  const list = [...stalls].map(([{ channel, kind }, n]) => ({ channel: channel.path, on: kind, clocks: n }));
  const stalled = list.reduce((sum, stall) => sum + stall.clocks, 0);
  return { path: node.path, busy, stalls: list, idle: Math.max(0, clocks - busy - stalled), estimated };
}
