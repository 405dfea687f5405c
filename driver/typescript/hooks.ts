/**
 * Module hooks of Node (node:module, `register`) under which a design's TypeScript runs as it stands: types are blanked
 * out, so that every place in the text stays where it is.
 */
import { readFileSync } from "node:fs";
import type { LoadHook, ResolveHook } from "node:module";
import { fileURLToPath } from "node:url";
import { isTypeScript, resolveInTypeScript } from "../../hw/frontend/resolve.js";

export const resolve: ResolveHook = (specifier, context, next) => {
  const { parentURL } = context;
  const from =
    parentURL !== undefined && isTypeScript(parentURL) ? resolveInTypeScript(specifier, parentURL) : undefined;
  return next(from ?? specifier, context);
};

export const load: LoadHook = async (url, context, next) => {
  if (!isTypeScript(url)) return next(url, context);
  const { transformSync } = await import("@swc/wasm-typescript");
  const file = fileURLToPath(url);
  try {
    const { code } = transformSync(readFileSync(file, "utf8"), { filename: file, mode: "strip-only", module: true });
    return { format: "module", source: code, shortCircuit: true };
  } catch (error) {
    throw new SyntaxError(messageOf(error));
  }
};

/** What the stripper throws is no Error: a plain object with a message and a place, or text. */
function messageOf(error: unknown): string {
  if (typeof error !== "object" || error === null) return String(error);
  const { message, filename, startLine, startColumn } = error as Readonly<Record<string, unknown>>;
  return `${String(filename)}:${String(startLine)}:${String(startColumn)}: ${String(message)}`;
}
