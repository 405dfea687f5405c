/** The IR as JSON: read against a new instance of the design it is the same IR, in Node and in a browser without any source. */
import { expect } from "chai";
import { build } from "esbuild";
import { fileURLToPath } from "node:url";
import { systolic } from "../../../designs/systolic/index.js";
import { elaborate, TandemError, type Module } from "../../../hw/index.js";
import { readDesign } from "../../../hw/frontend/index.js";
import { irFromJson, irToJson } from "../../../hw/ir/json.js";
import { printCell, printProcess } from "../../../hw/ir/print.js";
import type { DesignIr } from "../../../hw/ir/ir.js";
import { allDesigns } from "../../../host/registry.js";
import { compile } from "../../../sim/fast/compile.js";
import { hasCommand } from "../../../sim/systemc-wasm/commands.js";
import { askBrowser } from "../../support/chromium.js";
import { EXAMPLES } from "../constructs/index.js";
import { parameters, runLayer, type Outcome } from "./browser/layer.js";

const text = ({ processes, cells }: DesignIr): string =>
  [...processes.map(printProcess), ...cells.map(printCell)].join("\n");

/** The IR of one instance, and what another instance makes of its JSON. */
async function both(make: () => Module): Promise<[DesignIr, DesignIr]> {
  const { ir } = await readDesign(elaborate(make()));
  return [ir, irFromJson(elaborate(make()), irToJson(ir))];
}

const layerIr = async (): Promise<string> =>
  irToJson((await readDesign(elaborate(systolic.build(systolic.configure(parameters))))).ir);

const DESIGNS = await allDesigns();

describe("The IR as JSON", function () {
  this.timeout(120_000);

  it("is the same for every construct: as text, and as compiled by the fast engine", async () => {
    for (const { name, make } of EXAMPLES) {
      const [read, again] = await both(make);
      expect(text(again), name).to.equal(text(read));
      expect(Buffer.compare(compile(again).bytes, compile(read).bytes), name).to.equal(0);
    }
  });

  for (const { design } of DESIGNS)
    it(`is the same for ${design.name}`, async () => {
      const [read, again] = await both(() => design.build(design.configure({})));
      expect(text(again)).to.equal(text(read));
      expect(Buffer.compare(compile(again).bytes, compile(read).bytes)).to.equal(0);
    });

  it("is refused for another configuration, with the first part that differs", async () => {
    const ir = await layerIr();
    const other = elaborate(systolic.build(systolic.configure({ rows: 4, cols: 8 })));
    expect(() => irFromJson(other, ir)).to.throw(
      TandemError,
      /that of another design: it has "channel .*" where systolic has/,
    );
  });

  it("is refused where it is no IR", () => {
    const design = elaborate(systolic.build(systolic.configure(parameters)));
    expect(() => irFromJson(design, "{")).to.throw(TandemError, "is not JSON");
    expect(() => irFromJson(design, '{"format":"else"}')).to.throw(TandemError, 'has the format "else"');
  });

  it("runs in headless Chromium without source: the bytes and the clock of every token are Node's", async function () {
    if (!hasCommand("chromium")) {
      console.log("    skipped: chromium is not installed");
      this.skip();
    }
    const ir = await layerIr();
    // A module of Node in the bundle would be an error here.
    const { outputFiles } = await build({
      entryPoints: [fileURLToPath(new URL("./browser/page.js", import.meta.url))],
      bundle: true,
      format: "esm",
      platform: "browser",
      target: "es2022",
      write: false,
      logLevel: "silent",
    });
    const bundle = outputFiles[0]!.text;
    expect(bundle).not.to.contain("oxc-parser");
    const pages: Record<string, string> = {
      "": '<!doctype html><title>tandem</title><script type="module" src="/page.js"></script>',
      "page.js": bundle,
      "ir.json": ir,
    };
    const there = (await askBrowser("chromium", (path) => {
      const page = pages[path];
      if (page === undefined) throw new Error(`no ${path}`);
      return page;
    })) as Outcome;
    const here = runLayer(ir);
    expect(there).to.deep.equal(JSON.parse(JSON.stringify(here)));
    expect(there.bytes.length).to.equal(5 * 6 * 21);
    expect(there.clocks).to.be.above(100);
  });
});
