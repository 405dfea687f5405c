/**
 * Files of caches: a magic, the hash of what follows, the content. Written whole under another name and renamed, so writers do not disturb
 * each other; one that is damaged is as good as absent.
 */
import { createHash } from "node:crypto";
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { makeFolders } from "./folders.js";

const HASH_BYTES = 32;

/** SHA-256. */
export const hash = (bytes: Uint8Array): Buffer => createHash("sha256").update(bytes).digest();

/** The content of a file that begins with `magic`; undefined if it is not there, not readable or not whole. */
export function readKept(path: string, magic: Buffer): Buffer | undefined {
  try {
    const bytes = readFileSync(path);
    const start = magic.length + HASH_BYTES;
    const content = bytes.subarray(start);
    if (!bytes.subarray(0, magic.length).equals(magic)) return undefined;
    return hash(content).equals(bytes.subarray(magic.length, start)) ? content : undefined;
  } catch {
    return undefined;
  }
}

/** Keep `content`; where that fails (a full disk, no right to write), there is no file. */
export function writeKept(path: string, magic: Buffer, content: Uint8Array): void {
  const work = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  try {
    makeFolders(dirname(path));
    writeFileSync(work, Buffer.concat([magic, hash(content), content]));
    renameSync(work, path);
  } catch {
    remove(work);
  }
}

function remove(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // It was never there.
  }
}
