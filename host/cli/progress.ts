/** The one progress bar, on stderr: drawn on a terminal, or anywhere if asked for; gone when the work is done. */

const WIDTH = 30;
/** Milliseconds between two drawings. */
const INTERVAL = 80;

export interface ProgressOptions {
  /** True draws it also where stderr is no terminal; false never; undefined on terminals only. */
  readonly force: boolean | undefined;
}

export class Progress {
  private readonly total: number;
  private readonly enabled: boolean;
  private readonly start = performance.now();
  private drawn = 0;

  /** `total` is the amount of work, in any unit. */
  constructor(total: number, { force }: ProgressOptions) {
    this.total = total;
    this.enabled = force ?? process.stderr.isTTY;
  }

  /** `done` of the total is done; `label` says what comes now. */
  update(done: number, label: string): void {
    const now = performance.now();
    if (!this.enabled || now - this.drawn < INTERVAL) return;
    this.drawn = now;
    const share = this.total > 0 ? Math.min(1, done / this.total) : 0;
    const bar = "#".repeat(Math.round(share * WIDTH)).padEnd(WIDTH, ".");
    const seconds = ((now - this.start) / 1000).toFixed(1);
    process.stderr.write(`\r\x1b[2K[${bar}] ${Math.floor(share * 100)} % ${seconds} s ${label.slice(0, 40)}`);
  }

  /** Clears the line. */
  close(): void {
    if (this.enabled && this.drawn > 0) process.stderr.write("\r\x1b[2K");
  }
}
