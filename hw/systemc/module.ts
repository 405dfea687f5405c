/** Modules and their processes (IEEE 1666-2011 clauses 5.2-5.5), and processes spawned at run time (clause 5.5). */
import { currentContext, type Parent } from "./context.js";
import { ScObject } from "./object.js";
import { Port } from "./port.js";
import type { Process, ProcessBody, ResetSource, Sensitivity, ThreadBody } from "./process.js";
import { message, Severity } from "./report.js";
import type { SignalIn } from "./signal.js";
import type { ProcessKind } from "./waiter.js";

/** What can reset a process: a boolean signal, or a port that will lead to one. */
export type ResetInput = ResetSource | Port<SignalIn<boolean>>;

/** A process while it is being declared. */
export class ProcessDeclaration {
  readonly process: Process;
  constructor(process: Process) {
    this.process = process;
  }

  /** Adds to the static sensitivity. */
  sensitive(...what: readonly Sensitivity[]): this {
    if (this.process.context.isRunning && !this.process.dynamic) {
      this.process.context.reports.report(Severity.Error, message.MAKE_SENSITIVE, "simulation running");
    }
    for (const item of what) item.makeSensitive(this.process);
    return this;
  }
  dontInitialize(): this {
    this.process.dontInitialize();
    return this;
  }
  /** Restarts the process whenever it would resume while the signal is at `level`. */
  resetSignalIs(signal: ResetInput, level: boolean): this {
    return this.addReset(signal, level, false);
  }
  /** Restarts the process at once when the signal reaches `level`. */
  asyncResetSignalIs(signal: ResetInput, level: boolean): this {
    return this.addReset(signal, level, true);
  }
  private addReset(signal: ResetInput, level: boolean, async: boolean): this {
    const target = { process: this.process, async, level };
    this.process.hasResetSignal = true;
    if (!(signal instanceof Port)) signal.addReset(target);
    else if (this.process.context.elaborated) signal.channel.addReset(target);
    else this.process.context.deferReset(() => signal.channel.addReset(target));
    return this;
  }
}

export abstract class Module extends ScObject {
  /** `parent` is the module above, or the simulation. */
  constructor(parent: Parent, name: string) {
    super(parent, name, "module");
    if (this.context.elaborated) this.context.reports.report(Severity.Error, message.INSERT_MODULE, "elaboration done");
    this.context.insertModule(this);
  }
  get kind(): string {
    return "sc_module";
  }

  /** A process that runs to its end at each trigger. Named after the function unless a name is given. */
  protected method(body: () => void, name = body.name): ProcessDeclaration {
    return this.declare("method", body, name, message.MODULE_METHOD_AFTER_START);
  }
  /** A process with its own flow of control: a generator that yields its waits. */
  protected thread(body: ThreadBody, name = body.name): ProcessDeclaration {
    return this.declare("thread", body, name, message.MODULE_THREAD_AFTER_START);
  }
  /** A thread that is sensitive to one edge of a clock, `clk.pos()`, and does not run before the first. */
  protected cthread(body: ThreadBody, edge: Sensitivity, name = body.name): ProcessDeclaration {
    return this.declare("cthread", body, name, message.MODULE_THREAD_AFTER_START).sensitive(edge);
  }
  private declare(
    kind: ProcessKind,
    body: ProcessBody,
    name: string,
    late: readonly [number, string],
  ): ProcessDeclaration {
    if (this.context.isRunning) this.context.reports.report(Severity.Error, late, this.name);
    return new ProcessDeclaration(
      this.context.createProcess(kind, this, name.replace(/^bound /, ""), body.bind(this), this.context.elaborated),
    );
  }
}

export interface SpawnOptions {
  readonly method?: boolean;
  readonly dontInitialize?: boolean;
  readonly sensitive?: readonly Sensitivity[];
  readonly resetSignals?: readonly { signal: ResetInput; level: boolean; async?: boolean }[];
  /** Where the process belongs; default: the running process, or the top level. */
  readonly parent?: Parent;
}

/** Makes a process, before or during simulation. It belongs to the process that spawned it. */
export function spawn(body: ProcessBody, name = "", options: SpawnOptions = {}): Process {
  const context = currentContext();
  const kind = options.method === true ? "method" : "thread";
  const parent = options.parent ?? context.running ?? context;
  const settle = (process: Process): void => {
    const declaration = new ProcessDeclaration(process);
    for (const item of options.sensitive ?? []) item.makeSensitive(process);
    for (const { signal, level, async } of options.resetSignals ?? []) {
      if (async === true) declaration.asyncResetSignalIs(signal, level);
      else declaration.resetSignalIs(signal, level);
    }
    if (options.dontInitialize === true) process.dontInitialize();
  };
  return context.createProcess(kind, parent, name, body, context.elaborated, settle);
}

/** The process that is executing. */
export function currentProcess(): Process | null {
  return currentContext().running;
}
