/** Elaboration and the callbacks around simulation (IEEE 1666-2011 clauses 4.1 and 4.4). */
import type { PrimitiveChannel } from "../../hw/systemc/channel.js";
import type { Context, Status } from "../../hw/systemc/context.js";
import type { Module } from "../../hw/systemc/module.js";
import type { ScObject } from "../../hw/systemc/object.js";
import type { Export, Port } from "../../hw/systemc/port.js";
import type { Process } from "../../hw/systemc/process.js";
import { message, Severity } from "../../hw/systemc/report.js";

export class Elaboration {
  readonly ports: Port<unknown>[] = [];
  readonly exports: Export<unknown>[] = [];
  readonly channels: PrimitiveChannel[] = [];
  readonly modules: Module[] = [];
  /** Made before simulation, the last one first. */
  readonly processes: Process[] = [];
  /** Resets given as ports, the last one first. */
  readonly resets: (() => void)[] = [];
  endCalled = false;
  private readonly context: Context;

  constructor(context: Context) {
    this.context = context;
  }

  insertPort(port: Port<unknown>): void {
    const why = this.tooLate();
    if (why === undefined) this.ports.push(port);
    else this.context.reports.report(Severity.Error, message.INSERT_PORT, `${why}: port '${port.name}' (${port.kind})`);
  }
  insertChannel(channel: PrimitiveChannel): void {
    const why = this.tooLate();
    if (why === undefined) this.channels.push(channel);
    else this.context.reports.report(Severity.Error, message.INSERT_PRIM_CHANNEL, why);
  }
  private tooLate(): string | undefined {
    if (this.context.isRunning) return "simulation running";
    return this.context.elaborated ? "elaboration done" : undefined;
  }

  /** Calls back until nobody adds anything any more, then binds all ports. */
  elaborate(enter: (stage: Status) => void): void {
    enter("SC_BEFORE_END_OF_ELABORATION");
    const done = [0, 0, 0, 0];
    for (let more = true; more;) {
      more = false;
      this.lists().forEach((list, which) => {
        const from = done[which]!;
        if (list.length > from) more = true;
        // Ports are called last to first, within one round.
        const fresh = which === 0 ? list.slice(from).reverse() : undefined;
        if (fresh !== undefined) {
          for (const object of fresh) object.beforeEndOfElaboration();
          done[which] = from + fresh.length;
        } else for (; done[which]! < list.length; done[which]!++) list[done[which]!]!.beforeEndOfElaboration();
      });
    }
    this.context.elaborated = true;
    enter("SC_END_OF_ELABORATION");
    for (const port of [...this.ports].reverse()) port.completeBinding();
    for (const port of this.exports) port.checkBound();
    this.callBack((object) => object.endOfElaboration());
    for (const resolve of this.resets) resolve();
  }

  start(): void {
    this.callBack((object) => object.startOfSimulation());
  }
  end(): void {
    this.callBack((object) => object.endOfSimulation());
    this.endCalled = true;
  }

  private callBack(call: (object: ScObject) => void): void {
    this.lists().forEach((list, which) => {
      for (const object of which === 0 ? [...list].reverse() : [...list]) call(object);
    });
  }
  private lists(): readonly (readonly ScObject[])[] {
    return [this.ports, this.exports, this.channels, this.modules];
  }
}
