/** The simulators of the system: whether they are there, and how they are run. */
import { spawn, spawnSync } from "node:child_process";
import { TandemError } from "../../hw/errors.js";

export type SimulatorName = "verilator" | "icarus";

const versions = new Map<string, string | undefined>();

/** First line of what the tool says of itself, its version or a setting; undefined where it is not installed. */
export function toolVersion(command: string, flags: string): string | undefined {
  const key = `${command} ${flags}`;
  if (!versions.has(key)) {
    const { status, stdout } = spawnSync(command, flags.split(" "), { encoding: "utf8" });
    versions.set(key, status === 0 ? stdout.split("\n")[0]! : undefined);
  }
  return versions.get(key);
}

export const simulatorVersion = (name: SimulatorName): string | undefined =>
  name === "verilator" ? toolVersion("verilator", "--version") : toolVersion("iverilog", "-V");

/** The version of what is installed. @throws TandemError that names what is missing. */
export function requireSimulator(name: SimulatorName): string {
  const version = simulatorVersion(name);
  const tool = name === "icarus" ? "iverilog" : name;
  const missing = version === undefined ? tool : toolVersion("g++", "--version") === undefined ? "g++" : undefined;
  if (version !== undefined && (missing === undefined || name === "icarus")) return version;
  throw new TandemError(`The engine "rtl" needs ${missing ?? tool}, which is not installed`, {
    hint: `Install it (apt-get install ${missing ?? tool}, or scripts/setup-debian.sh), or use --engine fast, which is equal to it clock for clock.`,
  });
}

export interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** It was ended because it took too long. */
  readonly timedOut: boolean;
}

export interface Watch {
  /** Gets every line of standard output as it comes; then none is kept. */
  readonly line?: (text: string) => void;
  /** Gets standard error as it comes. */
  readonly diagnostic?: (text: string) => void;
  /** Milliseconds after which the program is ended. */
  readonly timeout?: number | undefined;
}

/** Parts of standard error that are kept. */
const KEPT = 2000;

/** Run a program to its end. What `line` throws ends it, and is thrown. */
export function runTool(command: string, args: readonly string[], cwd: string, watch: Watch = {}): Promise<Finished> {
  const { line, diagnostic, timeout } = watch;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
    let timedOut = false;
    const timer = timeout === undefined ? undefined : setTimeout(end, timeout);
    function end(): void {
      timedOut = true;
      child.kill("SIGKILL");
    }
    const out: string[] = [];
    const err: string[] = [];
    let rest = "";
    let failure: Error | undefined;
    const give = (text: string): void => {
      if (failure) return;
      try {
        line!(text);
      } catch (error) {
        failure = error instanceof Error ? error : new Error(String(error));
        child.kill("SIGKILL");
      }
    };
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      if (!line) {
        out.push(text);
        return;
      }
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      lines.forEach(give);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      diagnostic?.(text);
      if (err.length < KEPT) err.push(text);
    });
    child.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on("close", (status) => {
      clearTimeout(timer);
      // A program that was ended may have been in the middle of a line.
      if (rest !== "" && status === 0) give(rest);
      if (failure) reject(failure);
      else resolve({ status, stdout: out.join(""), stderr: err.join(""), timedOut });
    });
  });
}
