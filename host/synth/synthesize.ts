/**
 * Synthesis of a generated design by Yosys (`synth_xilinx -family xc7`, mapped by abc9), in a worker. Modules are kept apart:
 * a cell of an array is mapped once, however many there are. Nothing is optimised across their borders, so the figures are
 * a little high. Results are cached by content.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Worker } from "node:worker_threads";
import { version } from "@yowasp/yosys";
import { TandemError } from "../../hw/errors.js";
import type { VerilogDesign } from "../../hw/verilog/design.js";
import { countResources, type Resources } from "./resources.js";
import type { YosysAnswer, YosysJob } from "./yosys-worker.js";

export interface ModuleUse {
  readonly name: string;
  /** Instances in the whole design. */
  readonly instances: number;
  /** Of one instance, what stands inside it not counted. */
  readonly own: Resources;
}

export interface Synthesis {
  readonly top: string;
  readonly resources: Resources;
  readonly modules: readonly ModuleUse[];
  /** Cells whose cost is not known. */
  readonly unknown: readonly string[];
  /**
   * Longest path inside one module, in ns of cell delays without any wire: it ranks designs, it is not Fmax.
   */
  readonly longestPath: { readonly ns: number; readonly module: string };
  readonly tool: string;
  readonly cached: boolean;
}

const SCRIPT = (files: readonly string[], top: string): string =>
  [
    ...files.map((name) => `read_verilog ${name}`),
    `synth_xilinx -family xc7 -abc9 -top ${top}`,
    "tee -q -o stat.json stat -json",
    "tee -q -o sta.txt sta",
  ].join("; ");

export async function synthesize(design: VerilogDesign, cache = resolve(".cache", "synth")): Promise<Synthesis> {
  const names = [...design.files.keys()];
  const job: YosysJob = {
    files: Object.fromEntries(design.files),
    script: SCRIPT(names, design.top),
    wanted: ["stat.json", "sta.txt"],
  };
  const key = createHash("sha256")
    .update(JSON.stringify([version, job]))
    .digest("hex")
    .slice(0, 24);
  const path = join(cache, `${key}.json`);
  const cached = existsSync(path);
  const results = cached ? (JSON.parse(readFileSync(path, "utf8")) as Record<string, string>) : await runJob(job);
  if (!cached) {
    mkdirSync(cache, { recursive: true });
    writeFileSync(`${path}.${process.pid}`, JSON.stringify(results));
    renameSync(`${path}.${process.pid}`, path);
  }
  return { ...read(results, design.top), cached };
}

function runJob(job: YosysJob): Promise<Readonly<Record<string, string>>> {
  return new Promise((done, reject) => {
    const worker = new Worker(new URL("./yosys-worker.js", import.meta.url), { workerData: job });
    worker.once("message", (answer: YosysAnswer) => {
      if ("results" in answer) done(answer.results);
      else
        reject(
          new TandemError(`Yosys cannot synthesise the generated Verilog: ${answer.failed}`, {
            hint: "This is a defect of Tandem: please report it with the design.",
          }),
        );
    });
    worker.once("error", reject);
  });
}

interface Stat {
  readonly modules: Readonly<Record<string, { readonly num_cells_by_type?: Readonly<Record<string, number>> }>>;
}

/** `\name` and `$paramod...\name\...` as Yosys calls modules, for people. */
const plain = (name: string): string => name.replace(/^\\/, "").replace(/^\$paramod(?:\$[0-9a-f]+)?\\/, "");

function read(results: Readonly<Record<string, string>>, top: string): Omit<Synthesis, "cached"> {
  const { modules } = JSON.parse(results["stat.json"]!) as Stat;
  const cellsOf = (name: string): Readonly<Record<string, number>> => modules[name]?.num_cells_by_type ?? {};
  const byName = new Map(Object.keys(modules).map((name) => [name.replace(/^\\/, ""), name]));
  const instances = new Map<string, number>();
  const visit = (name: string, times: number): void => {
    instances.set(name, (instances.get(name) ?? 0) + times);
    for (const [type, n] of Object.entries(cellsOf(name))) {
      const child = byName.get(type.replace(/^\\/, ""));
      if (child !== undefined) visit(child, times * n);
    }
  };
  visit(byName.get(top)!, 1);
  const total = { lut: 0, ff: 0, dsp: 0, ramb36: 0, ramb18: 0 };
  const unknown = new Set<string>();
  const list: ModuleUse[] = [];
  for (const [name, times] of instances) {
    const cells = Object.entries(cellsOf(name)).filter(([type]) => !byName.has(type.replace(/^\\/, "")));
    const { resources: own, unknown: strange } = countResources(Object.fromEntries(cells));
    for (const type of strange) unknown.add(type);
    for (const kind of Object.keys(total) as (keyof Resources)[]) total[kind] += own[kind] * times;
    list.push({ name: plain(name), instances: times, own });
  }
  return {
    top,
    resources: total,
    modules: list,
    unknown: [...unknown],
    longestPath: longestPath(results["sta.txt"]!),
    tool: `Yosys ${version}`,
  };
}

/** `Latest arrival time in 'module' is 1234:` in ps. */
function longestPath(text: string): { ns: number; module: string } {
  let longest = { ns: 0, module: "" };
  for (const [, module, ps] of text.matchAll(/Latest arrival time in '([^']*)' is (\d+)/g)) {
    const ns = Number(ps) / 1000;
    if (ns > longest.ns) longest = { ns, module: plain(module!) };
  }
  return longest;
}
