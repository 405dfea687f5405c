/** Builds the C++ side of the tests, native and for WebAssembly, once; cached by content. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { hasCommand, run, runAll } from "../../sim/systemc-wasm/commands.js";
import { buildProgram, missingTools, packageRoot, type ProgramArtefact } from "../../sim/systemc-wasm/toolchain.js";

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

/** An executable linked with Debian's libsystemc. */
export async function nativeProgram(name: string, sources: readonly string[], flags = ["-O1"]): Promise<string> {
  const options = ["-std=c++17", "-Wall", "-Wextra", ...flags];
  const hash = createHash("sha256").update(options.join());
  for (const file of [...sources, ...headers]) hash.update(readFileSync(file)).update("\0");
  const cache = join(packageRoot(), ".cache/systemc-native");
  const program = join(cache, `${name}-${hash.digest("hex").slice(0, 16)}`);
  if (existsSync(program)) return program;
  const work = join(cache, `work-${name}-${process.pid}`);
  mkdirSync(work, { recursive: true });
  try {
    const jobs = sources.map((file, index) => ["-c", ...options, file, "-o", join(work, `${index}.o`)]);
    await runAll("g++", jobs, { cwd: work });
    await run("g++", [...jobs.map((_, index) => `${index}.o`), "-lsystemc", "-o", "program"], { cwd: work });
    renameSync(join(work, "program"), program);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return program;
}

export const nativePairs = (): Promise<string> =>
  nativeProgram("pairs", [...common, join(folder, "native/main.cpp"), ...pairSources]);

export const wasmPairs = (): Promise<ProgramArtefact> =>
  buildProgram({
    name: "pairs",
    sources: [...common, join(folder, "native/wasm.cpp"), ...pairSources],
    headers,
    exports: ["tandem_run_program", "tandem_run_network"],
  });
