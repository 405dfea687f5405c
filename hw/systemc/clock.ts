/** Clocks (IEEE 1666-2011 clause 6.7, sc_clock). */
import type { PortLike, PortRole } from "./channel.js";
import type { Parent } from "./context.js";
import { Event } from "./event.js";
import { message, Severity } from "./report.js";
import { Signal } from "./signal.js";
import { ns, Time, ZERO_TIME } from "./time.js";

export interface ClockOptions {
  /** Default 1 ns, or one unit of a coarser resolution. */
  readonly period?: Time;
  /** Part of the period that the clock is high, between 0 and 1 exclusive; anything else is 0.5. */
  readonly dutyCycle?: number;
  /** Time of the first edge. */
  readonly start?: Time;
  /** Whether the first edge rises. */
  readonly posedgeFirst?: boolean;
}

export class Clock extends Signal<boolean> {
  readonly period: Time;
  readonly dutyCycle: number;
  readonly start: Time;
  readonly posedgeFirst: boolean;
  /** Resolution units for which the clock is high and low. */
  private readonly high: number;
  private readonly low: number;
  private readonly nextPosedge: Event;
  private readonly nextNegedge: Event;

  constructor(parent: Parent, leaf?: string, options: ClockOptions = {}) {
    super(parent, leaf, !(options.posedgeFirst ?? true), "one", "clock");
    const {
      period = new Time(Math.max(1, ns(1).value)),
      dutyCycle = 0.5,
      start = ZERO_TIME,
      posedgeFirst = true,
    } = options;
    this.period = period;
    this.start = start;
    this.posedgeFirst = posedgeFirst;
    this.dutyCycle = dutyCycle <= 0 || dutyCycle >= 1 ? 0.5 : dutyCycle;
    this.high = period.times(this.dutyCycle).value;
    this.low = period.value - this.high;
    this.nextPosedge = new Event(this.context, null);
    this.nextNegedge = new Event(this.context, null);
    const error = (type: readonly [number, string], advice: string): void =>
      this.context.reports.report(Severity.Error, type, `${advice}: clock '${this.name}'`);
    if (period.value === 0) error(message.CLOCK_PERIOD_ZERO, "increase the period");
    else if (this.high === 0) {
      error(message.CLOCK_HIGH_TIME_ZERO, "increase the period or increase the duty cycle");
    } else if (this.low === 0) error(message.CLOCK_LOW_TIME_ZERO, "increase the period or decrease the duty cycle");
    (posedgeFirst ? this.nextPosedge : this.nextNegedge).notifyInternal(start.value);
  }

  override get kind(): string {
    return "sc_clock";
  }

  override write(_value: boolean): void {
    this.context.reports.report(Severity.Error, message.ATTEMPT_TO_WRITE_TO_CLOCK, `clock '${this.name}'`);
  }
  override registerPort(port: PortLike, role: PortRole): void {
    if (role !== "out") return;
    const text = `clock '${this.name}'`;
    this.context.reports.report(Severity.Error, message.ATTEMPT_TO_BIND_CLOCK_TO_OUTPUT, text, port.boundAt);
  }

  /** The clock is driven by two methods, as in Accellera's library: that puts its edge one delta after its time. */
  override beforeEndOfElaboration(): void {
    const parent = this.parentObject ?? this.context;
    const generator = this.parentObject?.nameGenerator ?? this.context.names.generator;
    const drive = (what: string, on: Event, next: Event, delay: number, value: boolean): void => {
      const action = (): void => {
        next.notifyInternal(delay);
        this.next = value;
        this.requestUpdate();
      };
      const name = generator.next(`${this.basename}_${what}_action`);
      const process = this.context.createProcess("method", parent, name, action, false);
      process.dontInitialize();
      process.addStaticEvent(on);
    };
    drive("posedge", this.nextPosedge, this.nextNegedge, this.high, true);
    drive("negedge", this.nextNegedge, this.nextPosedge, this.low, false);
  }
}
