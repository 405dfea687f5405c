/**
 * How fast the fast engine simulates (issue: one run, medians): the systolic design over whole networks, against the faster of two
 * models under Verilator (its own generated Verilog, equal clock for clock; a hand-written array of the same size, with
 * nothing around it) and against the engine's SIMD micro-kernel alone; elaboration and compilation, cached or not; and the networks again
 * under Node 24.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { systolic } from "../../designs/systolic/index.js";
import { FastSimulator } from "../../driver/transport/fast-simulator.js";
import { makeFolders } from "../../sim/folders.js";
import { BLOCK, emitProduct } from "../../sim/fast/product-kernel.js";
import { Code, WasmModule } from "../../sim/fast/wasm.js";
import { generatedVerilog } from "./generated.js";
import { figure, measure, row, type Benchmark, type BenchOptions, type Row } from "./harness.js";
import { networkRows, type Peers } from "./networks.js";
import { stationaryRow } from "./stationary.js";
import { verilator } from "./verilog.js";

const SIZE = 16;
const ARRAY_CLOCKS = 1_000_000;
const main = fileURLToPath(new URL("./main.js", import.meta.url));
/** Set where this benchmark runs under another Node, for its networks only. */
const NETWORKS_ONLY = "TANDEM_BENCH_NETWORKS_ONLY";

export const benchmark: Benchmark = {
  title: "Simulation speed of the fast engine",
  async *run(options) {
    const kernel = microKernel();
    const products = figure(Array.from({ length: options.runs }, kernel));
    yield row("micro-kernel alone, 16 x 16 x 256", "GMAC/s", products, null, "operands packed already");
    if (process.env[NETWORKS_ONLY] !== undefined) {
      yield* networkRows(options, { products, kernel });
      return;
    }
    yield await stationaryRow(options, products);
    yield* compilation(options);
    let fastest: Peers["verilator"];
    for await (const [peer, shown] of verilatorModels(options)) {
      yield shown;
      if (!fastest || peer.speed.median > fastest.speed.median) fastest = peer;
    }
    yield* networkRows(options, { products, kernel, verilator: fastest });
    yield* underNode24(options);
  },
};

async function* compilation(options: BenchOptions): AsyncGenerator<Row> {
  const folder = mkdtempSync(join(tmpdir(), "tandem-bench-"));
  try {
    const open = async (cache: string | false): Promise<number> => {
      const start = performance.now();
      await FastSimulator.of(systolic, {}, { cache });
      return (performance.now() - start) / 1000;
    };
    const name = "systolic 16 x 16: elaborate, read, compile";
    yield row(`${name}, first in the process`, "s", figure([await open(false)]), null, "loading the compiler included");
    yield row(name, "s", await measure(options, () => open(false)), null, "");
    yield row(
      `${name}, cached`,
      "s",
      await measure(options, () => open(folder), 1),
      null,
      "elaborated, found by content",
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The engine's inner product on operands that are packed already: GMAC/s of one run of some 25 ms. */
function microKernel(): () => number {
  const [blocks, size, times] = [32, 16, 20_000];
  const module = new WasmModule();
  const code = new Code(["i32"]);
  const n = code.local("i32");
  const loop = code.loop();
  code.i32(blocks).set(n);
  const panel = { count: size, padded: size };
  emitProduct(code, { ...panel, panel: 4096 }, { ...panel, panel: 32_768 }, 1024, n);
  code.get(0).i32(1).op("i32.sub").tee(0).brIf(loop);
  code.end();
  module.exportFunction("run", module.add("run", code));
  const memory = new WebAssembly.Memory({ initial: 1 });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.encode(1)), { env: { memory } });
  const run = instance.exports["run"] as (times: number) => void;
  run(times);
  return () => {
    const start = performance.now();
    run(times);
    return (times * blocks * BLOCK * size * size) / (performance.now() - start) / 1e6;
  };
}

/** Both models under Verilator, with their rows. */
async function* verilatorModels(options: BenchOptions): AsyncGenerator<[NonNullable<Peers["verilator"]>, Row]> {
  const array = verilator(SIZE, 64);
  if (!array) {
    options.say("  Verilator is not installed: no peer");
    return;
  }
  try {
    const speeds = Array.from({ length: options.runs }, () => ARRAY_CLOCKS / array.run(ARRAY_CLOCKS).wallSeconds);
    const speed = figure(speeds);
    yield [
      { speed, name: "the hand-written array in Verilator" },
      row("hand-written array in Verilator", "clocks/s", speed, null, `${array.name}; nothing around the array`),
    ];
  } finally {
    array.remove();
  }
  const { speed, layers } = await generatedVerilog(options);
  yield [
    { speed, name: "the generated Verilog in Verilator" },
    row("generated Verilog in Verilator", "clocks/s", speed, null, `bytes and clocks equal to fast: ${layers}`),
  ];
}

/** The networks under the npm package `node` of version 24, installed on demand. */
function* underNode24({ runs, say }: BenchOptions): Generator<Row> {
  const home = resolve(".cache", "node24");
  const node = join(home, "node_modules", ".bin", "node");
  if (!existsSync(node)) {
    makeFolders(home);
    spawnSync("npm", ["install", "--prefix", home, "--no-audit", "--no-fund", "node@24"], { stdio: "ignore" });
  }
  // Where there is no such program, there is no output either, whatever the types say.
  const answer = spawnSync(node, ["--version"], { encoding: "utf8" }) as { stdout?: string | null };
  const version = answer.stdout?.trim() ?? "";
  if (!version.startsWith("v24.")) {
    say("  Node 24 is not to be had from the registry: left out");
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "tandem-bench-"));
  try {
    const json = join(folder, "rows.json");
    execFileSync(node, [main, "sim", "--runs", String(runs), "--json", json], {
      env: { ...process.env, [NETWORKS_ONLY]: "1" },
      stdio: "ignore",
    });
    const { rows } = JSON.parse(readFileSync(json, "utf8")) as { rows: Row[] };
    for (const each of rows) yield { ...each, name: `Node ${version.slice(1)}: ${each.name}` };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
