/** The TypeScript side of the pairs: programs by name; each writes a trace with time and delta count. */
import { composeReport, ReportError, setCurrentContext, Simulation } from "../../../sim/systemc/index.js";
import { Action } from "../../../hw/systemc/report.js";
import { spawn, type Process, type Sensitivity, type ThreadBody } from "../../../sim/systemc/index.js";

/** Writes one line of the trace: time, delta count, then the parts; booleans as 0 and 1, as C++ does. */
export type Say = (...parts: unknown[]) => void;
export type Program = (sim: Simulation, say: Say, write: (text: string) => void) => void;

export function runProgram(program: Program): string {
  let text = "";
  const sim = new Simulation();
  setCurrentContext(sim);
  sim.reports.terse = true;
  sim.reports.handler = (report, actions) => {
    if (actions & Action.Display) text += `${composeReport(report, false)}\n`;
    sim.reports.perform(report, actions & ~(Action.Display | Action.Log));
  };
  const say: Say = (...parts) => {
    const line = parts.map((part) => (typeof part === "boolean" ? String(Number(part)) : String(part))).join("");
    text += `${sim.timeStamp.toString()} +${sim.deltaCount} ${line}\n`;
  };
  try {
    program(sim, say, (more) => void (text += more));
  } catch (error) {
    if (!(error instanceof ReportError)) throw error;
    const { type, text: detail } = error.report;
    text += `caught ${type[1]}${detail === "" ? "" : `: ${detail}`}\n`;
  }
  return text;
}

/** A method with static sensitivity. */
export function method(name: string, body: () => void, on: readonly Sensitivity[] = [], initialize = true): Process {
  return spawn(body, name, { method: true, sensitive: on, dontInitialize: !initialize });
}
/** A thread with static sensitivity. */
export function thread(name: string, body: ThreadBody, on: readonly Sensitivity[] = [], initialize = true): Process {
  return spawn(body, name, { sensitive: on, dontInitialize: !initialize });
}
