/**
 * The IR of a design as JSON: what was read from the source at build time, for places where there is no source, as a browser.
 * Live parts are referred to by their place in the elaborated design, which such a place builds anew: constructors run there,
 * process bodies are not read. What was one object (a local, a type) is one again.
 */
import { Channel } from "../channel.js";
import type { Elaborated } from "../elaborate.js";
import { TandemError } from "../errors.js";
import { Grid } from "../grid.js";
import { MemoryPort } from "../memory.js";
import { Module } from "../module.js";
import { ProcessNode } from "../process.js";
import { Signal } from "../signal.js";
import { bool, int, struct, uint, vec, type IntType, type StructType, type Type, type VecType } from "../types.js";
import type { DesignIr } from "./ir.js";

const FORMAT = "tandem ir 1";

/** Kinds of live parts, and where a design lists them. */
const parts: readonly (readonly [string, (design: Elaborated) => readonly object[]])[] = [
  ["module", ({ modules }) => modules],
  ["process", ({ processes }) => processes],
  ["channel", ({ channels }) => channels],
  ["port", ({ memories }) => memories.flatMap(({ ports }) => ports)],
  ["signal", ({ signals }) => signals],
  ["grid", ({ grids }) => grids],
];

/** One line per part: what an IR may refer to. Two designs with the same lines can share an IR. */
function outline(design: Elaborated): string[] {
  return [
    ...design.modules.map(({ path }) => `module ${path}`),
    ...design.processes.map(({ path }) => `process ${path}`),
    ...design.channels.map((c) => `channel ${c.path} ${c.type.name} ${c.depth} ${c.lanes}`),
    ...design.memories.map((m) => `memory ${m.path} ${m.type.name} ${m.depth} ${m.ports.length}`),
    ...design.signals.map((s) => `signal ${s.path} ${s.type.name}`),
    ...design.grids.map((g) => `grid ${g.path} ${g.rows} ${g.cols} ${g.cell.west.name} ${g.cell.north.name}`),
  ];
}

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

interface File {
  readonly format: string;
  readonly outline: readonly string[];
  readonly types: readonly Json[];
  readonly processes: Json;
  readonly cells: Json;
}

export function irToJson(ir: DesignIr): string {
  const writer = new Writer(ir.design);
  const processes = writer.write(ir.processes);
  const cells = writer.write(ir.cells);
  const file: File = { format: FORMAT, outline: outline(ir.design), types: writer.types, processes, cells };
  if (ir.opaque && ir.opaque.length > 0)
    throw new TandemError(`${ir.opaque[0]!.node.path} is the model of a black box and no text of the language`, {
      hint: "Its design has no whole IR: run it on the kernel.",
    });
  return JSON.stringify(file);
}

/** @throws TandemError where the text is no IR, or the IR of another design or configuration. */
export function irFromJson(design: Elaborated, text: string): DesignIr {
  let file: Partial<File>;
  try {
    file = JSON.parse(text) as Partial<File>;
  } catch (cause) {
    throw new TandemError(`The IR for ${design.top.path} is not JSON: ${(cause as Error).message}`, {
      hint: "Write it with tandem ir DESIGN --json FILE.",
      cause,
    });
  }
  if (file.format !== FORMAT || !file.outline || !file.types || !file.processes || !file.cells)
    throw new TandemError(`The IR for ${design.top.path} has the format "${String(file.format)}", not "${FORMAT}"`, {
      hint: "Write it with tandem ir DESIGN --json FILE, by this version of Tandem.",
    });
  const here = outline(design);
  const there = file.outline;
  const differs = here.findIndex((line, i) => line !== there[i]);
  if (differs >= 0 || here.length !== there.length)
    throw new TandemError(
      `The IR is that of another design: it has "${there[Math.max(differs, 0)] ?? "no more parts"}" where ${design.top.path} has "${here[differs] ?? "no more parts"}"`,
      { hint: "Write it with the same parameters: tandem ir DESIGN --set ... --json FILE." },
    );
  const reader = new Reader(design, file.types);
  return {
    design,
    processes: reader.read(file.processes) as DesignIr["processes"],
    cells: reader.read(file.cells) as DesignIr["cells"],
  };
}

class Writer {
  readonly types: Json[] = [];
  readonly #typeIndex = new Map<string, number>();
  readonly #parts = new Map<object, Json>();
  /** Plain objects by their number, in the order of their first appearance. */
  readonly #seen = new Map<object, number>();

  constructor(design: Elaborated) {
    for (const [kind, list] of parts) list(design).forEach((part, i) => this.#parts.set(part, { $: kind, i }));
  }

  write(value: unknown): Json {
    if (value === null || ["boolean", "number", "string"].includes(typeof value)) return value as Json;
    if (typeof value === "function") return { $: "type", i: this.#type(value as unknown as Type) };
    if (typeof value !== "object") throw new Error(`no JSON for ${typeof value} in an IR`);
    const part = this.#parts.get(value);
    if (part !== undefined) return part;
    if (isLive(value)) throw new Error(`a part that is not in the design stands in its IR`);
    const before = this.#seen.get(value);
    if (before !== undefined) return { $: "again", i: before };
    this.#seen.set(value, this.#seen.size);
    if (Array.isArray(value)) return value.map((item) => this.write(item));
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, item]) => item !== undefined)
        .map(([key, item]) => [key, this.write(item)]),
    );
  }

  #type(type: Type): number {
    const before = this.#typeIndex.get(type.name);
    if (before !== undefined) return before;
    const text = this.#describe(type);
    this.types.push(text);
    this.#typeIndex.set(type.name, this.types.length - 1);
    return this.types.length - 1;
  }

  #describe(type: Type): Json {
    if (type.kind === "bool") return "bool";
    if (type.kind === "int") return (type as unknown as IntType).signed ? type.bits : -type.bits;
    if (type.kind === "vec") {
      const { of, length } = type as unknown as VecType;
      return { of: this.#type(of), length };
    }
    const { fields } = type as unknown as StructType;
    return { fields: Object.entries(fields).map(([name, field]) => [name, this.#type(field)]) };
  }
}

const isLive = (value: object): boolean =>
  [Channel, Grid, MemoryPort, Module, ProcessNode, Signal].some((part) => value instanceof part);

class Reader {
  readonly #types: Type[] = [];
  readonly #parts: ReadonlyMap<string, readonly object[]>;
  readonly #seen: object[] = [];

  constructor(design: Elaborated, types: readonly Json[]) {
    this.#parts = new Map(parts.map(([kind, list]) => [kind, list(design)]));
    for (const one of types) this.#types.push(this.#typeOf(one));
  }

  read(value: Json): unknown {
    if (value === null || typeof value !== "object") return value;
    if (!Array.isArray(value) && "$" in value) {
      const { $: kind, i } = value as { $: string; i: number };
      const found = kind === "type" ? this.#types[i] : kind === "again" ? this.#seen[i] : this.#parts.get(kind)?.[i];
      if (found === undefined) throw new TandemError(`The IR refers to ${kind} ${i}, which there is not`);
      return found;
    }
    if (Array.isArray(value)) {
      const list: unknown[] = [];
      this.#seen.push(list);
      for (const item of value as readonly Json[]) list.push(this.read(item));
      return list;
    }
    const object: Record<string, unknown> = {};
    this.#seen.push(object);
    for (const [key, item] of Object.entries(value)) object[key] = this.read(item);
    return object;
  }

  #typeOf(text: Json): Type {
    if (text === "bool") return bool;
    if (typeof text === "number") return text > 0 ? int(text) : uint(-text);
    const one = text as { of?: number; length?: number; fields?: readonly (readonly [string, number])[] };
    if (one.of !== undefined) return vec(this.#types[one.of]!, one.length!);
    return struct(Object.fromEntries(one.fields!.map(([name, field]) => [name, this.#types[field]!])) as never);
  }
}
