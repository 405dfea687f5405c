/** Machine code for the processor's kernels (driver/wasm-kernels.ts), as for a compiled design (machine-code.ts). */
import { cacheFolder } from "../../sim/fast/cache.js";
import { kernelBytes, useKernels } from "../wasm-kernels.js";
import { machineCode } from "./machine-code.js";

let well: Promise<void> | undefined;

/** Compiled well from now on, or as soon as it is, where compiled code is kept: elsewhere it takes longer than it saves. */
export const compileWell = (): Promise<void> => (well ??= recompile());

async function recompile(): Promise<void> {
  const folder = cacheFolder(undefined);
  if (folder === undefined) return;
  const wasm = kernelBytes();
  useKernels(wasm, await machineCode(wasm, folder));
}
