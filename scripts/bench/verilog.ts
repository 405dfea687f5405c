/** Builds and runs verilog/mac_array.v under Verilator and Icarus Verilog, where they are installed. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { TandemError } from "../../hw/errors.js";
import type { ArrayRun } from "./array.js";

/** A built simulation of the array. */
export interface Peer {
  readonly name: string;
  run(clocks: number): ArrayRun;
  remove(): void;
}

/** `dist/scripts/bench` is three folders below the project. */
const sources = fileURLToPath(new URL("../../../scripts/bench/verilog/", import.meta.url));

function versionOf(command: string, flag: string): string | undefined {
  const { status, stdout } = spawnSync(command, [flag], { encoding: "utf8" });
  return status === 0 ? stdout.split("\n")[0]!.trim() : undefined;
}

function build(what: string, command: string, args: readonly string[], cwd: string): void {
  const { status, stderr, stdout } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (status !== 0) throw new TandemError(`${what} could not build the array: ${`${stderr}${stdout}`.slice(0, 400)}`);
}

const numbers = (text: string): number[] => text.trim().split(/\s+/).map(Number);

/** Undefined where Verilator is not installed. */
export function verilator(size: number, depth: number): Peer | undefined {
  const name = versionOf("verilator", "--version");
  if (name === undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "tandem-bench-"));
  build(
    name,
    "verilator",
    [
      ...["--cc", "--exe", "--build", "-O3", "--x-assign", "fast", "--x-initial", "fast", "-Wno-fatal", "-Wno-lint"],
      ...["-CFLAGS", "-O3", "--top-module", "bench", `-GR=${size}`, `-GC=${size}`, `-GDEPTH=${depth}`],
      ...["--Mdir", folder, join(sources, "mac_array.v"), join(sources, "main.cpp")],
    ],
    folder,
  );
  return {
    name: name.replace(/ \d{4}-.*$/, ""),
    run(clocks) {
      const [rows, checksum, seconds, wallSeconds] = numbers(
        execFileSync(join(folder, "Vbench"), [String(clocks)], { encoding: "utf8" }),
      );
      return { rows: rows!, checksum: checksum!, seconds: seconds!, wallSeconds: wallSeconds! };
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}

/** Undefined where Icarus is not installed. Its seconds hold the start of the process, some milliseconds. */
export function icarus(size: number, depth: number): Peer | undefined {
  const name = versionOf("iverilog", "-V");
  if (name === undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "tandem-bench-"));
  const file = join(folder, "bench.vvp");
  const parameters = Object.entries({ R: size, C: size, DEPTH: depth }).map(
    ([key, value]) => `-Picarus.dut.${key}=${value}`,
  );
  build(
    name,
    "iverilog",
    ["-g2005-sv", "-o", file, ...parameters, "-s", "icarus", join(sources, "mac_array.v"), join(sources, "icarus.v")],
    folder,
  );
  return {
    name: name.replace(/ \(.*$/, ""),
    run(clocks) {
      // `times` is POSIX: a line for the shell, a line for its children, each with user and system time as 0m0.00s.
      const began = performance.now();
      const script = `vvp "$1" +clocks=${clocks}; times`;
      const output = execFileSync("sh", ["-c", script, "sh", file], { encoding: "utf8" }).trim().split("\n");
      const wallSeconds = (performance.now() - began) / 1000;
      const [rows, checksum] = numbers(output[0]!);
      const times = [...output.at(-1)!.matchAll(/(\d+)m([\d.]+)s/g)];
      const seconds = times.reduce((sum, [, minutes, rest]) => sum + Number(minutes) * 60 + Number(rest), 0);
      return { rows: rows!, checksum: checksum!, seconds, wallSeconds };
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}
