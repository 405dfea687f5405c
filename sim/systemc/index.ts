/** The SystemC simulator: everything of the vocabulary, and the simulation that schedules it. */
export * from "../../hw/systemc/index.js";
export { Simulation, type StarvationPolicy, type StopMode, type Tracer } from "./simulation.js";
