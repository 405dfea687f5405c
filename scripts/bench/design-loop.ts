/**
 * The design loop: from an edit in the design's source to a new profile of MobileNetV1 on the board. Beside it a SystemC model of an
 * array of the same size, rebuilt and run natively for as many clocks (the array alone: no buffers, no memory, no network and
 * so no profile), and the synthesis of the edited design. Everything happens in a copy of the project.
 */
import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { TandemError } from "../../hw/errors.js";
import type { Report } from "../../host/report/report.js";
import { hasCommand } from "../../sim/systemc-wasm/commands.js";
import { figure, row, type Benchmark, type BenchOptions, type Figure, type Row } from "./harness.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const MODEL = "mobilenet_v1_1.0_224_uint8.tflite";
const DESIGN = "designs/systolic/index.ts";
/** A constant of the design: how far the collector may be behind the walker. */
const EDIT = { file: "designs/gemm/accelerator.ts", before: "depth: config.resultTiles + ", from: 4 };
/** A constant of the SystemC model: products deep. */
const SYSTEMC_EDIT = { before: "DEPTH = ", from: 64 };
/** A peer is given up after so many minutes: a run of SystemC, the synthesis. */
const SYSTEMC_MINUTES = 5;
const SYNTHESIS_MINUTES = 20;

export const benchmark: Benchmark = {
  title: "From an edit in a design to a new profile of MobileNetV1, wall time",
  async *run(options) {
    const model = resolve(root, "../shared/models", MODEL);
    if (!existsSync(model)) throw new TandemError(`There is no ${MODEL} in ../shared/models`);
    const copy = copyProject();
    try {
      yield* loop(options, copy, model);
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
    await Promise.resolve();
  },
};

/** Sources, what they were compiled to, and the packages. */
function copyProject(): string {
  const copy = mkdtempSync(join(tmpdir(), "tandem-loop-"));
  for (const name of [
    "hw",
    "sim",
    "driver",
    "host",
    "designs",
    "test",
    "scripts",
    "docs",
    "package.json",
    "tsconfig.json",
  ])
    cpSync(join(root, name), join(copy, name), { recursive: true });
  cpSync(join(root, "dist"), join(copy, "dist"), { recursive: true, preserveTimestamps: true });
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  return copy;
}

const seconds = (work: () => void): number => timed(work).seconds;

function timed<T>(work: () => T): { seconds: number; result: T } {
  const start = performance.now();
  const result = work();
  return { seconds: (performance.now() - start) / 1000, result };
}

function* loop({ runs, say }: BenchOptions, copy: string, model: string): Generator<Row> {
  const json = join(copy, "profile.json");
  // The design as a file: its TypeScript runs as it stands.
  const profile = (): number => {
    const args = ["run", model, "--design", DESIGN, "--platform", "pynq-z1", "--json", json];
    tandem(copy, [...args, "--cache", join(copy, "cache")]);
    return (JSON.parse(readFileSync(json, "utf8")) as Report).clocks.total;
  };
  const typeCheck = (): void =>
    void execFileSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", "."], { cwd: copy });
  say("  once without an edit, so that everything is as in the middle of the work");
  typeCheck();
  let clocks = profile();
  const [profiled, checked]: [number[], number[]] = [[], []];
  for (let i = 1; i <= runs; i++) {
    edit(join(copy, EDIT.file), EDIT.before, EDIT.from + i - 1, EDIT.from + i);
    profiled.push(seconds(() => (clocks = profile())));
    checked.push(seconds(typeCheck));
  }
  say(
    `  SystemC: ${clocks.toLocaleString("en-US")} clocks of the bare array, at most ${SYSTEMC_MINUTES} minutes a run`,
  );
  const native = systemc(runs, copy, clocks);
  yield row(
    "edit to profile",
    "s",
    figure(profiled),
    native.both,
    `tandem run of the network from the design's source; SystemC: ${native.note}`,
  );
  yield row("type check", "s", figure(checked), null, "tsc of the whole project with its tests; not waited for");
  say(`  synthesis of the edited design, at most ${SYNTHESIS_MINUTES} minutes`);
  const synthesis = synthesise(copy);
  yield row("edit to profile, beside synthesis", "s", figure(profiled), synthesis.figure, synthesis.note);
}

/** The command of the copy, in the copy. */
function tandem(copy: string, args: readonly string[], minutes?: number): boolean {
  const { status, stderr } = spawnSync(process.execPath, [join(copy, "dist/host/cli/main.js"), ...args], {
    cwd: copy,
    encoding: "utf8",
    stdio: ["ignore", "ignore", "pipe"],
    ...(minutes === undefined ? {} : { timeout: minutes * 60_000 }),
  });
  if (status !== null && status !== 0) throw new TandemError(`tandem ${args[0]!} failed: ${stderr.slice(0, 400)}`);
  return status === 0;
}

/** Change a number that stands behind a text. */
function edit(file: string, before: string, from: number, to: number): void {
  const text = readFileSync(file, "utf8");
  const parts = text.split(`${before}${from}`);
  if (parts.length !== 2)
    throw new TandemError(`${file}: "${before}${from}" stands there ${parts.length - 1} times; expected once`);
  writeFileSync(file, parts.join(`${before}${to}`));
}

interface SystemC {
  readonly both: Figure | null;
  readonly note: string;
}

/** To rebuild the model after an edit, and to run it for `clocks` clocks as well. */
function systemc(runs: number, copy: string, clocks: number): SystemC {
  if (!hasCommand("g++") || !existsSync("/usr/include/systemc"))
    return { both: null, note: "g++ or libsystemc-dev is not installed" };
  const source = join(copy, "scripts/bench/systemc/models.cpp");
  const program = join(copy, "models");
  const [build, both]: [number[], number[]] = [[], []];
  const built = (): string => `g++ -O2 ${figure(build).median.toFixed(1)} s`;
  for (let i = 1; i <= runs; i++) {
    edit(source, SYSTEMC_EDIT.before, SYSTEMC_EDIT.from + i - 1, SYSTEMC_EDIT.from + i);
    build.push(seconds(() => execFileSync("g++", ["-std=c++17", "-O2", source, "-lsystemc", "-o", program])));
    const options = { stdio: "ignore", timeout: SYSTEMC_MINUTES * 60_000 } as const;
    const ran = timed(() => spawnSync(program, ["array_16x16", String(clocks)], options).status);
    if (ran.result !== null && ran.result !== 0)
      throw new TandemError(`The SystemC model ended with status ${ran.result}`);
    if (ran.result === null)
      return { both: null, note: `${built()}, its run given up after ${SYSTEMC_MINUTES} minutes: it takes longer` };
    both.push(build.at(-1)! + ran.seconds);
  }
  return {
    both: figure(both),
    note: `${built()}, then the bare array for ${clocks.toLocaleString("en-US")} clocks, and no profile`,
  };
}

function synthesise(copy: string): { figure: Figure | null; note: string } {
  const cache = join(copy, ".cache/synth");
  const { seconds: time, result: ended } = timed(() => tandem(copy, ["synth", DESIGN], SYNTHESIS_MINUTES));
  if (ended) return { figure: figure([time]), note: "peer: tandem synth of the same source, nothing in its cache" };
  const mapped = existsSync(cache) ? readdirSync(cache).length : 0;
  return {
    figure: null,
    note: `synthesis was given up after ${SYNTHESIS_MINUTES} minutes, ${mapped} modules mapped: it takes longer`,
  };
}
