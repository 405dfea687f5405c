/**
 * A trace file in the VCD format (IEEE 1666-2011 clause 8.1: sc_create_vcd_trace_file, sc_trace): values are recorded before
 * time goes on, or after every delta cycle if asked for. Header, names, order and time stamps are those of Accellera's
 * library, so that the dumps of both can be compared as they are.
 *
 *     const file = new VcdTraceFile(sim, "waves", (text) => output.push(text));
 *     file.trace(clk, "clk");
 *     sim.start(ns(100));
 *     file.close();
 */
import type { Context } from "../../hw/systemc/context.js";
import { Fifo } from "../../hw/systemc/fifo.js";
import { Port } from "../../hw/systemc/port.js";
import { message, Severity } from "../../hw/systemc/report.js";
import { SignalPort } from "../../hw/systemc/signal-ports.js";
import { formatTime, timeUnits, type TimeUnit } from "../../hw/systemc/time.js";
import type { TextSink } from "../trace/vcd.js";
import type { Tracer } from "./scheduler.js";
import { general, Traced, type Traceable, type TraceKind } from "./traced.js";

/** What a trace file needs of the simulation that it belongs to. */
export interface TracedSimulation extends Context {
  readonly tracers: Tracer[];
}

export class VcdTraceFile implements Tracer {
  /** With its extension. */
  readonly fileName: string;
  private readonly simulation: TracedSimulation;
  private readonly sink: TextSink;
  private readonly done: () => void;
  private readonly variables: Traced[] = [];
  /** Units of the kernel and of this file, in femtoseconds. */
  private kernelUnit = 0;
  private traceUnit = 0;
  private unitSet = false;
  private started = false;
  private closed = false;
  private tracesDeltas = false;
  /** Where time stood last; only what is later gets a time stamp of its own. */
  private before: Stamp = { high: 0, low: 0 };

  /** `name` without extension. The text leaves through `sink`, in order, from the first step of time on; `done` at the end. */
  constructor(simulation: TracedSimulation, name: string, sink: TextSink, done: () => void = () => undefined) {
    this.simulation = simulation;
    this.sink = sink;
    this.done = done;
    this.fileName = `${name}.vcd`;
    if (name === "") simulation.reports.report(Severity.Error, message.TRACING_FOPEN_FAILED, "no name given");
    simulation.tracers.push(this);
  }

  /** Unit of the time stamps: 1, 10 or 100 of a unit. Before the first step of time. */
  setTimeUnit(amount: number, unit: TimeUnit): void {
    if (this.started) {
      const how = "Timescale unit cannot be changed once tracing has begun.";
      const advice = "To change the scale, create a new trace file.";
      this.error(message.TRACING_ALREADY_INITIALIZED, `${this.fileName}\n\t${how}\n\t${advice}`);
      return;
    }
    this.unitSet = true;
    this.traceUnit = amount * 10 ** (3 * timeUnits.indexOf(unit));
    const text = `${this.unitText(this.traceUnit)} (${this.fileName})`;
    this.simulation.reports.report(Severity.Info, message.TRACING_TIMESCALE_UNIT, text);
  }

  /** Record values after every delta cycle, one unit of the file's time apart. */
  deltaCycles(on: boolean): void {
    this.tracesDeltas = on;
  }

  /** A comment at this place of the file. */
  writeComment(text: string): void {
    this.sink(`$comment\n${text}\n$end\n\n`);
  }

  /**
   * Records a value under a name; dots in the name make scopes. All before the first step of time. A port is followed to
   * its signal, when ports are bound.
   */
  trace(what: Traceable, name: string, kind?: TraceKind): void {
    if (what instanceof SignalPort && !this.simulation.elaborated) {
      what.atEndOfElaboration(() => this.trace(what, name, kind));
      return;
    }
    if (this.started) {
      const how = `No traces can be added to '${this.fileName}' once trace recording has started.`;
      const advice = `To add tracing of '${name}', create a new trace file.`;
      this.error(message.TRACING_ALREADY_INITIALIZED, `sc_trace() failed:\n\t${how}\n\t${advice}`);
      return;
    }
    if (what instanceof Fifo || (what instanceof Port && !(what instanceof SignalPort))) {
      this.error(message.TRACING_OBJECT_IGNORED, `'${what.name}' (${what.kind}) has no value`);
      return;
    }
    this.variables.push(new Traced(name, codeOf(this.variables.length), what, kind));
  }

  /** Ends the file. A file that saw no step of time stays empty, with a warning. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    const { tracers, reports } = this.simulation;
    tracers.splice(tracers.indexOf(this), 1);
    if (!this.started) {
      reports.report(Severity.Warning, message.TRACING_CLOSE_EMPTY_FILE, this.fileName);
    } else {
      const now = this.stamp();
      if (this.isLater(now)) this.sink(`${this.stampText(now)}\n`);
    }
    this.done();
  }

  /** Called by the scheduler. */
  cycle(delta: boolean): void {
    if (delta && !this.tracesDeltas) return;
    if (!this.started) {
      this.start();
      return;
    }
    const now = this.stamp();
    const later = this.isLater(now);
    if (!this.finer && now.low !== 0) this.warnOfResolution();
    if (this.tracesDeltas) {
      if (!delta) {
        // Values do not change between the last delta cycle and the step of time.
        if (later) this.before = now;
        return;
      }
      this.simulation.reports.once(Severity.Info, message.TRACING_VCD_DELTA_CYCLE, this.unitText(this.traceUnit));
      if (this.deltas === 0 && !later) {
        this.warnOfReversedTime();
        return;
      }
    }
    let text = "";
    for (const variable of this.variables) if (variable.changed) text += `${variable.line()}\n`;
    if (text !== "") this.sink(`${this.stampText(now)}\n${text}\n`);
  }

  private start(): void {
    this.started = true;
    this.kernelUnit = this.simulation.time.resolution;
    if (!this.unitSet) {
      this.traceUnit = this.kernelUnit;
      const text = `${formatTime(1, this.simulation)} (${this.fileName})`;
      this.simulation.reports.report(Severity.Info, message.TRACING_TIMESCALE_DEFAULT, text);
    }
    this.sink(`$date\n     ${new Date().toUTCString()}\n$end\n\n$version\n Tandem\n$end\n\n`);
    this.sink(`$timescale\n     ${this.unitText(this.traceUnit)}\n$end\n\n${this.scopes()}$enddefinitions  $end\n\n`);
    this.before = this.stamp();
    const seconds = general(this.simulation.now * this.kernelUnit * 1e-15, 6);
    const stamp = this.stampText(this.before).slice(1);
    this.writeComment(`All initial values are dumped below at time ${seconds} sec = ${stamp} timescale units.`);
    this.sink(`$dumpvars\n${this.variables.map((variable) => `${variable.line()}\n`).join("")}$end\n\n`);
  }

  /** The declarations, one scope for each part of a name before its last dot; scopes by name, variables as they came. */
  private scopes(): string {
    const top = new Scope();
    for (const variable of this.variables) {
      let name = variable.name;
      if (/[[\]]/.test(name)) {
        name = name.replaceAll("[", "(").replaceAll("]", ")");
        const why = "Traced objects found with name containing [], which may be";
        const lines = [why, "interpreted by the waveform viewer in unexpected ways.", "So the [] is automatically"];
        const text = `${variable.name}:\n\t${lines.join("\n\t")} replaced by ().`;
        this.simulation.reports.report(Severity.Warning, message.TRACING_OBJECT_NAME_FILTERED, text);
      }
      const path = name.split(".");
      let scope = top;
      for (const part of path.slice(0, -1)) scope = scope.inner(part);
      scope.variables.push(variable.declaration(path.at(-1)!));
    }
    return top.text("SystemC");
  }

  // Time stamps.

  /** True if the file's unit is finer than the kernel's: then delta cycles fit between two times. */
  private get finer(): boolean {
    return this.kernelUnit > this.traceUnit;
  }
  /** Delta cycles since time moved. */
  private get deltas(): number {
    return this.simulation.deltaCount - this.simulation.deltasBefore;
  }
  /** Now: whole units and rest; with a finer unit, kernel units and file units within one. */
  private stamp(): Stamp {
    const { now } = this.simulation;
    const deltas = this.tracesDeltas ? this.deltas : 0;
    if (this.finer) {
      const per = this.kernelUnit / this.traceUnit;
      return { high: now + Math.floor(deltas / per), low: deltas % per };
    }
    const per = this.traceUnit / this.kernelUnit;
    return { high: Math.floor(now / per) + deltas, low: now % per };
  }
  private isLater({ high, low }: Stamp): boolean {
    return high > this.before.high || (high === this.before.high && low > this.before.low);
  }
  private stampText({ high, low }: Stamp): string {
    if (!this.finer) return `#${high}`;
    const digits = Math.round(Math.log10(this.kernelUnit / this.traceUnit));
    return `#${high}${String(low).padStart(digits, "0")}`;
  }
  private unitText(femtoseconds: number): string {
    const power = Math.log10(femtoseconds);
    if (Number.isInteger(power) && power >= 0 && power <= 17) {
      const unit = Math.min(5, Math.floor(power / 3));
      return `${10 ** (power - 3 * unit)} ${[...timeUnits.slice(0, 5), "sec"][unit]!}`;
    }
    this.error(message.TRACING_INVALID_TIMESCALE_UNIT, `not a power of ten: ${femtoseconds} fs`);
    return "";
  }

  // Reports.

  private warnOfResolution(): void {
    const now = `\n\tCurrent kernel time is ${formatTime(this.simulation.now, this.simulation)}`;
    const unit = `\n\tVCD trace time unit is ${this.unitText(this.traceUnit)}`;
    this.simulation.reports.report(Severity.Warning, message.TRACING_VCD_TIME_RESOLUTION, `${now}${unit}${RAISE}`);
  }
  private warnOfReversedTime(): void {
    const why = "\n\tThis can occur when delta cycle tracing is activated.";
    const at = formatTime(this.simulation.now, this.simulation);
    const what = `\n\tSome delta cycles at ${at} are not shown in vcd.`;
    this.simulation.reports.report(Severity.Warning, message.TRACING_REVERSED_TIME, `${why}${what}${RAISE}`);
  }
  private error(type: readonly [number, string], text: string): void {
    this.simulation.reports.report(Severity.Error, type, text);
  }
}

interface Stamp {
  readonly high: number;
  readonly low: number;
}

const RAISE = "\n\tUse 'tracefile->set_time_unit(double, sc_time_unit);' to increase the time resolution.";

class Scope {
  readonly variables: string[] = [];
  private readonly scopes = new Map<string, Scope>();

  inner(name: string): Scope {
    let scope = this.scopes.get(name);
    if (scope === undefined) this.scopes.set(name, (scope = new Scope()));
    return scope;
  }
  text(name: string): string {
    const sorted = [...this.scopes].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    const inner = sorted.map(([part, scope]) => scope.text(part)).join("");
    return `$scope module ${name} $end\n${this.variables.join("")}${inner}$upscope $end\n`;
  }
}

/** Five letters, counted from `aaaaa`. */
function codeOf(index: number): string {
  let code = "";
  for (let rest = index, digit = 0; digit < 5; digit++, rest = Math.floor(rest / 26)) {
    code = String.fromCharCode(97 + (rest % 26)) + code;
  }
  return code;
}
