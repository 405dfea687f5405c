/** The one progress bar, on stderr: drawn on a terminal, or anywhere if asked for; gone when the work is done. */
import { count } from "./table.js";

const WIDTH = 30;
/** Milliseconds between two drawings. */
const INTERVAL = 80;

/** One part of the work; `work` is its amount, in any unit. */
export interface Part {
  readonly name: string;
  readonly work: number;
}

export class Progress {
  private readonly enabled: boolean;
  private parts: readonly Part[] = [];
  private start = 0;
  private current = 0;
  private drawn = 0;

  /** True draws the bar also where stderr is no terminal; false never; undefined on terminals only. */
  constructor(force: boolean | undefined) {
    this.enabled = force ?? process.stderr.isTTY;
  }

  begin(parts: readonly Part[]): void {
    this.parts = parts;
    this.start = performance.now();
    this.current = 0;
    this.draw();
  }

  /** The part at hand is done. */
  next(): void {
    this.current++;
    this.draw();
  }

  /** The part at hand has simulated so many clocks. */
  clocks(clocks: number): void {
    this.draw(() => `, ${count(clocks)} clocks`);
  }

  /** A simulator of Verilog is being built: `done` of `total` steps. It comes before the parts. */
  building(done: number, total: number): void {
    if (done === 0) this.start = performance.now();
    if (done < total) this.paint(done / total, "building the Verilog's simulator (kept for the next run)");
    else this.close();
  }

  /** Clears the line. */
  close(): void {
    if (this.drawn > 0) process.stderr.write("\r\x1b[2K");
    this.drawn = 0;
  }

  /** It is called for every layer: nothing is worked out that is not seen. */
  private draw(detail = (): string => ""): void {
    const part = this.parts[this.current];
    if (part === undefined || !this.due()) return;
    const work = (parts: readonly Part[]) => parts.reduce((sum, each) => sum + each.work, 0);
    this.paint(work(this.parts.slice(0, this.current)) / (work(this.parts) || 1), part.name + detail());
  }

  private due(): boolean {
    return this.enabled && performance.now() - this.drawn >= INTERVAL;
  }

  private paint(share: number, text: string): void {
    if (!this.due()) return;
    const now = performance.now();
    this.drawn = now;
    const bar = "#".repeat(Math.round(share * WIDTH)).padEnd(WIDTH, ".");
    const seconds = ((now - this.start) / 1000).toFixed(1);
    process.stderr.write(`\r\x1b[2K[${bar}] ${Math.floor(share * 100)} % ${seconds} s ${text}`);
  }
}
