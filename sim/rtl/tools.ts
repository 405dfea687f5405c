/** The simulators of the system: whether they are there, and how they are run. */
import { spawn, spawnSync } from "node:child_process";
import { TandemError } from "../../hw/errors.js";

export type SimulatorName = "verilator" | "icarus";

const versions = new Map<string, string | undefined>();

/** First line of what the tool says about its version; undefined where it is not installed. */
export function toolVersion(command: string, flag: string): string | undefined {
  if (!versions.has(command)) {
    const { status, stdout } = spawnSync(command, [flag], { encoding: "utf8" });
    versions.set(command, status === 0 ? stdout.split("\n")[0]! : undefined);
  }
  return versions.get(command);
}

export const simulatorVersion = (name: SimulatorName): string | undefined =>
  name === "verilator" ? toolVersion("verilator", "--version") : toolVersion("iverilog", "-V");

export function requireSimulator(name: SimulatorName): string {
  const version = simulatorVersion(name);
  const missing = name === "verilator" && !toolVersion("g++", "--version") ? "g++" : undefined;
  if (version !== undefined && missing === undefined) return version;
  const tool = missing ?? (name === "icarus" ? "iverilog" : name);
  throw new TandemError(`The engine "rtl" needs ${tool}, which is not installed`, {
    hint: `Install it: apt-get install ${tool}, or scripts/setup-debian.sh.`,
  });
}

export interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Run a program to its end; `line` gets every line of standard output as it comes, and then none is kept. */
export function runTool(
  command: string,
  args: readonly string[],
  cwd: string,
  line?: (text: string) => void,
  diagnostic?: (text: string) => void,
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
    const out: string[] = [];
    const err: string[] = [];
    let rest = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      if (!line) {
        out.push(text);
        return;
      }
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const l of lines) line(l);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      diagnostic?.(text);
      if (err.length < 2000) err.push(text);
    });
    child.on("error", reject);
    child.on("close", (status) => {
      if (rest !== "") line?.(rest);
      resolve({ status, stdout: out.join(""), stderr: err.join("") });
    });
  });
}
