/** Runs other programs; what they say on failure becomes part of the error. */
import { spawn, spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { TandemError } from "../../hw/errors.js";

export function hasCommand(command: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${command}`], { stdio: "ignore" }).status === 0;
}

export interface RunOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Return standard output; it is dropped otherwise. */
  readonly capture?: boolean;
}

export function run(command: string, args: readonly string[], options: RunOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...args], {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const out: Buffer[] = [];
    let messages = "";
    child.stdout.on("data", (data: Buffer) => {
      if (options.capture === true) out.push(data);
      else messages += data.toString();
    });
    child.stderr.on("data", (data: Buffer) => (messages += data.toString()));
    child.on("error", (error) => reject(failed(command, error.message)));
    child.on("close", (code) => {
      if (code === 0) resolve(Buffer.concat(out).toString());
      else reject(failed(command, `exit code ${code ?? "none"}\n${messages.slice(-4000)}`));
    });
  });
}

function failed(command: string, how: string): TandemError {
  return new TandemError(`${command} failed: ${how}`, { hint: "The compiler's own message is above." });
}

/** The same command with many argument lists, a few at a time. */
export async function runAll(
  command: string,
  jobs: readonly (readonly string[])[],
  options: RunOptions,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < jobs.length) await run(command, jobs[next++]!, options);
  };
  const workers = Math.min(Math.max(1, availableParallelism()), 4, jobs.length);
  await Promise.all(Array.from({ length: workers }, worker));
}
