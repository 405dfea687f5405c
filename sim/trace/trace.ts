/**
 * A waveform of a kernel's run: chosen probes over a chosen window of clocks, as VCD. Clock t lasts from 10 t ns to
 * 10 (t + 1) ns (100 MHz); `clk` rises at its start.
 */
import { TandemError } from "../../hw/index.js";
import type { Kernel, Running } from "../kernel/kernel.js";
import { select } from "./glob.js";
import { probesOf, type Probe } from "./probes.js";
import { VcdWriter, type TextSink, type Variable } from "./vcd.js";

export interface TraceOptions {
  /** Patterns over paths (see glob.ts); by default channels and processes of the whole design. */
  readonly patterns?: readonly string[];
  /** First clock shown; 0 by default. */
  readonly from?: number;
  /** First clock not shown; the end of the run by default. */
  readonly to?: number;
}

interface Shown {
  readonly probe: Probe;
  readonly variable: Variable;
}

const PERIOD = 10;

/** `100:200`, `100:` or `:200`: from the first clock shown to the first that is not. */
export function parseWindow(text: string): { from: number; to: number } {
  const match = /^(\d*):(\d*)$/.exec(text);
  const from = Number(match?.[1] ?? NaN);
  const to = match?.[2] ? Number(match[2]) : Infinity;
  if (!match || text === ":" || !Number.isSafeInteger(from) || !(to > from))
    throw new TandemError(`Window "${text}": expected FROM:TO in clocks, FROM before TO`, {
      hint: "For instance --window 100:200; either end may be left out.",
    });
  return { from, to };
}

export class Trace {
  readonly #vcd: VcdWriter;
  readonly #from: number;
  readonly #to: number;
  readonly #clk: Variable;
  readonly #registers: Shown[] = [];
  readonly #pulses: Shown[] = [];
  readonly #states: Shown[] = [];
  /** The clock whose rising edge was written last; -1 before the window. */
  #open = -1;
  /** The last clock that the kernel worked in, counted over all runs. */
  #last = -1;
  /** Clocks of the runs before the last reset. */
  #offset = 0;
  #running: readonly Running[] = [];
  #closed = false;

  /** Attach to a kernel, before its run. */
  constructor(kernel: Kernel, sink: TextSink, options: TraceOptions = {}) {
    this.#from = options.from ?? 0;
    this.#to = options.to ?? Infinity;
    const all = probesOf(kernel.design, kernel.grids);
    const top = kernel.design.top.path;
    const chosen = options.patterns?.length ? select(all, options.patterns) : all.filter(shownByDefault);
    this.#vcd = new VcdWriter(
      sink,
      "1 ns",
      `${top}: one clock is ${PERIOD} ns; process states: 0 idle, 1 busy, 2 pop, 3 push`,
    );
    this.#vcd.scope(top);
    this.#clk = this.#vcd.variable("clk", { bits: 1 });
    this.#declare(chosen, top);
    this.#vcd.upscope();
    this.#vcd.start(this.#from * PERIOD);
    kernel.observe({
      start: (clock, running) => this.#start(clock, running),
      end: (clock, running) => this.#end(clock, running),
    });
  }

  /** Declare variables scope by scope: those of one scope stand together, wherever the probes come from. */
  #declare(probes: readonly Probe[], scope: string): void {
    const below = new Map<string, Probe[]>();
    for (const probe of probes) {
      const rest = probe.path.slice(scope.length + 1);
      const dot = rest.indexOf(".");
      if (dot < 0) {
        const shown = { probe, variable: this.#vcd.variable(rest, probe.kind) };
        (probe.phase === "register" ? this.#registers : probe.phase === "pulse" ? this.#pulses : this.#states).push(
          shown,
        );
      } else {
        const child = rest.slice(0, dot);
        const group = below.get(child);
        if (group) group.push(probe);
        else below.set(child, [probe]);
      }
    }
    for (const [child, group] of below) {
      this.#vcd.scope(child);
      this.#declare(group, `${scope}.${child}`);
      this.#vcd.upscope();
    }
  }

  #start(since: number, running: readonly Running[]): void {
    // A reset starts again from clock 0: the next run is shown after the last.
    if (since + this.#offset <= this.#last) {
      this.#offset = this.#last + 1;
      for (const { probe } of this.#pulses) probe.read(running);
    }
    const clock = since + this.#offset;
    const settled = this.#last + 1;
    if (clock < this.#from || settled >= this.#to) return;
    this.#openClock(Math.max(settled, this.#from));
    for (const { probe, variable } of this.#registers) this.#vcd.change(variable, probe.read(running));
    // In a gap the design shows throughout what it shows now.
    if (settled < clock) this.#still(running);
    this.#openClock(Math.min(clock, this.#to - 1));
  }

  #end(since: number, running: readonly Running[]): void {
    const clock = since + this.#offset;
    this.#last = clock;
    this.#running = running;
    const shown = clock >= this.#from && clock < this.#to;
    // Pulses are read in every clock: they count from the last look.
    for (const { probe, variable } of this.#pulses) {
      const value = probe.read(running);
      if (shown) this.#vcd.change(variable, value);
    }
    if (!shown) return;
    for (const { probe, variable } of this.#states) this.#vcd.change(variable, probe.read(running));
  }

  /** Nothing happens: no pulses, and the processes stand where they stood. */
  #still(running: readonly Running[]): void {
    for (const { variable } of this.#pulses) this.#vcd.change(variable, 0);
    for (const { probe, variable } of this.#states) this.#vcd.change(variable, probe.read(running));
  }

  #openClock(clock: number): void {
    if (this.#open < 0) this.#rise(clock);
    while (this.#open < clock) {
      this.#vcd.time(this.#open * PERIOD + PERIOD / 2);
      this.#vcd.change(this.#clk, 0);
      this.#rise(this.#open + 1);
    }
  }

  #rise(clock: number): void {
    this.#open = clock;
    this.#vcd.time(clock * PERIOD);
    this.#vcd.change(this.#clk, 1);
  }

  /** End the dump with one clock of stillness, which shows what the last edge left. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#start(this.#last + 1 - this.#offset, this.#running);
    if (this.#last + 1 >= this.#from && this.#last + 1 < this.#to) this.#still(this.#running);
    if (this.#open >= 0) {
      this.#vcd.time(this.#open * PERIOD + PERIOD / 2);
      this.#vcd.change(this.#clk, 0);
      this.#vcd.time((this.#open + 1) * PERIOD);
    }
    this.#vcd.flush();
  }
}

/** Without patterns: handshakes and processes, but neither data nor registers, of which there may be thousands. */
const shownByDefault = ({ path }: Probe): boolean =>
  /\.(valid|ready|occupancy|pushes|pops|state|stalled_on|feeds)$/.test(path);
