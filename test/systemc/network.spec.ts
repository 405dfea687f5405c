/**
 * Random networks of threads, methods, signals, events, FIFOs and clocks, with resets, suspension and kills: our scheduler
 * does step for step what Accellera's library does in WebAssembly.
 *
 * SYSTEMC_SEED=n runs the network of that seed alone.
 */
import { expect } from "chai";
import { SystemCInstance, type ProgramImage } from "../../sim/systemc-wasm/instance.js";
import { loadProgram } from "../../sim/systemc-wasm/node-loader.js";
import { wasmMissing, wasmPairs } from "./builds.js";
import { randomNetwork } from "./network/generator.js";
import { runNetwork } from "./network/interpreter.js";
import { runProgram } from "./pairs/program.js";

const NETWORKS = 2000;

/** Our trace, in the form of the pairs' (reports included). */
function ours(numbers: readonly number[]): string {
  return runProgram((sim, _say, write) => runNetwork(sim, numbers, (line) => write(`${line}\n`)));
}

async function theirs(image: ProgramImage, numbers: readonly number[]): Promise<string> {
  const instance = await SystemCInstance.create(image);
  const bytes = new Uint8Array(Int32Array.from(numbers).buffer);
  return instance.withBytes(bytes, (pointer) => instance.text(instance.call("tandem_run_network", pointer)));
}

/** The first lines that differ, with what led there. */
function difference(a: string, b: string): string {
  const [left, right] = [a.split("\n"), b.split("\n")];
  const at = left.findIndex((line, index) => line !== right[index]);
  const before = left.slice(Math.max(0, at - 5), at).join("\n");
  return `${before}\n--- ours\n${left.slice(at, at + 3).join("\n")}\n--- theirs\n${right.slice(at, at + 3).join("\n")}`;
}

describe("random networks against Accellera's library", function () {
  this.timeout(1_200_000);
  let image: ProgramImage;
  before(async function () {
    const missing = wasmMissing();
    if (missing !== null) {
      console.log(`      skipped: ${missing}`);
      this.skip();
    }
    image = await loadProgram(await wasmPairs());
  });

  it(`agree step for step on ${NETWORKS} seeds`, async () => {
    const only = process.env["SYSTEMC_SEED"];
    const seeds = only === undefined ? Array.from({ length: NETWORKS }, (_, index) => index + 1) : [Number(only)];
    let steps = 0;
    for (const seed of seeds) {
      const numbers = randomNetwork(seed);
      const [mine, reference] = [ours(numbers), await theirs(image, numbers)];
      steps += mine.split("\n").length;
      if (mine !== reference) expect.fail(`SYSTEMC_SEED=${seed}\n${difference(mine, reference)}`);
    }
    if (only === undefined) expect(steps / NETWORKS).to.be.greaterThan(20);
  });
});
