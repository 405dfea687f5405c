/**
 * Reports with severity and actions, after IEEE 1666-2011 clause 8.2-8.3 (sc_report, sc_report_handler). The texts and
 * numbers of the predefined reports are those that users of SystemC know from Accellera's library.
 */
import { TandemError } from "../errors.js";

export const Severity = { Info: 0, Warning: 1, Error: 2, Fatal: 3 } as const;
export type Severity = (typeof Severity)[keyof typeof Severity];

/** Actions are bits, to be or-ed. */
export const Action = {
  Unspecified: 0,
  DoNothing: 1,
  Throw: 2,
  Log: 4,
  Display: 8,
  Cache: 16,
  Interrupt: 32,
  Stop: 64,
  Abort: 128,
} as const;

/** Number (-1: none) and text of a kind of report. */
export type MessageType = readonly [id: number, text: string];

export const message = {
  PORT_OUTSIDE_MODULE: [100, "port specified outside of module"],
  CLOCK_PERIOD_ZERO: [101, "sc_clock period is zero"],
  CLOCK_HIGH_TIME_ZERO: [102, "sc_clock high time is zero"],
  CLOCK_LOW_TIME_ZERO: [103, "sc_clock low time is zero"],
  MORE_THAN_ONE_FIFO_READER: [104, "sc_fifo<T> cannot have more than one reader"],
  MORE_THAN_ONE_FIFO_WRITER: [105, "sc_fifo<T> cannot have more than one writer"],
  INVALID_FIFO_SIZE: [106, "sc_fifo<T> must have a size of at least 1"],
  BIND_IF_TO_PORT: [107, "bind interface to port failed"],
  BIND_PORT_TO_PORT: [108, "bind parent port to port failed"],
  COMPLETE_BINDING: [109, "complete binding failed"],
  INSERT_PORT: [110, "insert port failed"],
  GET_IF: [112, "get interface failed"],
  INSERT_PRIM_CHANNEL: [113, "insert primitive channel failed"],
  MORE_THAN_ONE_SIGNAL_DRIVER: [115, "sc_signal<T> cannot have more than one driver"],
  NO_DEFAULT_EVENT: [116, "channel doesn't have a default event"],
  RESOLVED_PORT_NOT_BOUND: [117, "resolved port not bound to resolved signal"],
  FIND_EVENT: [118, "find event failed"],
  INVALID_SEMAPHORE_VALUE: [119, "sc_semaphore requires an initial value >= 0"],
  EXPORT_HAS_NO_INTERFACE: [120, "sc_export instance has no interface"],
  EXPORT_NOT_BOUND: [124, "sc_export instance not bound to interface at end of construction"],
  ATTEMPT_TO_WRITE_TO_CLOCK: [125, "attempt to write the value of an sc_clock instance"],
  EXPORT_ALREADY_BOUND: [126, "sc_export instance already bound"],
  ATTEMPT_TO_BIND_CLOCK_TO_OUTPUT: [128, "attempted to bind sc_clock instance to sc_inout or sc_out"],
  INSTANCE_EXISTS: [505, "object already exists"],
  ILLEGAL_CHARACTERS: [506, "illegal characters"],
  SET_TIME_RESOLUTION: [514, "set time resolution failed"],
  DEFAULT_TIME_UNIT_CHANGED: [516, "default time unit changed to time resolution"],
  WAIT_NOT_ALLOWED: [519, "wait() is only allowed in SC_THREADs and SC_CTHREADs"],
  NEXT_TRIGGER_NOT_ALLOWED: [520, "next_trigger() is only allowed in SC_METHODs"],
  IMMEDIATE_NOTIFICATION: [521, "immediate notification is not allowed during update phase or elaboration"],
  HALT_NOT_ALLOWED: [522, "halt() is only allowed in SC_CTHREADs"],
  DONT_INITIALIZE: [524, "dont_initialize() has no effect for SC_CTHREADs"],
  WAIT_N_INVALID: [525, "wait(n) is only valid for n > 0"],
  MAKE_SENSITIVE: [526, "make sensitive failed"],
  INSERT_MODULE: [529, "insert module failed"],
  NOTIFY_DELAYED: [531, "notify_delayed() cannot be called on events that have pending notifications"],
  IMMEDIATE_SELF_NOTIFICATION: [536, "immediate self-notification ignored as of IEEE 1666-2011"],
  WAIT_DURING_UNWINDING: [537, "wait() not allowed during unwinding"],
  RETHROW_UNWINDING: [539, "sc_unwind_exception not re-thrown during kill/reset"],
  PROCESS_ALREADY_UNWINDING: [540, "kill/reset ignored during unwinding"],
  MODULE_METHOD_AFTER_START: [541, "call to SC_METHOD in sc_module while simulation running"],
  MODULE_THREAD_AFTER_START: [542, "call to SC_THREAD in sc_module while simulation running"],
  SIMULATION_TIME_OVERFLOW: [544, "simulation time value overflow, simulation aborted"],
  SIMULATION_STOP_CALLED_TWICE: [545, "sc_stop has already been called"],
  SIMULATION_START_AFTER_STOP: [546, "sc_start called after sc_stop has been called"],
  STOP_MODE_AFTER_START: [547, "attempt to set sc_stop mode after start will be ignored"],
  SIMULATION_START_AFTER_ERROR: [548, "attempt to restart simulation after error"],
  UNCAUGHT_EXCEPTION: [549, "uncaught exception"],
  SIMULATION_START_UNEXPECTED: [554, "sc_start called unexpectedly"],
  THROW_IT_IGNORED: [556, "throw_it on method/non-running process is being ignored "],
  NOT_EXPECTING_DYNAMIC_EVENT: [557, "dynamic event notification encountered when sensitivity is static"],
  DISABLE_WILL_ORPHAN_PROCESS: [
    558,
    "disable() or dont_initialize() called on process with no static sensitivity, it will be orphaned",
  ],
  PROCESS_CONTROL_CORNER_CASE: [559, "Undefined process control interaction"],
  EVENT_LIST_FAILED: [565, "invalid use of sc_(and|or)_event_list"],
  TIME_CONVERSION_FAILED: [567, "sc_time conversion failed"],
  NO_START_ACTIVITY: [571, "no activity or clock movement for sc_start() invocation"],
  KILL_PROCESS_WHILE_UNINITIALIZED: [572, "a process may not be killed before it is initialized"],
  RESET_PROCESS_WHILE_NOT_RUNNING: [
    573,
    "a process may not be asynchronously reset while the simulation is not running",
  ],
  THROW_IT_WHILE_NOT_RUNNING: [574, "throw_it not allowed unless simulation is running "],
  TRACING_FOPEN_FAILED: [701, "cannot open trace file for writing"],
  TRACING_TIMESCALE_DEFAULT: [702, "default timescale unit used for tracing"],
  TRACING_TIMESCALE_UNIT: [703, "tracing timescale unit set"],
  TRACING_VCD_DELTA_CYCLE: [704, "VCD delta cycle tracing with pseudo timesteps (1 unit)"],
  TRACING_INVALID_TIMESCALE_UNIT: [705, "invalid tracing timescale unit set"],
  TRACING_OBJECT_IGNORED: [710, "object cannot not be traced"],
  TRACING_OBJECT_NAME_FILTERED: [711, "traced object name filtered"],
  TRACING_VCD_TIME_RESOLUTION: [713, "current kernel time is not representable in VCD time units"],
  TRACING_REVERSED_TIME: [714, "tracing cycle with duplicate or reversed time detected"],
  TRACING_CLOSE_EMPTY_FILE: [715, "trace file closed before any cycles were traced, file not written"],
  TRACING_ALREADY_INITIALIZED: [720, "sc_trace_file already initialized"],
  VALUE_NOT_VALID: [204, "value is not valid"],
  CANNOT_CONVERT: [202, "cannot perform conversion"],
  ZERO_LENGTH: [205, "zero length"],
  VECTOR_CONTAINS_LOGIC_VALUE: [206, "vector contains 4-value logic"],
  SC_BV_CANNOT_CONTAIN_X_AND_Z: [207, "sc_bv cannot contain values X and Z"],
  LOGIC_Z_TO_BOOL: [211, "sc_logic value 'Z' cannot be converted to bool"],
  LOGIC_X_TO_BOOL: [212, "sc_logic value 'X' cannot be converted to bool"],
  OUT_OF_BOUNDS: [5, "out of bounds"],
  SIMULATION_STOPPED: [-1, "/OSCI/SystemC"],
} as const satisfies Record<string, MessageType>;

export interface Report {
  readonly severity: Severity;
  readonly type: MessageType;
  readonly text: string;
  /** Simulated time, formatted; of the process that was running, if any. */
  readonly time: string;
  readonly process: string | undefined;
  /** `file:line` of the user's call that was at fault. */
  readonly location: string;
}

const severityNames = ["Info", "Warning", "Error", "Fatal"] as const;

/** As SystemC prints it: severity, number, text, then where. */
export function composeReport(report: Report, withLocation = true): string {
  const { severity, type, text } = report;
  const id = type[0] >= 0 ? `(${"IWEF"[severity] ?? ""}${type[0]}) ` : "";
  let result = `${severityNames[severity]}: ${id}${type[1]}${text === "" ? "" : `: ${text}`}`;
  if (severity > Severity.Info) {
    if (withLocation) result += `\nIn file: ${report.location}`;
    if (report.process !== undefined) result += `\nIn process: ${report.process} @ ${report.time}`;
  }
  return result;
}

/** A report that was thrown; `catch` it as one would an sc_report. */
export class ReportError extends TandemError {
  readonly report: Report;
  constructor(report: Report) {
    super(composeReport(report));
    this.name = "ReportError";
    this.report = report;
  }
}

/** Folders of the kernel, compiled and (with source maps) as sources: their frames are not the user's. */
const kernelFolders = ["hw/systemc/", "sim/systemc/"].flatMap((folder) => {
  const compiled = new URL(`../../${folder}`, import.meta.url).pathname;
  return [compiled, compiled.replace(/\/dist\/(?=(?:hw|sim)\/systemc\/$)/, "/")];
});

/** `file:line:column` of the innermost stack frame outside the kernel: the user's own call. */
export function callSite(trace: string | undefined): string {
  for (const line of (trace ?? "").split("\n").slice(1)) {
    const frame = /\(?((?:file:\/\/)?[^\s()]+:\d+:\d+)\)?$/.exec(line.trim())?.[1]?.replace(/^file:\/\//, "");
    if (frame === undefined || frame.startsWith("node:")) continue;
    if (!kernelFolders.some((folder) => frame.startsWith(folder))) return frame;
  }
  return "unknown";
}

/** What the report handler needs to know of the simulation it serves. */
export interface ReportSource {
  reportTime(): string;
  reportProcess(): string | undefined;
  stop(): void;
}

interface Settings {
  actions: number | undefined;
  readonly bySeverity: Map<Severity, number>;
  count: number;
  readonly countBySeverity: number[];
  limit: number | undefined;
}

const defaultActions: Record<Severity, number> = {
  [Severity.Info]: Action.Log | Action.Display,
  [Severity.Warning]: Action.Log | Action.Display,
  [Severity.Error]: Action.Log | Action.Cache | Action.Throw,
  [Severity.Fatal]: Action.Log | Action.Display | Action.Cache | Action.Abort,
};

/** The report handler of one simulation. */
export class Reports {
  /** Called with every report and its actions; the default prints, stops and throws. */
  handler: (report: Report, actions: number) => void = (report, actions) => this.perform(report, actions);
  /** Where displayed reports go. */
  print: (text: string) => void = (text) => console.log(`\n${text}`);
  /** Where logged reports go; none unless set. */
  log: ((text: string) => void) | undefined;
  /** Keep to the texts of Accellera's library where ours say more. */
  terse = false;
  /** The last report with the action Cache. */
  cached: Report | undefined;
  private readonly source: ReportSource;
  private readonly said = new Set<string>();
  private readonly severityActions = new Map<Severity, number>();
  private readonly severityCounts = [0, 0, 0, 0];
  private readonly severityLimits = new Map<Severity, number>();
  private readonly settings = new Map<string, Settings>();

  constructor(source: ReportSource) {
    this.source = source;
  }

  /** Actions for a severity, for a message text, or for both. Returns nothing; `Action.Unspecified` undoes it. */
  setActions(severity: Severity | undefined, text: string | undefined, actions: number): void {
    if (text === undefined) {
      if (severity !== undefined) this.severityActions.set(severity, actions);
      return;
    }
    const settings = this.of(text);
    if (severity === undefined) settings.actions = actions;
    else settings.bySeverity.set(severity, actions);
  }

  /** Stop the simulation at the n-th report of a severity or message text. */
  stopAfter(what: Severity | string, limit: number): void {
    if (typeof what === "string") this.of(what).limit = limit;
    else this.severityLimits.set(what, limit);
  }

  count(what: Severity | string): number {
    return typeof what === "string" ? this.of(what).count : (this.severityCounts[what] ?? 0);
  }

  /** `location` overrides the innermost user frame: for mistakes that were made at an earlier call. */
  report(severity: Severity, type: MessageType, text = "", location?: string): void {
    const settings = this.of(type[1]);
    settings.count++;
    settings.countBySeverity[severity] = (settings.countBySeverity[severity] ?? 0) + 1;
    const total = (this.severityCounts[severity] ?? 0) + 1;
    this.severityCounts[severity] = total;
    let actions = settings.bySeverity.get(severity) || settings.actions || this.severityActions.get(severity);
    actions = actions === undefined || actions === Action.Unspecified ? defaultActions[severity] : actions;
    const [limit, calls] =
      settings.limit !== undefined ? [settings.limit, settings.count] : [this.severityLimits.get(severity), total];
    if (limit !== undefined && limit > 0 && calls >= limit) actions |= Action.Stop;
    const report: Report = {
      severity,
      type,
      text,
      time: this.source.reportTime(),
      process: this.source.reportProcess(),
      location: location ?? callSite(new Error().stack),
    };
    if (actions & Action.Cache) this.cached = report;
    this.handler(report, actions);
  }

  /** The default handler. */
  perform(report: Report, actions: number): void {
    if (actions & Action.Display) this.print(composeReport(report));
    if (actions & Action.Log) this.log?.(`${report.time}: ${composeReport(report)}`);
    if (actions & Action.Stop) this.source.stop();
    if (actions & (Action.Throw | Action.Abort)) throw new ReportError(report);
  }

  /** Reports this type no more than once in a simulation. */
  once(severity: Severity, type: MessageType, text = ""): void {
    if (this.said.has(type[1])) return;
    this.said.add(type[1]);
    this.report(severity, type, text);
  }

  info(text: string, detail = ""): void {
    this.report(Severity.Info, [-1, text], detail);
  }
  warning(text: string, detail = ""): void {
    this.report(Severity.Warning, [-1, text], detail);
  }
  error(text: string, detail = ""): void {
    this.report(Severity.Error, [-1, text], detail);
  }
  fatal(text: string, detail = ""): void {
    this.report(Severity.Fatal, [-1, text], detail);
  }

  private of(text: string): Settings {
    let settings = this.settings.get(text);
    if (settings === undefined) {
      settings = {
        actions: undefined,
        bySeverity: new Map(),
        count: 0,
        countBySeverity: [0, 0, 0, 0],
        limit: undefined,
      };
      this.settings.set(text, settings);
    }
    return settings;
  }
}
