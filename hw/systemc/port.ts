/**
 * Ports and exports (IEEE 1666-2011 clauses 5.12-5.14): what a module sees of a channel that is outside of it. Ports
 * are bound to channels, exports or ports of the module above; bindings are completed at the end of elaboration.
 */
import { PrimitiveChannel, type PortLike, type PortRole } from "./channel.js";
import { Context, type Parent } from "./context.js";
import { Event } from "./event.js";
import { ScObject } from "./object.js";
import type { Process } from "./process.js";
import { callSite, message, Severity } from "./report.js";

/** How many channels must be bound. `all`: as many as the port allows. */
export type PortPolicy = "one or more" | "zero or more" | "all";

/** An event that only exists once the port is bound: `clk.pos()` before elaboration ends. */
export class EventFinder<C> {
  readonly port: Port<C>;
  readonly find: (channel: C) => Event;
  constructor(port: Port<C>, find: (channel: C) => Event) {
    this.port = port;
    this.find = find;
  }
  makeSensitive(process: Process): void {
    this.port.makeSensitive(process, this.find);
  }
}

export class Port<C> extends ScObject implements PortLike {
  readonly role: PortRole;
  readonly policy: PortPolicy;
  /** Most channels that may be bound; 0: any number. */
  readonly maximum: number;
  boundAt = "";
  private readonly madeAt: string;
  private readonly channels: C[] = [];
  private bindings: (C | Port<C> | Export<C>)[] = [];
  private readonly sensitive: { process: Process; find: ((channel: C) => Event) | undefined }[] = [];
  private isLeaf = true;
  private complete = false;

  constructor(
    parent: Parent,
    leaf: string | undefined,
    options: { role?: PortRole; maximum?: number; policy?: PortPolicy } = {},
  ) {
    super(parent, leaf, "port");
    this.role = options.role ?? "other";
    this.maximum = options.maximum ?? 1;
    this.policy = options.policy ?? "one or more";
    this.madeAt = callSite(new Error().stack);
    if (parent instanceof Context) {
      this.report(message.PORT_OUTSIDE_MODULE, "");
    }
    this.context.insertPort(this as Port<unknown>);
  }

  get kind(): string {
    return "sc_port";
  }

  /** Binds a channel, an export, or the port of the module above. */
  bind(target: C | Port<C> | Export<C>): this {
    this.boundAt = callSite(new Error().stack);
    const type = target instanceof Port ? message.BIND_PORT_TO_PORT : message.BIND_IF_TO_PORT;
    if (this.context.elaborated) this.report(type, "simulation running");
    else if ((target as unknown) === this) this.report(type, "same port");
    else {
      if (target instanceof Port) target.isLeaf = false;
      this.bindings.push(target);
    }
    return this;
  }

  /** Number of channels bound. */
  get size(): number {
    return this.channels.length;
  }
  /** The i-th channel; an unbound port is an error. */
  get(index = 0): C {
    const channel = this.channels[index] ?? this.early(index);
    if (channel === undefined) {
      this.report(message.GET_IF, this.channels.length === 0 ? "port is not bound" : "index out of range");
      throw new Error("unreachable: errors throw");
    }
    return channel;
  }
  /** What the port leads to. */
  get channel(): C {
    return this.channels[0] ?? this.get();
  }

  /** Before bindings are complete a port already leads to channels that were bound to it directly. */
  private early(index: number): C | undefined {
    const target = this.complete ? undefined : this.bindings[index];
    if (target instanceof Export) return target.channel;
    return target instanceof Port ? undefined : target;
  }

  makeSensitive(process: Process, find?: (channel: C) => Event): void {
    if (this.complete) {
      for (const channel of this.channels) process.addStaticEvent(this.eventOf(channel, find));
    } else this.sensitive.push({ process, find });
  }

  /** Resolves ports of ports, registers with the channels, and gives processes their events. */
  completeBinding(): void {
    if (this.complete) return;
    this.complete = true;
    for (const target of this.bindings) {
      if (target instanceof Port) {
        target.completeBinding();
        this.channels.push(...target.channels);
      } else this.channels.push(target instanceof Export ? target.channel : target);
    }
    this.bindings = [];
    for (const channel of this.channels) {
      if (this.isLeaf && channel instanceof PrimitiveChannel) channel.registerPort(this, this.role);
      for (const isMethod of [true, false]) {
        for (const { process, find } of this.sensitive) {
          if (process.isMethod === isMethod) process.addStaticEvent(this.eventOf(channel, find));
        }
      }
    }
    const bound = this.channels.length;
    const maximum = this.maximum || bound;
    if (bound > maximum) this.report(message.COMPLETE_BINDING, `${bound} binds exceeds maximum of ${maximum} allowed`);
    else if (this.policy === "one or more" && bound < 1) this.report(message.COMPLETE_BINDING, "port not bound");
    else if (this.policy === "all" && (bound < maximum || bound < 1)) {
      this.report(message.COMPLETE_BINDING, `${bound} actual binds is less than required ${maximum}`);
    }
  }

  private eventOf(channel: C, find: ((channel: C) => Event) | undefined): Event {
    if (find !== undefined) return find(channel);
    return (channel as { defaultEvent: Event }).defaultEvent;
  }
  protected report(type: readonly [number, string], text: string): void {
    const detail = `${text === "" ? "" : `${text}: `}port '${this.name}' (${this.kind})`;
    const where = type === message.COMPLETE_BINDING ? this.boundAt || this.madeAt : undefined;
    this.context.reports.report(Severity.Error, type, detail, where);
  }
}

/** Offers a channel of the module's inside to ports outside. */
export class Export<C> extends ScObject {
  private target: C | undefined;
  private readonly madeAt: string;

  constructor(parent: Parent, leaf: string | undefined) {
    super(parent, leaf, "export");
    this.madeAt = callSite(new Error().stack);
    this.context.insertExport(this);
  }
  get kind(): string {
    return "sc_export";
  }
  bind(target: C | Export<C>): this {
    const where = `export '${this.name}' (${this.kind})`;
    if (this.target !== undefined) this.context.reports.report(Severity.Error, message.EXPORT_ALREADY_BOUND, where);
    else this.target = target instanceof Export ? target.channel : target;
    return this;
  }
  get channel(): C {
    if (this.target === undefined) {
      const where = `export '${this.name}' (${this.kind})`;
      this.context.reports.report(Severity.Error, message.EXPORT_HAS_NO_INTERFACE, where);
      throw new Error("unreachable: errors throw");
    }
    return this.target;
  }
  checkBound(): void {
    if (this.target !== undefined) return;
    const where = `export '${this.name}' (${this.kind})`;
    this.context.reports.report(Severity.Error, message.EXPORT_NOT_BOUND, where, this.madeAt);
  }
}
