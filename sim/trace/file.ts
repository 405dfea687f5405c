/** A text file that is written block by block while a simulation runs; nothing half-written is left where writing fails. */
import { closeSync, fstatSync, openSync, unlinkSync, writeSync } from "node:fs";
import { TandemError } from "../../hw/index.js";

export class TextFile {
  readonly path: string;
  #fd: number | undefined;

  /** Creates the file at once, so that an unusable path is found before a long run. */
  constructor(path: string) {
    this.path = path;
    try {
      this.#fd = openSync(path, "w");
    } catch (error) {
      throw this.#failed(error);
    }
  }

  write(text: string): void {
    if (this.#fd === undefined) throw new TandemError(`${this.path} is written after it was closed`);
    const bytes = Buffer.from(text, "latin1");
    try {
      // Synchronous: a simulation keeps the event loop for itself, and a stream would hold the whole file in memory.
      for (let at = 0; at < bytes.length;) at += writeSync(this.#fd, bytes, at);
    } catch (error) {
      // A device such as /dev/full stays.
      const regular = fstatSync(this.#fd).isFile();
      this.close();
      if (regular) unlinkSync(this.path);
      throw this.#failed(error);
    }
  }

  close(): void {
    if (this.#fd === undefined) return;
    closeSync(this.#fd);
    this.#fd = undefined;
  }

  #failed(error: unknown): TandemError {
    const reason = error instanceof Error ? error.message.replace(/, (open|write).*$/, "") : String(error);
    return new TandemError(`Cannot write ${this.path}: ${reason}`, {
      hint: "Give a path in a folder that exists, that you may write to, and that has room.",
      cause: error,
    });
  }
}
