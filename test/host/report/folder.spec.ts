import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Ajv } from "ajv";
import { expect } from "chai";
import { parse } from "csv-parse/sync";
import { chromium, type Browser, type Page } from "playwright-core";
import type { LayerProfile } from "../../../host/report/profile.js";
import type { Report } from "../../../host/report/report.js";
import { tandem } from "../support/cli.js";
import { decodeTrace, type Slice } from "./trace.js";

const schema = JSON.parse(
  readFileSync(new URL("../../../../docs/report.schema.json", import.meta.url), "utf8"),
) as object;
const sum = (values: readonly (number | undefined)[]): number =>
  values.reduce<number>((total, value) => total + (value ?? 0), 0);

describe("tandem run --report", function () {
  this.timeout(180_000);
  let folder = "";
  let report: Report;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "tandem-"));
    const { code, stderr } = await tandem(["run", "--report", folder, "--threads", "2"]);
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: "" });
    report = JSON.parse(readFileSync(join(folder, "report.json"), "utf8")) as Report;
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  it("writes four files, the report as the schema describes it", () => {
    expect(readdirSync(folder).sort()).to.deep.equal([
      "index.html",
      "layers.csv",
      "report.json",
      "trace.perfetto-trace",
    ]);
    const validate = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(schema);
    expect(validate(report), JSON.stringify(validate.errors)).to.equal(true);
    expect(report.profile).to.include({ platform: "pynq-z1", threads: 2, plClockMHz: 100, certainty: "estimated" });
  });

  it("the parts of a layer's time add up to it, and the layers to the latency", () => {
    const { layers, latencyMs } = report.profile!;
    const length = ({ startMs, endMs }: LayerProfile): number => endMs - startMs;
    for (const layer of layers) expect(sum(Object.values(layer.timeMs))).to.be.closeTo(length(layer), 1e-9);
    expect(sum(layers.map(length))).to.be.closeTo(latencyMs, 1e-9);
    expect(layers[0]!.startMs).to.equal(0);
  });

  it("says how the simulation's wall time compares with the board's time", () => {
    const { boardMs, wallMs, factor } = report.realTime!;
    expect(boardMs).to.equal(report.profile!.latencyMs);
    // The recording is not the simulation.
    expect(wallMs).to.be.within(1e-3, report.wallMs - 1e-3);
    expect(factor * wallMs).to.be.closeTo(boardMs, 1e-9);
  });

  it("an accelerated layer's clocks stand in its time, and no bound exceeds them", () => {
    const { layers, plClockMHz } = report.profile!;
    let accelerated = 0;
    report.layers.forEach(({ clocks }, i) => {
      const { timeMs, bounds } = layers[i]!;
      if (clocks === undefined) return;
      accelerated++;
      const onAccelerator = sum(Object.entries(timeMs).map(([part, ms]) => (part === "cpu" ? 0 : ms)));
      expect(onAccelerator * plClockMHz * 1e3).to.be.at.least(clocks - 1e-6);
      for (const [name, least] of Object.entries(bounds!)) expect(least, name).to.be.at.most(clocks);
    });
    expect(accelerated).to.be.greaterThan(1);
  });

  it("says for each accelerated layer the least clocks, what gives them, and what is lost", () => {
    const { layers } = report.profile!;
    report.layers.forEach(({ clocks }, i) => {
      const { bounds, least } = layers[i]!;
      if (clocks === undefined) {
        expect(least).to.equal(undefined);
        return;
      }
      expect(least!.clocks + least!.lost).to.equal(clocks);
      expect(least!.lost).to.be.at.least(0);
      expect(least!.clocks).to.equal(Math.ceil(bounds![least!.by]));
      // Whole tiles of the array cannot be fewer clocks than the products alone.
      expect(bounds!.tiles).to.be.at.least(bounds!.macs);
      expect(least!.clocks).to.be.at.least(bounds!.tiles);
    });
  });

  it("energy adds up over layers and components, to a power that such a board can have", () => {
    const { layers, energy, energyJ, latencyMs } = report.profile!;
    expect(sum(Object.values(energy))).to.be.closeTo(energyJ, 1e-12);
    expect(sum(layers.flatMap((layer) => Object.values(layer.energy)))).to.be.closeTo(energyJ, 1e-12);
    expect((energyJ / latencyMs) * 1e3).to.be.within(1, 4);
  });

  it("counts the multipliers' energy of an array by its cells, of other designs by their MACs", async () => {
    const file = join(folder, "vmac.json");
    const { code } = await tandem(["run", "--design", "vmac", "--platform", "pynq-z1", "--json", file]);
    expect(code).to.equal(0);
    const other = JSON.parse(readFileSync(file, "utf8")) as Report;
    rmSync(file);
    // 10 pJ for a DSP that makes two products.
    const least = (10e-12 * other.offloadedMacs) / 2;
    expect(other.profile!.energy.dsp).to.be.within(0.999 * least, 1.01 * least);
    // The array's cells also step for what tiles have to pad.
    expect(report.profile!.energy.dsp).to.be.within(0.999 * least, 4 * least);
  });

  it("layers.csv has a line per layer with its bound", () => {
    const rows = parse<Record<string, string>>(readFileSync(join(folder, "layers.csv"), "utf8"), { columns: true });
    expect(rows.map(({ bound }) => bound)).to.deep.equal(report.profile!.layers.map(({ bound }) => bound));
    expect(Number(rows[0]!["endMs"])).to.equal(report.profile!.layers[0]!.endMs);
  });

  it("the trace decodes, and its slices add up to the report's clocks", () => {
    const { slices, counters } = decodeTrace(readFileSync(join(folder, "trace.perfetto-trace")));
    const clocksOf = (list: readonly Slice[]): number => sum(list.map(({ notes }) => Number(notes["clocks"])));
    const layers = slices.filter(({ track, process }) => process === "design (clocks)" && track === "layers");
    expect(clocksOf(layers)).to.equal(report.clocks.total);
    // 100 MHz: a clock is 10 ns. A layer is in pieces where the accelerator waits for the processor; they are cut at whole clocks.
    for (const { from, to, notes } of layers) expect((to - from) / 10).to.be.closeTo(Number(notes["clocks"]), 1);
    expect(sum(layers.map(({ from, to }) => (to - from) / 10))).to.be.closeTo(report.clocks.total, 0.1);
    const processes = slices.filter(({ process }) => process === "processes of the design");
    const paths = [...new Set(processes.map(({ track }) => track))];
    expect(paths).to.include("systolic.array.feed");
    for (const path of paths)
      expect(clocksOf(processes.filter(({ track }) => track === path)), path).to.be.at.most(report.clocks.total);
    const stalls = report.layers.flatMap((layer) => Object.entries(layer.stalls ?? {}));
    for (const [key] of stalls) {
      const [path, name] = key.split(": ") as [string, string];
      const own = processes.filter((slice) => slice.track === path && slice.name === name);
      expect(clocksOf(own), key).to.equal(sum(stalls.map(([other, clocks]) => (other === key ? clocks : 0))));
    }
    expect(slices.some(({ process, track }) => process === "DMA channels" && track === "weight0")).to.equal(true);
    expect(counters).to.be.greaterThan(0);
    const open = new Map<string, number>();
    for (const { process, track, from, to } of slices) {
      const key = `${process}/${track}`;
      expect(from, key).to.be.at.least(open.get(key) ?? 0);
      open.set(key, to);
    }
  });

  it("refuses what has no times, before anything runs", async () => {
    const ideal = await tandem(["run", "--report", folder, "--platform", "ideal"]);
    expect(ideal.code).to.equal(2);
    expect(ideal.stderr).to.match(/--report needs a board/);
    const file = await tandem(["run", "--report", join(folder, "layers.csv")]);
    expect(file.code).to.equal(1);
    expect(file.stderr).to.match(/layers\.csv: is a file, no folder/);
    // In /proc, ENOENT does not mean that a folder above is missing.
    const nowhere = await tandem(["run", "--report", "/proc/report"]);
    expect(nowhere.code).to.equal(1);
    expect(nowhere.stderr).to.match(/\/proc\/report: cannot be written/);
  });

  it("leaves no folder behind where the run fails", async () => {
    const target = join(folder, "not", "yet");
    const { code, stderr } = await tandem(["run", "nosuch.tflite", "--report", target]);
    expect(code).to.equal(1);
    expect(stderr).to.match(/nosuch\.tflite: cannot be read/);
    expect(existsSync(join(folder, "not"))).to.equal(false);
  });

  describe("its page in a browser", () => {
    let browser: Browser | undefined;
    let page: Page;
    const problems: string[] = [];
    before(async function () {
      const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((path) => existsSync(path));
      if (executablePath === undefined) this.skip();
      browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
      page = await browser.newPage({ viewport: { width: 1100, height: 900 } });
      page.on("console", (message) => {
        if (message.type() === "error" || message.type() === "warning") problems.push(message.text());
      });
      page.on("pageerror", (error) => problems.push(error.message));
      page.on("request", (request) => {
        if (!/^(file|data):/.test(request.url())) problems.push(`fetches ${request.url()}`);
      });
      await page.goto(pathToFileURL(join(folder, "index.html")).href);
      await page.waitForSelector("body[data-drawn]");
    });
    after(async () => {
      await browser?.close();
    });

    it("draws all figures, fetches nothing, and logs no error", async () => {
      const ids = await page.$$eval("section", (sections) => sections.map(({ id }) => id));
      expect(ids).to.deep.equal(["time", "layers", "roofline", "energy", "timeline", "inside", "constants"]);
      const marks = await page.$$eval("figure", (figures) =>
        figures.map((each) => each.querySelectorAll("svg rect, svg path, svg circle, canvas").length),
      );
      expect(marks).to.have.length(7);
      for (const count of marks) expect(count).to.be.greaterThan(0);
      expect(problems).to.deep.equal([]);
    });

    it("every figure says what it is, how it is computed, and how certain it is", async () => {
      const texts = await page.$$eval("section:not(#constants)", (sections) =>
        sections.map((each) => ({
          badge: each.querySelector("h2 .badge")?.textContent,
          formula: each.querySelector("h2")?.getAttribute("title"),
          caption: each.querySelector(".caption")?.textContent,
        })),
      );
      for (const { badge, formula, caption } of texts) {
        expect(badge).to.be.oneOf(["exact", "estimated", "measured"]);
        expect(formula!.length).to.be.greaterThan(30);
        expect(caption!.length).to.be.greaterThan(20);
      }
    });

    it("no labels of an axis overlap", async () => {
      const overlaps = await page.$$eval("figure svg", (drawings) =>
        drawings.flatMap((svg) =>
          [...svg.querySelectorAll('g[aria-label$="tick label"]')].flatMap((axis) => {
            const boxes = [...axis.querySelectorAll("text")].map((text) => text.getBoundingClientRect());
            return boxes.flatMap((a, i) =>
              boxes
                .slice(i + 1)
                .filter(
                  (b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 2 && b.top < a.bottom - 2,
                )
                .map(() => axis.getAttribute("aria-label")),
            );
          }),
        ),
      );
      expect(overlaps).to.deep.equal([]);
    });

    it("is reached by keyboard: every figure, table and choice takes the focus, and the choice changes the layer", async () => {
      const reached = new Set<string>();
      for (let i = 0; i < 60; i++) {
        await page.keyboard.press("Tab");
        reached.add(
          await page.evaluate(() => {
            const focus = document.activeElement!;
            return focus.getAttribute("aria-label") ?? focus.id;
          }),
        );
      }
      const figures = await page.$$eval("figure", (list) => list.map((each) => each.getAttribute("aria-label")!));
      for (const label of [...figures, "Table of layers", "layer-choice"]) expect([...reached]).to.include(label);
      await page.focus("#layer-choice");
      const before = await page.$$eval("#inside figure", (list) => list[0]!.getAttribute("aria-label"));
      await page.keyboard.press("Home");
      await page.keyboard.press("ArrowDown");
      const after = await page.$$eval("#inside figure", (list) => list[0]!.getAttribute("aria-label"));
      const end = await page.$eval("#layer-choice", (select) => (select as HTMLSelectElement).value);
      expect(after).to.match(new RegExp(`^Layer ${end}:`));
      expect(before).to.match(/^Layer \d+:/);
    });

    it("is legible in dark mode and in print: text stands out from its ground", async () => {
      for (const media of [{ colorScheme: "dark" }, { colorScheme: "light" }, { media: "print" }] as const) {
        await page.emulateMedia(media);
        const contrast = await page.$$eval("h1, h2, td, th, dt, dd, .caption, .badge, summary", (elements) => {
          const luminance = (color: string): number => {
            const [r, g, b] = color.match(/[\d.]+/g)!.map((part) => {
              const c = Number(part) / 255;
              return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
            }) as [number, number, number];
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          const paper = luminance(getComputedStyle(document.body).backgroundColor);
          return Math.min(
            ...elements.map((each) => {
              const ink = luminance(getComputedStyle(each).color);
              return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
            }),
          );
        });
        // WCAG 2.2, level AA.
        expect(contrast, JSON.stringify(media)).to.be.at.least(4.5);
      }
      expect(problems).to.deep.equal([]);
    });
  });
});
