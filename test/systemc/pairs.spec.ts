/**
 * Every rule of the standard that a modeller can see, as a program in TypeScript and its twin in C++: the traces of our
 * scheduler, of Accellera's library natively, and of the same library in WebAssembly are equal, byte for byte.
 */
import { expect } from "chai";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SystemCInstance, type ProgramImage } from "../../sim/systemc-wasm/instance.js";
import { loadProgram } from "../../sim/systemc-wasm/node-loader.js";
import { nativeMissing, nativePairs, wasmMissing, wasmPairs } from "./builds.js";
import { channels } from "./pairs/channels.js";
import { clocks } from "./pairs/clocks.js";
import { control } from "./pairs/control.js";
import { datatypes } from "./pairs/datatypes.js";
import { events } from "./pairs/events.js";
import { examples } from "./pairs/examples.js";
import { logic } from "./pairs/logic.js";
import { runProgram, type Program } from "./pairs/program.js";
import { signals } from "./pairs/signals.js";
import { tracing } from "./pairs/tracing.js";
import { simulation } from "./pairs/simulation.js";
import { waits } from "./pairs/waits.js";

const topics: Record<string, Record<string, Program>> = {
  events,
  waits,
  signals,
  channels,
  clocks,
  control,
  simulation,
  datatypes,
  logic,
  tracing,
  examples,
};

async function runInWasm(image: ProgramImage, name: string): Promise<string> {
  const instance = await SystemCInstance.create(image);
  return instance.withText(name, (pointer) => instance.text(instance.call("tandem_run_program", pointer)));
}

describe("SystemC semantics: the same programs in TypeScript and C++", function () {
  this.timeout(1_200_000);

  describe("against Accellera's library, natively", () => {
    let native = "";
    /** Programs that trace write a file where they are. */
    let folder = "";
    before(async function () {
      const missing = nativeMissing();
      if (missing !== null) {
        console.log(`      skipped: ${missing}`);
        this.skip();
      }
      native = await nativePairs();
      folder = mkdtempSync(join(tmpdir(), "tandem-"));
    });
    after(() => {
      if (folder !== "") rmSync(folder, { recursive: true, force: true });
    });
    const run = (...names: string[]): string =>
      execFileSync(native, names, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    it("knows exactly the programs that we have in TypeScript", () => {
      expect(run().trim().split("\n").sort()).to.deep.equal(Object.values(topics).flatMap(Object.keys).sort());
    });
    for (const [topic, programs] of Object.entries(topics)) {
      describe(topic, () => {
        for (const [name, program] of Object.entries(programs)) {
          it(name, () => {
            const theirs = run(name);
            expect(theirs).to.match(/\S/);
            expect(runProgram(program)).to.equal(theirs);
          });
        }
      });
    }
  });

  describe("against the same library in WebAssembly", () => {
    let image: ProgramImage;
    before(async function () {
      const missing = wasmMissing();
      if (missing !== null) {
        console.log(`      skipped: ${missing}`);
        this.skip();
      }
      image = await loadProgram(await wasmPairs());
    });
    for (const [topic, programs] of Object.entries(topics)) {
      it(`${topic}: ${Object.keys(programs).length} programs`, async () => {
        for (const [name, program] of Object.entries(programs)) {
          expect(runProgram(program), name).to.equal(await runInWasm(image, name));
        }
      });
    }
  });
});
