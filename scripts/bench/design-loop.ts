/**
 * The design loop: from an edit in the design's source to a new profile of MobileNetV1 on the board. Beside it a SystemC model of an
 * array of the same size, rebuilt and run natively for as many clocks (the array alone: no buffers, no memory, no network and
 * so no profile), and the synthesis of the edited design. Everything happens in a copy of the project.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { TandemError } from "../../hw/errors.js";
import type { Report } from "../../host/report/report.js";
import { hasCommand } from "../../sim/systemc-wasm/commands.js";
import { figure, row, type Benchmark, type BenchOptions, type Figure, type Row } from "./harness.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const MODEL = "mobilenet_v1_1.0_224_uint8.tflite";
/** A constant of the design: how far the collector may be behind the walker. */
const EDIT = { file: "designs/gemm/accelerator.ts", before: "depth: config.resultTiles + ", from: 4 };
/** A constant of the SystemC model: products deep. */
const SYSTEMC_EDIT = { before: "DEPTH = ", from: 64 };
/** Synthesis is given up after so many minutes. */
const SYNTHESIS_MINUTES = 60;

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

const seconds = (work: () => void): number => {
  const start = performance.now();
  work();
  return (performance.now() - start) / 1000;
};

function* loop({ runs, say }: BenchOptions, copy: string, model: string): Generator<Row> {
  const tsc = (): void =>
    void execFileSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", "."], { cwd: copy });
  const json = join(copy, "profile.json");
  const profile = (): Report => {
    const main = join(copy, "dist/host/cli/main.js");
    const args = [main, "run", model, "--platform", "pynq-z1", "--json", json, "--cache", join(copy, "cache")];
    execFileSync(process.execPath, args, { stdio: "ignore" });
    return JSON.parse(readFileSync(json, "utf8")) as Report;
  };
  say("  once without an edit, so that everything is as in the middle of the work");
  tsc();
  let clocks = profile().clocks.total;
  const [compile, run, total]: [number[], number[], number[]] = [[], [], []];
  for (let i = 1; i <= runs; i++) {
    edit(join(copy, EDIT.file), EDIT.before, EDIT.from + i - 1, EDIT.from + i);
    const compiled = seconds(tsc);
    const profiled = seconds(() => (clocks = profile().clocks.total));
    compile.push(compiled);
    run.push(profiled);
    total.push(compiled + profiled);
  }
  const native = systemc(runs, copy, clocks);
  const [build, simulate, both] = native ?? [null, null, null];
  const absent = native ? "SystemC: g++ -O2" : "g++ or libsystemc-dev is not installed";
  yield row("edit to binary", "s", figure(compile), build, `ours: tsc, type check included; ${absent}`);
  const amount = `${clocks.toLocaleString("en-US")} clocks`;
  yield row(
    "simulation",
    "s",
    figure(run),
    simulate,
    `ours: the network and its profile; SystemC: the bare array; ${amount}`,
  );
  yield row("edit to profile", "s", figure(total), both, "SystemC gives no profile: its array's clocks only");
  say(`  synthesis of the edited design, at most ${SYNTHESIS_MINUTES} minutes`);
  const synthesis = synthesise(copy);
  yield row("edit to profile, beside synthesis", "s", figure(total), figure([synthesis.seconds]), synthesis.note);
}

/** Change a number that stands behind a text. */
function edit(file: string, before: string, from: number, to: number): void {
  const text = readFileSync(file, "utf8");
  const parts = text.split(`${before}${from}`);
  if (parts.length !== 2)
    throw new TandemError(`${file}: "${before}${from}" stands there ${parts.length - 1} times; expected once`);
  writeFileSync(file, parts.join(`${before}${to}`));
}

/** Seconds to rebuild, to run `clocks` clocks, and both; undefined where SystemC is not installed. */
function systemc(runs: number, copy: string, clocks: number): [Figure, Figure, Figure] | undefined {
  if (!hasCommand("g++") || !existsSync("/usr/include/systemc")) return undefined;
  const source = join(copy, "scripts/bench/systemc/models.cpp");
  const program = join(copy, "models");
  const [build, simulate, both]: [number[], number[], number[]] = [[], [], []];
  for (let i = 1; i <= runs; i++) {
    edit(source, SYSTEMC_EDIT.before, SYSTEMC_EDIT.from + i - 1, SYSTEMC_EDIT.from + i);
    const built = seconds(() => execFileSync("g++", ["-std=c++17", "-O2", source, "-lsystemc", "-o", program]));
    const ran = seconds(() => execFileSync(program, ["array_16x16", String(clocks)], { stdio: "ignore" }));
    build.push(built);
    simulate.push(ran);
    both.push(built + ran);
  }
  return [figure(build), figure(simulate), figure(both)];
}

function synthesise(copy: string): { seconds: number; note: string } {
  const main = join(copy, "dist/host/cli/main.js");
  let failed = "";
  const time = seconds(() => {
    const { status, stderr } = spawnSync(process.execPath, [main, "synth", "systolic"], {
      cwd: copy,
      encoding: "utf8",
      stdio: ["ignore", "ignore", "pipe"],
      timeout: SYNTHESIS_MINUTES * 60_000,
    });
    if (status === null) failed = `given up after ${SYNTHESIS_MINUTES} minutes: it takes longer`;
    else if (status !== 0) throw new TandemError(`tandem synth failed: ${stderr.slice(0, 400)}`);
  });
  return { seconds: time, note: failed === "" ? "peer: tandem synth systolic, nothing in its cache" : failed };
}
