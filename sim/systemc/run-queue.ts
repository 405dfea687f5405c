/**
 * Runnable processes of one kind. Processes that become runnable wait in one list while those of the list before run;
 * then the lists change places. Lists are reused and allocate nothing.
 */
import type { Process } from "../../hw/systemc/process.js";

export class RunQueue {
  private running: Process[] = [];
  private first = 0;
  private end = 0;
  private waiting: Process[] = [];
  private waitingEnd = 0;

  isEmpty(): boolean {
    return this.first === this.end && this.waitingEnd === 0;
  }

  push(process: Process): void {
    process.queued = true;
    this.waiting[this.waitingEnd++] = process;
  }
  pushFront(process: Process): void {
    process.queued = true;
    this.waiting.length = this.waitingEnd++;
    this.waiting.unshift(process);
  }
  /** Before everything that waits to run now. */
  runNext(process: Process): void {
    process.queued = true;
    if (this.first > 0) this.running[--this.first] = process;
    else {
      this.running.length = this.end++;
      this.running.unshift(process);
    }
  }

  /** Starts on the waiting list if the running one is used up. */
  turn(): void {
    if (this.first !== this.end) return;
    const list = this.running;
    this.running = this.waiting;
    this.waiting = list;
    this.first = 0;
    this.end = this.waitingEnd;
    this.waitingEnd = 0;
  }

  pop(): Process | null {
    if (this.first === this.end) return null;
    const process = this.running[this.first++]!;
    process.queued = false;
    return process;
  }

  remove(process: Process): void {
    process.queued = false;
    let index = this.waiting.indexOf(process);
    if (index >= 0 && index < this.waitingEnd) {
      this.waiting.length = this.waitingEnd--;
      this.waiting.splice(index, 1);
      return;
    }
    index = this.running.indexOf(process, this.first);
    if (index < 0 || index >= this.end) return;
    this.running.length = this.end--;
    this.running.splice(index, 1);
  }

  clear(): void {
    for (let process = this.pop(); process !== null; process = this.pop());
    this.turn();
    for (let process = this.pop(); process !== null; process = this.pop());
  }
}
