/** Primitive channels: whatever is updated between delta cycles (IEEE 1666-2011 clause 5.15, sc_prim_channel). */
import type { Parent } from "./context.js";
import { Event } from "./event.js";
import { ScObject } from "./object.js";
import type { Process } from "./process.js";
import { message, Severity } from "./report.js";

export abstract class PrimitiveChannel extends ScObject {
  /** 1 while the channel stands in the list of updates, else 0. */
  updateRequested = 0;

  constructor(parent: Parent, leaf: string | undefined, defaultLeaf: string) {
    super(parent, leaf, defaultLeaf);
    this.context.insertChannel(this);
  }

  /** The event that `sensitive(channel)` means. */
  get defaultEvent(): Event {
    this.context.reports.report(Severity.Warning, message.NO_DEFAULT_EVENT);
    return new Event(this.context, null);
  }

  makeSensitive(process: Process): void {
    process.addStaticEvent(this.defaultEvent);
  }

  /** Has `update` called at the end of this evaluation phase. */
  requestUpdate(): void {
    if (this.updateRequested !== 0) return;
    this.updateRequested = 1;
    this.context.requestUpdate(this);
  }

  /** Called once between evaluation and delta notification; the place to change what others read. */
  abstract update(): void;

  /** A port was bound to this channel; `role` says what it is for. A channel that cannot have it reports an error. */
  registerPort(_port: PortLike, _role: PortRole): void {
    // Any number of ports by default.
  }
}

/** What a port does with its channel. */
export type PortRole = "in" | "out" | "fifo in" | "fifo out" | "other";

export interface PortLike extends ScObject {
  /** `file:line:column` where the port was bound last. */
  readonly boundAt: string;
}
