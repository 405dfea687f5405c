/** Hierarchical names of one simulation (IEEE 1666-2011 clause 5.17): unique, dot-separated, looked up by full name. */
import type { Event } from "./event.js";
import type { ScObject } from "./object.js";
import { message, Severity, type Reports } from "./report.js";

/** Makes `base`, then `base_1`, ... within one parent; `preserveFirst` leaves the first one bare, else it is `base_0`. */
export class NameGenerator {
  private readonly counts = new Map<string, number>();

  next(base: string, preserveFirst = false): string {
    const count = this.counts.get(base);
    this.counts.set(base, count === undefined ? 0 : count + 1);
    if (count === undefined) return preserveFirst ? base : `${base}_0`;
    return `${base}_${count + 1}`;
  }
}

export class NameTable {
  readonly topObjects: ScObject[] = [];
  readonly topEvents: Event[] = [];
  readonly generator = new NameGenerator();
  private readonly objects = new Map<string, ScObject>();
  private readonly events = new Map<string, Event>();
  private readonly reports: Reports;

  constructor(reports: Reports) {
    this.reports = reports;
  }

  /** Full name for a leaf under a parent; a name that exists already gets a number and a warning. */
  create(parent: ScObject | undefined, leaf: string): string {
    const prefix = parent === undefined ? "" : `${parent.name}.`;
    const wanted = prefix + leaf;
    let name = wanted;
    for (let base = leaf; this.exists(name); name = prefix + base) {
      base = (parent?.nameGenerator ?? this.generator).next(base);
    }
    if (name !== wanted) {
      const text = `${wanted}. Latter declaration will be renamed to ${name}`;
      this.reports.report(Severity.Warning, message.INSTANCE_EXISTS, text);
    }
    return name;
  }

  exists(name: string): boolean {
    return this.objects.has(name) || this.events.has(name);
  }
  addObject(object: ScObject): void {
    this.objects.set(object.name, object);
  }
  removeObject(object: ScObject): void {
    this.objects.delete(object.name);
  }
  addEvent(event: Event): void {
    this.events.set(event.name, event);
  }
  findObject(name: string): ScObject | undefined {
    return this.objects.get(name);
  }
  findEvent(name: string): Event | undefined {
    return this.events.get(name);
  }
}
