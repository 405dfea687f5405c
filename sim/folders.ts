/** Folders of files that simulations leave behind: caches, reports. */
import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Makes a folder and those above it that are missing. Not `recursive` of Node's own: that one tries for ever where a file
 * system says ENOENT although the folder above exists, as /proc does.
 */
export function makeFolders(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  const above = dirname(path);
  if (above !== path) makeFolders(above);
  mkdirSync(path);
}
