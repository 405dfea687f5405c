/**
 * The programs that come with Accellera's SystemC print the same in WebAssembly as natively. They are compiled from the
 * source package as it is. One of them here; `npm run test:systemc` takes all of them (EXAMPLES=NAME,... some).
 */
import { expect } from "chai";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SystemCInstance } from "../../sim/systemc-wasm/instance.js";
import { loadProgram } from "../../sim/systemc-wasm/node-loader.js";
import { nativeMissing, wasmMissing } from "./builds.js";
import { bundledExamples, nameInProgram, nativeExample, wasmExample, type Example } from "./examples.js";

/** A small one with several threads that keep arrays on their stacks; each takes half a minute to compile both ways. */
const SHORT = ["simple_bus"];
/** A folder of 21 of examples/sysc and of 11 of examples/tlm each; `fir` has two, simple_async does not count. */
const ALL = 32;

async function runNative(example: Example): Promise<string> {
  const program = await nativeExample(example);
  const folder = mkdtempSync(join(tmpdir(), "tandem-"));
  try {
    for (const path of example.data) copyFileSync(path, join(folder, nameInProgram(path)));
    return execFileSync(program, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runWasm(example: Example): Promise<string> {
  const instance = await SystemCInstance.create(await loadProgram(await wasmExample(example)));
  for (const path of example.data) instance.writeFile(nameInProgram(path), readFileSync(path));
  instance.call("tandem_run_example");
  return instance.standardOutput.join("\n");
}

/** Where a report was made is the path of the library's sources, which differs by build. */
const comparable = (text: string): string => text.replace(/^In file: .*$/gm, "In file").trimEnd();

describe("programs of Accellera's source package, natively and in WebAssembly", function () {
  this.timeout(1_200_000);
  const chosen = process.env["EXAMPLES"] ?? SHORT.join(",");
  let examples: Example[] = [];
  before(async function () {
    const missing = nativeMissing() ?? wasmMissing();
    if (missing !== null) {
      console.log(`    skipped: ${missing}`);
      this.skip();
    }
    const all = await bundledExamples();
    expect(all).to.have.length(ALL);
    examples = chosen === "all" ? all : all.filter(({ name }) => chosen.split(",").includes(name));
    if (chosen !== "all") console.log(`    ${examples.length} of ${ALL}; the others with npm run test:systemc`);
    expect(examples).to.not.have.length(0);
  });

  it("print the same", async () => {
    const different: string[] = [];
    for (const example of examples) {
      const expected = comparable(await runNative(example));
      expect(expected, example.name).to.match(/\S/);
      const same = comparable(await runWasm(example)) === expected;
      if (!same) different.push(example.name);
      if (chosen === "all")
        console.log(`      ${example.name}: ${expected.split("\n").length} lines${same ? "" : " DIFFER"}`);
    }
    expect(different).to.deep.equal([]);
  });
});
