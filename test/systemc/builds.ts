/** Builds the C++ side of the tests, native and for WebAssembly, once; cached by content. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { hasCommand } from "../../sim/systemc-wasm/commands.js";
import {
  buildNative,
  buildProgram,
  missingTools,
  packageRoot,
  type ProgramArtefact,
} from "../../sim/systemc-wasm/toolchain.js";

const folder = join(packageRoot(), "test/systemc");
const headers = [join(folder, "native/pairs.h")];
const common = ["pairs.cpp", "network.cpp"].map((name) => join(folder, "native", name));
const pairSources = readdirSync(join(folder, "pairs"))
  .filter((name) => name.endsWith(".cpp"))
  .map((name) => join(folder, "pairs", name));

/** Why native SystemC cannot be built here, or null. */
export function nativeMissing(): string | null {
  if (!hasCommand("g++")) return "g++ is not installed";
  return existsSync("/usr/include/systemc") ? null : "libsystemc-dev is not installed";
}

export const wasmMissing = missingTools;

export const nativePairs = (): Promise<string> =>
  buildNative("pairs", [...common, join(folder, "native/main.cpp"), ...pairSources], { headers });

export const wasmPairs = (): Promise<ProgramArtefact> =>
  buildProgram({
    name: "pairs",
    sources: [...common, join(folder, "native/wasm.cpp"), ...pairSources],
    headers,
    exports: ["tandem_run_program", "tandem_run_network"],
  });
