/** The SystemC simulator: everything of the vocabulary, and the simulation that schedules it. */
export * from "../../hw/systemc/index.js";
export { Simulation, type StarvationPolicy, type StopMode } from "./simulation.js";
export { VcdTraceFile } from "./vcd-trace.js";
export type { Traceable, TraceKind } from "./traced.js";
export type { Tracer } from "./scheduler.js";
