/** The example design in headless Chromium: the shipped network runs on it in a web worker, with the right bytes. */
import { expect } from "chai";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { openSystemC } from "../../driver/systemc/open.js";
import { acceleratorConv2d, ACCELERATOR } from "../../host/backends/accelerator.js";
import { execute } from "../../host/runtime/executor.js";
import { makePlan } from "../../host/runtime/plan.js";
import { cpuTarget } from "../../host/targets.js";
import { readTflite } from "../../host/tflite/reader.js";
import { digits } from "../../host/zoo/zoo.js";
import { hasCommand } from "../../sim/systemc-wasm/commands.js";
import { packageRoot } from "../../sim/systemc-wasm/toolchain.js";
import { askBrowser } from "../support/chromium.js";
import { wasmMissing } from "./builds.js";
import { exampleDesign } from "./example.js";

const root = packageRoot();
/** What packages are called in the modules, and what a browser has to fetch for them. */
const modules: Record<string, string> = {
  comlink: "node_modules/comlink/dist/esm/comlink.mjs",
  flatbuffers: "node_modules/flatbuffers/mjs/flatbuffers.js",
};

/** A file as the browser can load it: packages by path, and Node's file modules empty (the page reads no files). */
function forBrowser(path: string): Buffer | string {
  if (!/\.m?js$/.test(path)) return readFileSync(path);
  return readFileSync(path, "utf8")
    .replace(/^import \{[^}]*\} from "node:[a-z]+";$/gm, "")
    .replace(/from "([a-z]+)"/g, (all, name: string) => (name in modules ? `from "/${modules[name]!}"` : all));
}

/** Serves the page until the browser sends back a result. */
async function ask(chromium: string, input: Uint8Array, design: string): Promise<{ output: number[]; clocks: number }> {
  const serve = (name: string): string | Uint8Array => {
    if (name === "input") return input;
    if (name.startsWith("design/")) return forBrowser(join(dirname(design), name.slice(7)));
    if (name === "model") return forBrowser(digits.model);
    return forBrowser(name === "" ? join(root, "test/systemc/browser/page.html") : join(root, name));
  };
  return (await askBrowser(chromium, serve)) as { output: number[]; clocks: number };
}

describe("SystemC in headless Chromium", function () {
  this.timeout(600_000);
  before(function () {
    const missing = wasmMissing() ?? (hasCommand("chromium") ? null : "chromium is not installed");
    if (missing === null) return;
    console.log(`    skipped: ${missing}`);
    this.skip();
  });

  it("runs the shipped network on the example design, with the bytes and clocks of Node", async () => {
    const file = await exampleDesign();
    const data = new Uint8Array(readFileSync(digits.model));
    const input = Uint8Array.from({ length: 28 * 28 }, (_, index) => (index * 37) & 0xff);
    const there = await ask("chromium", input, file);

    const graph = readTflite(data, "model");
    const cpu = cpuTarget();
    const onCpu = await execute(makePlan(graph, { implementations: cpu.implementations, prefer: cpu.prefer }), [input]);
    expect(there.output).to.deep.equal([...onCpu.outputs[0]!]);
    const { accelerator } = await openSystemC(file);
    try {
      const plan = makePlan(graph, {
        implementations: [acceleratorConv2d(accelerator), ...cpu.implementations],
        prefer: [ACCELERATOR, ...cpu.prefer],
      });
      const here = await execute(plan, [input]);
      expect(there.clocks).to.equal(here.layers.reduce((sum, { cost }) => sum + (cost?.clocks ?? 0), 0));
    } finally {
      await accelerator.close();
    }
  });
});
