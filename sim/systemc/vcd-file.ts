/** A VCD trace of a SystemC simulation as a file on disk (Node only; elsewhere give `VcdTraceFile` a sink). */
import { TextFile } from "../trace/file.js";
import { VcdTraceFile, type TracedSimulation } from "./vcd-trace.js";

/** As sc_create_vcd_trace_file: writes NAME.vcd. @throws TandemError if that cannot be written. */
export function createVcdTraceFile(simulation: TracedSimulation, name: string): VcdTraceFile {
  const file = new TextFile(`${name}.vcd`);
  return new VcdTraceFile(
    simulation,
    name,
    (text) => file.write(text),
    () => file.close(),
  );
}
