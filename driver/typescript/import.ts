/** Imports a module by its URL, TypeScript as it stands included (hooks.ts). */
import { register } from "node:module";

let registered = false;

/** @throws whatever the module throws, and a SyntaxError where it is not erasable TypeScript. */
export async function importModule(url: string): Promise<Readonly<Record<string, unknown>>> {
  // Every thread has hooks of its own.
  if (/\.m?ts$/.test(url) && !registered) {
    register("./hooks.js", import.meta.url);
    registered = true;
  }
  return (await import(url)) as Record<string, unknown>;
}
