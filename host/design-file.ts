/**
 * Designs from files: a `.ts` or `.js` module that exports one. TypeScript runs as it stands (driver/typescript), so from an edit
 * to a new run there is no build.
 */
import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Design } from "../driver/design.js";
import { importModule } from "../driver/typescript/import.js";
import { TandemError } from "../hw/errors.js";
import { findDesign, withPreset, type RegisteredDesign } from "./registry.js";

/** `FILE.ts` or `FILE.ts/PRESET`, JavaScript alike. */
const FILE = /^(.*\.[cm]?[jt]s)(?:\/(.+))?$/;

/**
 * A design by its name or by a file, with a preset behind it or without: `systolic`, `systolic/naive`, `./my-design.ts`,
 * `./my-design.ts/naive`.
 * @throws TandemError if there is none, or the file exports more than one.
 */
export async function openDesign(name: string): Promise<RegisteredDesign> {
  const [, file, preset] = FILE.exec(name) ?? [];
  if (file === undefined) return findDesign(name);
  const { url, exports } = await importFile(file);
  const designs = Object.entries(exports).filter((entry): entry is [string, Design] => isDesign(entry[1]));
  const [first, ...others] = designs;
  if (!first)
    throw new TandemError(`${file} exports no design`, { hint: "Export an object of type Design (driver/design.ts)." });
  if (others.length > 0)
    throw new TandemError(`${file} exports ${designs.length} designs: ${designs.map(([key]) => key).join(", ")}`, {
      hint: "Expected one: give each a file of its own.",
    });
  const [key, design] = first;
  const found: RegisteredDesign = { design, preset: {}, module: url, export: key };
  return preset === undefined ? found : withPreset(found, preset);
}

/** What a module exports. @throws TandemError if it is not there or cannot be imported. */
export async function importFile(
  file: string,
): Promise<{ readonly url: string; readonly exports: Readonly<Record<string, unknown>> }> {
  const path = resolve(file);
  if (!existsSync(path) || !statSync(path).isFile())
    throw new TandemError(`${file} does not exist or is not a file`, { hint: "Name a design or a file." });
  const url = pathToFileURL(path).href;
  try {
    return { url, exports: await importModule(url) };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TandemError(`${file} cannot be imported: ${reason}`, { cause });
  }
}

export function isDesign(value: unknown): value is Design {
  if (typeof value !== "object" || value === null) return false;
  const { name, build, configure } = value as Partial<Design>;
  return typeof name === "string" && typeof build === "function" && typeof configure === "function";
}
