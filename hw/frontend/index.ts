/** The front end: an elaborated design, read from its source, as IR; with all breaches of the language's rules that it met. */
import { Cell } from "../grid.js";
import type { Elaborated } from "../elaborate.js";
import { Breach, positionKey, type Diagnostic } from "../check/diagnostic.js";
import { boxOf } from "../blackbox.js";
import type { CellIr, DesignIr, OpaqueProcess, ProcessIr } from "../ir/ir.js";
import { Module } from "../module.js";
import { registersOf } from "./registers.js";
import { classesOf, Sources, sourceUrl } from "./sources.js";
import { readCell, readProcess, type Reader } from "./units.js";

export interface Reading {
  readonly ir: DesignIr;
  /** In the order of the text; the IR is whole only where there are none. */
  readonly diagnostics: readonly Diagnostic[];
  /** URLs of the files that the design stands in. */
  readonly files: readonly string[];
}

/** Read the processes and cells of a design from their source. */
export async function readDesign(design: Elaborated): Promise<Reading> {
  const sources = new Sources();
  for (const module of design.modules) await loadClasses(sources, module, Module);
  for (const { cell } of design.grids) await loadClasses(sources, cell, Cell);
  const found = new Map<string, Diagnostic>();
  const report = (diagnostic: Diagnostic): void => {
    // A class with many instances is read for each, but reported once.
    const key = `${positionKey(diagnostic.at)} ${diagnostic.rule}`;
    if (!found.has(key)) found.set(key, diagnostic);
  };
  // The model of a black box need not be text of the language: what breaches its rules is kept apart.
  const boxed = new Map(design.modules.flatMap((module) => (boxOf(module) ? [[module, new Box()]] : [])));
  const reportOf = (module: Module): ((diagnostic: Diagnostic) => void) => boxed.get(module)?.report ?? report;
  const reader: Reader = { design, sources, registers: registersOf(design, sources, reportOf), report };
  const processes = design.processes.flatMap((node): ProcessIr[] => {
    const own = reportOf(node.module);
    return listOf(() => readProcess({ ...reader, report: own }, node), own);
  });
  const opaque = design.processes.flatMap((node): OpaqueProcess[] => {
    const why = boxed.get(node.module)?.first;
    return why ? [{ node, why }] : [];
  });
  const readable = processes.filter(({ node }) => !opaque.some((one) => one.node === node));
  const cells = design.grids.flatMap((grid): CellIr[] => listOf(() => readCell(reader, grid), report));
  const diagnostics = [...found.values()].sort(
    (a, b) => a.at.file.localeCompare(b.at.file) || a.at.line - b.at.line || a.at.column - b.at.column,
  );
  return { ir: { design, processes: readable, cells, opaque }, diagnostics, files: sources.urls };
}

/** The first breach in a black box's model. */
class Box {
  first: string | undefined;
  readonly report = ({ at, message }: Diagnostic): void => {
    this.first ??= `${at.file}:${at.line}: ${message}`;
  };
}

function listOf<T>(read: () => T | undefined, report: (diagnostic: Diagnostic) => void): T[] {
  try {
    const one = read();
    return one === undefined ? [] : [one];
  } catch (error) {
    if (!(error instanceof Breach)) throw error;
    if (error.diagnostic) report(error.diagnostic);
    return [];
  }
}

async function loadClasses(sources: Sources, object: object, base: typeof Module | typeof Cell): Promise<void> {
  for (const constructor of classesOf(object, base)) {
    const url = sourceUrl(constructor);
    if (url !== undefined) await sources.load(url);
  }
}
