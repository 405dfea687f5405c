/** Output files: written whole or not at all. */
import {
  accessSync,
  closeSync,
  constants,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { TandemError } from "../../hw/errors.js";
import { makeFolders, removeEmpty } from "../../sim/folders.js";

/**
 * Checks before a long run that a file could be written.
 * @throws TandemError if its folder does not exist or cannot be written to.
 */
export function checkWritable(path: string): void {
  attempt(path, () => {
    const target = resolved(path);
    if (statSync(target, { throwIfNoEntry: false })?.isDirectory()) throw new Error("it is a folder");
    if (isSpecial(target)) accessSync(target, constants.W_OK);
    else accessSync(dirname(target), constants.W_OK);
  });
}

/**
 * Writes a file through a temporary one beside it, so that nobody sees half of it and an error leaves what was there.
 * Devices and pipes are written directly.
 * @throws TandemError naming the path and what the system said.
 */
export function writeWhole(path: string, content: string | Uint8Array): void {
  attempt(path, () => {
    const target = resolved(path);
    if (isSpecial(target)) {
      writeTo(target, "w", content);
      return;
    }
    const temporary = join(dirname(target), `.${basename(target)}.${process.pid}.tmp`);
    try {
      writeTo(temporary, "wx", content);
      renameSync(temporary, target);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
  });
}

/** A text file that a command needs; `what` says what it should be. @throws TandemError if it cannot be read. */
export function readText(path: string, what: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new TandemError(`${path}: cannot be read (${code ?? message})`, { hint: `Give ${what}.`, cause: error });
  }
}

/**
 * Makes a folder for several outputs, unless it exists. Returns what takes it away again if nothing came of it.
 * @throws TandemError naming it where that fails.
 */
export function makeFolder(path: string): () => void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === false)
    throw new TandemError(`${path}: is a file, no folder`, { hint: "Give a folder, or the name of one to be made." });
  let made: string[] = [];
  attempt(path, () => {
    made = makeFolders(path);
    accessSync(path, constants.W_OK);
  });
  return () => removeEmpty(made);
}

function writeTo(path: string, flags: string, content: string | Uint8Array): void {
  const file = openSync(path, flags);
  try {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written);
    if (flags === "wx") fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Through symbolic links, so that the link stays and its target is replaced. */
function resolved(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** True for what exists and is no regular file. */
function isSpecial(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === false;
}

function attempt(path: string, action: () => void): void {
  try {
    action();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new TandemError(`${path}: cannot be written (${code ?? message})`, {
      hint: code === "ENOSPC" ? "The disk is full." : "Give a file in a folder that exists and that you may write to.",
      cause: error,
    });
  }
}
