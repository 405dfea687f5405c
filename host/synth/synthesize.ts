/**
 * Synthesis of a generated design by Yosys (`synth_xilinx -family xc7`, mapped by abc9), module by module: each is mapped once,
 * whatever stands in it is a black box, and the figures are added up over the hierarchy. Nothing is optimised across the
 * borders, so they are a little high. What a module came to is kept by content: after a change of the design only what it
 * changed is mapped again.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { version } from "@yowasp/yosys";
import type { VerilogDesign } from "../../hw/verilog/design.js";
import { map, RECIPE, type Mappable, type Mapped } from "./mapping.js";
import { countResources, type Resources } from "./resources.js";
import { findUnits, headOf, specialise, unitOf, withoutPlaces, type PlainUnit, type Unit } from "./units.js";

export interface ModuleUse {
  /** With its parameters, if it has any. */
  readonly name: string;
  /** Instances in the whole design. */
  readonly instances: number;
  /** Of one instance, what stands inside it not counted. */
  readonly own: Resources;
  /** Mapped without ABC's choices of structure, with which it fails on this module (mapping.ts). */
  readonly plain: boolean;
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
  /** All modules were in the cache. */
  readonly cached: boolean;
}

/** Called before each run of Yosys: modules that are mapped, and those to map in all. */
export type SynthesisProgress = (done: number, total: number, names: readonly string[]) => void;

/** Characters of Verilog in one run: starting Yosys costs some seconds, and progress is shown between runs. */
const BATCH = 40_000;

/** `cache`: a folder. Throws a `TandemError` where Yosys refuses the Verilog. */
export async function synthesize(
  verilog: VerilogDesign,
  cache = resolve(".cache", "synth"),
  progress: SynthesisProgress = () => undefined,
): Promise<Synthesis> {
  const store = new Store(cache);
  const files = new Map([...verilog.files].map(([name, text]) => [name, withoutPlaces(text)]));
  const design = { ...verilog, files };
  const plain = await store.get<PlainUnit[]>(["units", design.top, ...design.files], () => {
    progress(0, 0, ["hierarchy"]);
    return findUnits(design);
  });
  const units = new Map(plain.map((unit) => [unit.name, unitOf(unit)]));
  const mapped = new Map<string, Mapped>();
  const missing: Job[] = [];
  for (const unit of units.values()) {
    const job = jobOf(unit, units, design);
    const known = store.find(job.key) as Mapped | undefined;
    if (known) mapped.set(unit.name, known);
    else missing.push(job);
  }
  let done = 0;
  for (const batch of batchesOf(missing)) {
    progress(
      done,
      missing.length,
      batch.map(({ unit }) => unit.module),
    );
    const results = await map(batch);
    batch.forEach(({ unit, key }, i) => {
      store.put(key, results[i]);
      mapped.set(unit.name, results[i]!);
    });
    done += batch.length;
  }
  return { ...addUp(design.top, units, mapped), cached: store.misses === 0 };
}

/** Results by content, one file each. */
class Store {
  readonly #folder: string;
  misses = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  #path(content: unknown): string {
    const hash = createHash("sha256").update(JSON.stringify([version, RECIPE, content]));
    return join(this.#folder, `${hash.digest("hex").slice(0, 24)}.json`);
  }
  /** What was put under this content; undefined if nothing was. */
  find(content: unknown): unknown {
    const path = this.#path(content);
    return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined;
  }
  put(content: unknown, value: unknown): void {
    this.misses++;
    const path = this.#path(content);
    mkdirSync(this.#folder, { recursive: true });
    writeFileSync(`${path}.${process.pid}`, JSON.stringify(value));
    renameSync(`${path}.${process.pid}`, path);
  }
  async get<T>(content: unknown, make: () => Promise<T>): Promise<T> {
    const known = this.find(content);
    if (known !== undefined) return known as T;
    const value = await make();
    this.put(content, value);
    return value;
  }
}

interface Job extends Mappable {
  readonly unit: Unit;
  /** The module as `unit`, and the heads of the modules in it. */
  readonly key: readonly string[];
}

function jobOf(unit: Unit, units: ReadonlyMap<string, Unit>, design: VerilogDesign): Job {
  const textOf = (module: string): string => design.files.get(`${module}.v`)!;
  const text = (name: string): string => specialise(textOf(unit.module), unit, name);
  const modules = [...unit.children.keys()].map((name) => units.get(name)!.module);
  const children = new Map([...new Set(modules)].map((module) => [module, headOf(textOf(module))]));
  return { unit, key: [text("unit"), ...unit.children.keys(), ...children.values()], text, children };
}

/** Runs of Yosys: the modules of one never stand in each other. */
function batchesOf(jobs: readonly Job[]): Job[][] {
  const batches: Job[][] = [];
  for (const leaf of [true, false]) {
    let batch: Job[] = [];
    let size = 0;
    for (const job of jobs.filter(({ children }) => (children.size === 0) === leaf)) {
      const { length } = job.text("unit");
      if (batch.length > 0 && size + length > BATCH) {
        batches.push(batch);
        batch = [];
        size = 0;
      }
      batch.push(job);
      size += length;
    }
    if (batch.length > 0) batches.push(batch);
  }
  return batches;
}

function addUp(
  top: string,
  units: ReadonlyMap<string, Unit>,
  mapped: ReadonlyMap<string, Mapped>,
): Omit<Synthesis, "cached"> {
  const instances = new Map<string, number>();
  const visit = (name: string, times: number): void => {
    instances.set(name, (instances.get(name) ?? 0) + times);
    for (const [child, n] of units.get(name)!.children) visit(child, times * n);
  };
  visit(top, 1);
  const total = { lut: 0, ff: 0, dsp: 0, ramb36: 0, ramb18: 0 };
  const unknown = new Set<string>();
  const modules: ModuleUse[] = [];
  let longestPath = { ns: 0, module: "" };
  for (const [name, times] of instances) {
    const { cells, ns, plain = false } = mapped.get(name)!;
    const { resources: own, unknown: strange } = countResources(cells);
    for (const type of strange) unknown.add(type);
    for (const kind of Object.keys(total) as (keyof Resources)[]) total[kind] += own[kind] * times;
    const title = titleOf(units.get(name)!);
    modules.push({ name: title, instances: times, own, plain });
    if (ns > longestPath.ns) longestPath = { ns, module: title };
  }
  return { top, resources: total, modules, unknown: [...unknown], longestPath, tool: `Yosys ${version}` };
}

function titleOf({ module, parameters }: Unit): string {
  const values = Object.entries(parameters).map(([name, value]) => `${name}=${value}`);
  return values.length > 0 ? `${module} ${values.join(" ")}` : module;
}
