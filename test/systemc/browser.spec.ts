/** The example design in headless Chromium: the shipped network runs on it in a web worker, with the right bytes. */
import { expect } from "chai";
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, extname, join } from "node:path";
import { openSystemC } from "../../driver/systemc/open.js";
import { acceleratorConv2d, ACCELERATOR } from "../../host/backends/accelerator.js";
import { execute } from "../../host/runtime/executor.js";
import { makePlan } from "../../host/runtime/plan.js";
import { cpuTarget } from "../../host/targets.js";
import { readTflite } from "../../host/tflite/reader.js";
import { digits } from "../../host/zoo/zoo.js";
import { hasCommand } from "../../sim/systemc-wasm/commands.js";
import { packageRoot } from "../../sim/systemc-wasm/toolchain.js";
import { wasmMissing } from "./builds.js";
import { exampleDesign } from "./example.js";

const root = packageRoot();
/** What packages are called in the modules, and what a browser has to fetch for them. */
const modules: Record<string, string> = {
  comlink: "node_modules/comlink/dist/esm/comlink.mjs",
  flatbuffers: "node_modules/flatbuffers/mjs/flatbuffers.js",
};
const types: Record<string, string> = {
  ".html": "text/html",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/** A file as the browser can load it: packages by path, and Node's file modules empty (the page reads no files). */
function forBrowser(path: string): Buffer | string {
  if (!/\.m?js$/.test(path)) return readFileSync(path);
  return readFileSync(path, "utf8")
    .replace(/^import \{[^}]*\} from "node:[a-z]+";$/gm, "")
    .replace(/from "([a-z]+)"/g, (all, name: string) => (name in modules ? `from "/${modules[name]!}"` : all));
}

/**
 * Ends Chromium with all of its helper processes. They are in a group of their own, because killing only the first one
 * leaves the others writing to the profile for a while.
 */
function endBrowser(browser: ChildProcess): Promise<void> {
  const { pid } = browser;
  if (pid === undefined) return Promise.resolve();
  const ended =
    browser.exitCode !== null || browser.signalCode !== null
      ? Promise.resolve()
      : new Promise<void>((resolve) => browser.once("exit", () => resolve()));
  killGroup(pid);
  return ended;
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // The whole group has ended by itself.
  }
}

/** The first process is gone, its helpers may still be going: tries for ten seconds. */
const removeProfile = (folder: string): Promise<void> =>
  rm(folder, { recursive: true, force: true, maxRetries: 13, retryDelay: 100 });

/** Serves the page until the browser sends back a result. */
async function ask(chromium: string, input: Uint8Array, design: string): Promise<{ output: number[]; clocks: number }> {
  const profile = mkdtempSync(join(tmpdir(), "chromium-"));
  let browser: ChildProcess | undefined;
  const result = new Promise<{ output: number[]; clocks: number }>((resolve, reject) => {
    const server = createServer((request, response) => {
      const url = new URL(request.url ?? "/", "http://localhost");
      if (request.method === "POST") {
        void body(request).then((text) => {
          response.end();
          if (url.pathname === "/result") resolve(JSON.parse(text) as { output: number[]; clocks: number });
          else reject(new Error(text));
          stop();
        });
        return;
      }
      try {
        const name = url.pathname.slice(1);
        const file = name.startsWith("design/")
          ? join(dirname(design), name.slice(7))
          : name === "model"
            ? digits.model
            : name === ""
              ? join(root, "test/systemc/browser/page.html")
              : join(root, name);
        const content = name === "input" ? input : forBrowser(file);
        response.setHeader("content-type", types[extname(file)] ?? "text/javascript");
        response.end(content);
      } catch (error) {
        response.statusCode = 404;
        response.end(String(error));
      }
    });
    const stop = (): void => {
      clearTimeout(timer);
      server.close();
      server.closeAllConnections();
    };
    const timer = setTimeout(() => {
      stop();
      reject(new Error("Chromium gave no result within two minutes"));
    }, 120_000);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      const args = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];
      const url = `http://127.0.0.1:${port}/`;
      browser = spawn(chromium, [...args, `--user-data-dir=${profile}`, url], { stdio: "ignore", detached: true });
      const { pid } = browser;
      // A group of its own does not end with the tests when somebody interrupts them.
      if (pid !== undefined) process.once("exit", () => killGroup(pid));
      browser.on("error", reject);
      browser.on("exit", (code) => {
        stop();
        reject(new Error(`Chromium ended (${code ?? "by signal"}) before it had a result`));
      });
    });
  });
  try {
    return await result;
  } finally {
    if (browser !== undefined) await endBrowser(browser);
    await removeProfile(profile);
  }
}

async function body(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return text;
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
