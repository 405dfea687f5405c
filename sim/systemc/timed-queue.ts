/**
 * Timed notifications, earliest first: a binary heap in typed arrays, so that a notification allocates nothing.
 * Entries of equal time leave in the order that a plain sift-up, sift-down heap gives them; Accellera's library has the
 * same, which makes traces comparable. A notification that is taken back leaves an empty entry behind.
 */
import type { Event } from "../../hw/systemc/event.js";

export class TimedQueue {
  size = 0;
  /** Heap from index 1: time and entry number side by side. */
  private times = new Float64Array(64);
  private entries = new Int32Array(64);
  /** By entry number: whom to notify, or null if taken back. */
  private readonly events: (Event | null)[] = [];
  private free = new Int32Array(64);
  private freeCount = 0;

  insert(event: Event, at: number): void {
    let entry: number;
    if (this.freeCount > 0) {
      entry = this.free[--this.freeCount]!;
      this.events[entry] = event;
    } else {
      entry = this.events.length;
      this.events.push(event);
      if (entry + 2 >= this.times.length) this.grow();
    }
    event.timedEntry = entry;
    event.timedAt = at;
    const { times, entries } = this;
    let index = ++this.size;
    for (let parent = index >> 1; parent >= 1 && times[parent]! > at; parent = index >> 1) {
      times[index] = times[parent]!;
      entries[index] = entries[parent]!;
      index = parent;
    }
    times[index] = at;
    entries[index] = entry;
  }

  /** Takes back the notification of an event. */
  remove(event: Event): void {
    this.events[event.timedEntry] = null;
    event.timedEntry = -1;
  }

  /** Time of the earliest notification, or -1 if there is none. */
  nextTime(): number {
    while (this.size > 0) {
      if (this.events[this.entries[1]!] !== null) return this.times[1]!;
      this.extract();
    }
    return -1;
  }

  /** True if the earliest entry, empty or not, is for that time. */
  dueAt(at: number): boolean {
    return this.size > 0 && this.times[1] === at;
  }

  /** Removes the earliest entry; null if it was taken back. */
  extract(): Event | null {
    const { times, entries } = this;
    const entry = entries[1]!;
    const event = this.events[entry] ?? null;
    this.events[entry] = null;
    this.free[this.freeCount++] = entry;
    const last = this.size--;
    const time = times[last]!;
    const moved = entries[last]!;
    const size = this.size;
    let index = 1;
    for (let child = 2; child <= size; child = index << 1) {
      let least = times[child]! < time ? child : index;
      const leastTime = least === index ? time : times[child]!;
      if (child + 1 <= size && times[child + 1]! < leastTime) least = child + 1;
      if (least === index) break;
      times[index] = times[least]!;
      entries[index] = entries[least]!;
      index = least;
    }
    times[index] = time;
    entries[index] = moved;
    return event;
  }

  private grow(): void {
    const size = this.times.length * 2;
    const times = new Float64Array(size);
    times.set(this.times);
    this.times = times;
    const entries = new Int32Array(size);
    entries.set(this.entries);
    this.entries = entries;
    const free = new Int32Array(size);
    free.set(this.free);
    this.free = free;
  }
}
