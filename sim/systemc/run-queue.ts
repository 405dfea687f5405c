/**
 * Runnable processes of one kind, in order. A round runs those that were runnable when it began; who becomes runnable
 * meanwhile waits for the next round. One array serves both; it never shrinks, so that scheduling allocates nothing.
 */
import type { Process } from "../../hw/systemc/process.js";
import { QUEUED } from "../../hw/systemc/waiter.js";

/** Where the queue moves its processes to the front of the array again. */
const COMPACT = 256;

export class RunQueue {
  private items: (Process | null)[] = [null];
  /** The round is [first, limit), those who wait for the next one [limit, end). */
  private first = 0;
  private limit = 0;
  private end = 0;

  isEmpty(): boolean {
    return this.first === this.end;
  }

  push(process: Process): void {
    const end = this.end;
    if (end === this.items.length) this.grow();
    process.bits |= QUEUED;
    this.items[end] = process;
    this.end = end + 1;
  }
  /** Before everything that waits for the next round. */
  pushFront(process: Process): void {
    this.insert(process, this.limit);
  }
  /** Before everything in this round; it is the round if none is going on. */
  runNext(process: Process): void {
    this.insert(process, this.first);
    this.limit++;
  }

  /** Begins a round if none is going on. */
  turn(): void {
    if (this.first !== this.limit) return;
    if (this.first >= COMPACT) this.compact();
    this.limit = this.end;
  }

  /** True while the round has processes to run. */
  hasNext(): boolean {
    return this.first !== this.limit;
  }
  /** The next process of the round, to run now. */
  next(): Process {
    const process = this.items[this.first++]!;
    process.bits &= ~QUEUED;
    return process;
  }

  remove(process: Process): void {
    process.queued = false;
    const index = this.items.indexOf(process, this.first);
    if (index < 0 || index >= this.end) return;
    this.items.copyWithin(index, index + 1, this.end--);
    if (index < this.limit) this.limit--;
  }

  clear(): void {
    for (let i = this.first; i < this.end; i++) this.items[i]!.queued = false;
    this.first = this.limit = this.end = 0;
  }

  private insert(process: Process, index: number): void {
    if (this.end === this.items.length) this.grow();
    process.queued = true;
    this.items.copyWithin(index + 1, index, this.end++);
    this.items[index] = process;
  }
  private compact(): void {
    this.items.copyWithin(0, this.first, this.end);
    this.end -= this.first;
    this.limit -= this.first;
    this.first = 0;
  }
  /** Filled, not stretched: an array without holes is faster. */
  private grow(): void {
    for (let more = this.items.length; more > 0; more--) this.items.push(null);
  }
}
