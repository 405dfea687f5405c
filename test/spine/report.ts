/** The progress line of the spine, its findings as they come, and the closing table. */
import { count, table } from "../../host/cli/table.js";

export interface Row {
  readonly part: string;
  readonly cases: number;
  /** Of the kernel, over all cases, where they are counted. */
  readonly clocks: number | undefined;
  readonly differences: number;
  readonly note: string;
}

export type TimedRow = Row & { readonly seconds: number };

/** What a process that does one task (parallel.ts) tells the one that started it. */
export type Told =
  | { readonly kind: "step"; readonly text: string; readonly share: number }
  | { readonly kind: "note"; readonly text: string }
  | { readonly kind: "row"; readonly row: TimedRow };

/** Milliseconds between two lines, on a terminal and elsewhere. */
const INTERVAL = { terminal: 100, file: 30_000 };

export class Progress {
  readonly #terminal = process.stderr.isTTY;
  #shown = 0;

  /** What is being run, and which share of its part is done. */
  step(text: string, share: number): void {
    const now = performance.now();
    if (now - this.#shown < (this.#terminal ? INTERVAL.terminal : INTERVAL.file)) return;
    this.#shown = now;
    const line = `${Math.floor(100 * share)} % ${text}`;
    process.stderr.write(this.#terminal ? `\r\x1b[2K${line.slice(0, process.stderr.columns - 1)}` : `${line}\n`);
  }

  difference(text: string): void {
    this.note(`DIFFERENCE ${text}`);
  }

  note(text: string): void {
    this.clear();
    process.stdout.write(`${text}\n`);
  }

  clear(): void {
    if (this.#terminal) process.stderr.write("\r\x1b[2K");
  }
}

/** Of a process that another one has started: everything is told to that one. */
export class SentProgress extends Progress {
  override step(text: string, share: number): void {
    this.#send({ kind: "step", text, share });
  }
  override note(text: string): void {
    this.#send({ kind: "note", text });
  }
  override clear(): void {
    // The other process has the terminal.
  }
  row(row: TimedRow): void {
    this.#send({ kind: "row", row });
  }
  #send(told: Told): void {
    process.send?.(told);
  }
}

export const summary = (rows: readonly TimedRow[]): string =>
  table(rows, [
    { title: "part", cell: ({ part }) => part, align: "left" },
    { title: "cases", cell: ({ cases }) => count(cases) },
    { title: "clocks", cell: ({ clocks }) => clocks },
    { title: "differences", cell: ({ differences }) => count(differences) },
    { title: "seconds", cell: ({ seconds }) => seconds.toFixed(1) },
    { title: "under", cell: ({ note }) => note, align: "left" },
  ]);
