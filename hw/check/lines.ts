/** Lines of the source that the user wrote, for messages. */
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Position } from "../ir/ir.js";

const files = new Map<string, readonly string[] | undefined>();

/** The line at a position, if its file can be read. */
export function lineAt({ file, line }: Position): string | undefined {
  const path = resolve(file);
  if (!files.has(path)) files.set(path, existsSync(path) ? readFileSync(path, "utf8").split("\n") : undefined);
  return files.get(path)?.[line - 1]?.replace(/\r$/, "");
}
