/**
 * A discrete-event schedule of activities on the processor's cores and the accelerator. An activity starts when those that
 * it stands after have ended and its resource is free; activities that run together share the memory: where they ask for more than it
 * gives, all that ask slow down alike until one of them ends.
 */
import { TandemError } from "../../hw/errors.js";

export interface Activity {
  readonly resource: "cpu" | "accelerator";
  /** Cores that it takes, for `cpu`. */
  readonly cores: number;
  /** What it is, for reports: `pack`, `compute`, ... */
  readonly kind: string;
  readonly layer: number;
  /** Nanoseconds if nothing slows it down. */
  readonly ns: number;
  /** Bytes that it moves to or from memory. */
  readonly bytes: number;
  /** Activities, by index, that must have ended. */
  readonly after: readonly number[];
}

export interface Interval {
  readonly activity: number;
  readonly start: number;
  readonly end: number;
}

export interface Capacity {
  readonly cores: number;
  /** Bytes per nanosecond of the memory. */
  readonly memory: number;
}

interface Running {
  readonly activity: number;
  readonly start: number;
  /** Nanoseconds left at full speed. */
  left: number;
  readonly rate: number;
}

/** Intervals in the order of the activities. Among ready activities, the first in the list starts first. */
export function schedule(activities: readonly Activity[], capacity: Capacity): Interval[] {
  const intervals = new Array<Interval | undefined>(activities.length);
  const waitsFor = activities.map(({ after }) => after.length);
  const followers = activities.map((): number[] => []);
  activities.forEach(({ after, cores, resource }, i) => {
    if (resource === "cpu" && cores > capacity.cores)
      throw new TandemError(`Activity ${i} takes ${cores} cores of ${capacity.cores}`);
    for (const j of after) followers[j]!.push(i);
  });
  const ready = activities.flatMap((_, i) => (waitsFor[i] === 0 ? [i] : []));
  let running: Running[] = [];
  let now = 0;
  for (;;) {
    startReady(activities, capacity, ready, running, now);
    if (running.length === 0) break;
    const demand = running.reduce((sum, { rate }) => sum + rate, 0);
    const slow = Math.max(1, demand / capacity.memory);
    const speed = ({ rate }: Running): number => (rate > 0 ? 1 / slow : 1);
    const step = Math.min(...running.map((each) => each.left / speed(each)));
    now += step;
    for (const each of running) each.left -= step * speed(each);
    const ended = running.filter(({ left }) => left <= 1e-6);
    running = running.filter(({ left }) => left > 1e-6);
    for (const { activity, start } of ended) {
      intervals[activity] = { activity, start, end: now };
      for (const next of followers[activity]!) if (--waitsFor[next]! === 0) ready.push(next);
    }
    ready.sort((a, b) => a - b);
  }
  const stuck = intervals.findIndex((interval) => interval === undefined);
  if (stuck >= 0) throw new TandemError(`The schedule has a cycle: activity ${stuck} never starts`);
  return intervals as Interval[];
}

/** Starts what is ready and has room; `ready` loses what started. */
function startReady(
  activities: readonly Activity[],
  capacity: Capacity,
  ready: number[],
  running: Running[],
  now: number,
): void {
  let cores = capacity.cores;
  let accelerator = 1;
  for (const { activity } of running) {
    const { resource, cores: used } = activities[activity]!;
    if (resource === "cpu") cores -= used;
    else accelerator--;
  }
  for (let i = 0; i < ready.length;) {
    const { resource, cores: wanted, ns, bytes } = activities[ready[i]!]!;
    if (resource === "cpu" ? wanted > cores : accelerator === 0) {
      i++;
      continue;
    }
    if (resource === "cpu") cores -= wanted;
    else accelerator--;
    running.push({ activity: ready[i]!, start: now, left: ns, rate: ns > 0 ? bytes / ns : 0 });
    ready.splice(i, 1);
  }
}
