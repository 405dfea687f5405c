/** Signals with several drivers (IEEE 1666-2011 clauses 6.15-6.22: sc_signal_resolved, sc_signal_rv and their ports). */
import type { Parent } from "./context.js";
import { LogicVector, resolveLogic, type Logic } from "./logic.js";
import type { Process } from "./process.js";
import { message, Severity } from "./report.js";
import { In, InOut } from "./signal-ports.js";
import { Signal } from "./signal.js";

/** Keeps what every process drives; the value is what comes of all of them. */
abstract class MultipleDrivers<T> extends Signal<T> {
  private readonly drivers: (Process | null)[] = [];
  protected readonly driven: T[] = [];

  /** A driver keeps its value until it writes another; Z takes it off the wire. */
  override write(value: T): void {
    const at = this.drivers.indexOf(this.context.running);
    if (at >= 0 && this.same(this.driven[at]!, value)) return;
    if (at >= 0) this.driven[at] = value;
    else {
      this.drivers.push(this.context.running);
      this.driven.push(value);
    }
    this.requestUpdate();
  }
  override update(): void {
    this.next = this.resolve();
    super.update();
  }
  protected abstract same(a: T, b: T): boolean;
  protected abstract resolve(): T;
}

export class ResolvedSignal extends MultipleDrivers<Logic> {
  constructor(parent: Parent, leaf?: string) {
    super(parent, leaf, "X", "many", "signal_resolved");
  }
  override get kind(): string {
    return "sc_signal_resolved";
  }
  protected same(a: Logic, b: Logic): boolean {
    return a === b;
  }
  protected resolve(): Logic {
    return resolveLogic(this.driven);
  }
}

/** The same for vectors, bit by bit. */
export class ResolvedVectorSignal extends MultipleDrivers<LogicVector> {
  private readonly width: number;
  constructor(parent: Parent, leaf: string | undefined, width: number) {
    super(parent, leaf, new LogicVector(width), "many", "signal_rv");
    this.width = width;
  }
  override get kind(): string {
    return "sc_signal_rv";
  }
  protected same(a: LogicVector, b: LogicVector): boolean {
    return a.equals(b);
  }
  protected resolve(): LogicVector {
    const texts = this.driven.map(String);
    const bits = Array.from({ length: this.width }, (_, index) =>
      resolveLogic(texts.map((text) => text[index] as Logic)),
    );
    return new LogicVector(this.width, bits.join(""));
  }
}

/** A port that must lead to a resolved signal. */
export class ResolvedIn extends In<Logic> {
  override get kind(): string {
    return "sc_in_resolved";
  }
  override endOfElaboration(): void {
    super.endOfElaboration();
    requireResolved(this);
  }
}
export class ResolvedInOut extends InOut<Logic> {
  override get kind(): string {
    return "sc_inout_resolved";
  }
  override endOfElaboration(): void {
    super.endOfElaboration();
    requireResolved(this);
  }
}
export class ResolvedOut extends ResolvedInOut {
  override get kind(): string {
    return "sc_out_resolved";
  }
}

function requireResolved(port: In<Logic> | InOut<Logic>): void {
  if (port.channel instanceof ResolvedSignal) return;
  const text = `port '${port.name}' (${port.kind})`;
  port.context.reports.report(Severity.Error, message.RESOLVED_PORT_NOT_BOUND, text, port.boundAt);
}
