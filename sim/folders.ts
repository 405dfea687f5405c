/** Folders of files that simulations leave behind: caches, reports. */
import { mkdirSync, rmdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Makes a folder and those above it that are missing. Not `recursive` of Node's own: that one tries for ever where a file
 * system says ENOENT although the folder above exists, as /proc does. Returns those that it made, from above.
 */
export function makeFolders(path: string): string[] {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return [];
  const above = dirname(path);
  const made = above === path ? [] : makeFolders(above);
  try {
    mkdirSync(path);
  } catch (error) {
    removeEmpty(made);
    throw error;
  }
  return [...made, path];
}

/** Takes folders away again, the last first, as far as nothing is in them. */
export function removeEmpty(folders: readonly string[]): void {
  try {
    for (const folder of folders.toReversed()) rmdirSync(folder);
  } catch {
    // Somebody has put something there.
  }
}
