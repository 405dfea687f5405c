/** Opens NAME.systemc.json in Node: the design in a worker thread, behind the driver's interface. */
import { openEngine } from "../../sim/systemc-wasm/worker-node.js";
import { readUserDesign, type SystemCDesign } from "../../sim/systemc-wasm/user-design.js";
import { SystemCAccelerator } from "./accelerator.js";

/** @throws TandemError if the file is none, or the design does not start. */
export async function openSystemC(file: string): Promise<{ accelerator: SystemCAccelerator; design: SystemCDesign }> {
  const { design, wasm, glue } = readUserDesign(file);
  const engine = await openEngine({ wasm, glue }, design.clockPeriod);
  return { accelerator: new SystemCAccelerator(design, engine), design };
}
