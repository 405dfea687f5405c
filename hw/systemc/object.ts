/** The base of everything with a hierarchical name (IEEE 1666-2011 clause 5.16, sc_object). */
import { Context, currentContext, type Parent } from "./context.js";
import type { Event } from "./event.js";
import { NameGenerator } from "./names.js";
import { message, Severity } from "./report.js";

export abstract class ScObject {
  /** Full hierarchical name. */
  readonly name: string;
  readonly context: Context;
  /** The object above, or undefined at the top. */
  parentObject: ScObject | undefined;
  readonly childObjects: ScObject[] = [];
  readonly childEvents: Event[] = [];
  /** Whatever the user wants to attach, by name. */
  readonly attributes = new Map<string, unknown>();
  private names: NameGenerator | undefined;
  /** The class as SystemC names it: `sc_signal`, `sc_fifo`, ... */
  abstract get kind(): string;

  /** `leaf` is the last part of the name; blanks and dots in it become underscores, with a warning. */
  constructor(parent: Parent, leaf: string | undefined, defaultLeaf = "object") {
    this.context = parent instanceof Context ? parent : parent.context;
    this.parentObject = parent instanceof Context ? undefined : parent;
    const table = this.context.names;
    let base = leaf ?? "";
    if (base === "") base = (this.parentObject?.nameGenerator ?? table.generator).next(defaultLeaf);
    if (/[.\s]/.test(base)) {
      const clean = base.replace(/[.\s]/g, "_");
      this.context.reports.report(Severity.Warning, message.ILLEGAL_CHARACTERS, `${base} substituted by ${clean}`);
      base = clean;
    }
    this.name = table.create(this.parentObject, base);
    table.addObject(this);
    (this.parentObject?.childObjects ?? table.topObjects).push(this);
  }

  get nameGenerator(): NameGenerator {
    return (this.names ??= new NameGenerator());
  }

  /** Last part of the name. */
  get basename(): string {
    return this.name.slice(this.name.lastIndexOf(".") + 1);
  }

  /** Called at the end of elaboration, the start and the end of simulation; override what is needed. */
  beforeEndOfElaboration(): void {
    // Nothing by default.
  }
  endOfElaboration(): void {
    // Nothing by default.
  }
  startOfSimulation(): void {
    // Nothing by default.
  }
  endOfSimulation(): void {
    // Nothing by default.
  }
}

/** The object of that full name, or undefined. */
export function findObject(name: string): ScObject | undefined {
  return currentContext().names.findObject(name);
}
export function findEvent(name: string): Event | undefined {
  return currentContext().names.findEvent(name);
}
export function topLevelObjects(): readonly ScObject[] {
  return currentContext().names.topObjects;
}
export function topLevelEvents(): readonly Event[] {
  return currentContext().names.topEvents;
}
/** True if an object or event of that full name exists. */
export function hierarchicalNameExists(name: string): boolean {
  return currentContext().names.exists(name);
}
