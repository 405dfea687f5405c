/**
 * Which parts of a design are meant: patterns over dotted paths, such as `systolic.feeder.*`. `*` stands for any characters
 * of one level, `**` for any characters of any level, `?` for one character. A pattern that names a module, channel or
 * memory takes everything below it.
 */
import { TandemError } from "../../hw/index.js";

export function matcher(pattern: string): (path: string) => boolean {
  if (!/^[A-Za-z0-9_.*?]+$/.test(pattern))
    throw new TandemError(`Trace pattern "${pattern}": expected letters, digits, _ . * and ?`, {
      hint: "For instance --trace 'systolic.feeder.*'.",
    });
  const body = pattern
    .replaceAll(".", "\\.")
    .replaceAll("**", "\0")
    .replaceAll("*", "[^.]*")
    .replaceAll("?", "[^.]")
    .replaceAll("\0", ".*");
  const regex = new RegExp(`^${body}(\\..*)?$`);
  return (path) => regex.test(path);
}

/** Those of `parts` that a pattern takes; a pattern that takes nothing is an error, with what there would have been. */
export function select<T extends { readonly path: string }>(parts: readonly T[], patterns: readonly string[]): T[] {
  const chosen = new Set<T>();
  for (const pattern of patterns) {
    const matches = matcher(pattern);
    const taken = parts.filter(({ path }) => matches(path));
    if (taken.length === 0)
      throw new TandemError(`Trace pattern "${pattern}" matches nothing in the design`, {
        hint: nearby(parts, pattern),
      });
    for (const part of taken) chosen.add(part);
  }
  return parts.filter((part) => chosen.has(part));
}

/** The names at the level where the pattern leaves the design. */
function nearby(parts: readonly { readonly path: string }[], pattern: string): string {
  const levels = pattern.split(".");
  for (let depth = levels.length - 1; depth >= 0; depth--) {
    const above = matcher(levels.slice(0, depth).join(".") || "**");
    const names = new Set<string>();
    for (const { path } of parts) {
      const at = path.split(".");
      if (at.length > depth && (depth === 0 || above(at.slice(0, depth).join(".")))) names.add(at[depth]!);
    }
    if (names.size > 0) {
      const where = depth === 0 ? "At the top" : `Below ${levels.slice(0, depth).join(".")}`;
      const list = [...names].slice(0, 24);
      return `${where}: ${list.join(", ")}${names.size > list.length ? ", ..." : ""}.`;
    }
  }
  return "The design has no parts.";
}
