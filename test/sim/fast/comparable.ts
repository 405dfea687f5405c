/** What two engines have to agree in, and the rules of time that a comparison of them has to notice if they are changed. */
import type { TimeRules } from "../../../sim/fast/rules.js";
import { stallTable, type Counters } from "../../../sim/kernel/counters.js";

/** Stalls in any order: the kernel lists them as they first come up. */
export const comparable = (counters: Counters): unknown => ({
  clocks: counters.clocks,
  stalls: Object.fromEntries(Object.entries(stallTable(counters)).sort(([a], [b]) => (a < b ? -1 : 1))),
  processes: counters.processes.map(({ path, busy, idle, estimated }) => ({ path, busy, idle, estimated })),
  channels: counters.channels,
  memories: counters.memories,
  grids: counters.grids,
});

/** Each rule of a channel (docs/language.md, rule 2) a clock too early and a clock too late. */
export const channelMutants: readonly (readonly [rule: keyof TimeRules, clocks: number, text: string])[] = [
  ["popAfterPush", 0, "a token is seen in the clock of its push"],
  ["popAfterPush", 2, "a token is seen two clocks after its push"],
  ["pushAfterPop", 0, "a slot is used again in the clock in which it was freed"],
  ["pushAfterPop", 2, "a slot is used again two clocks after it was freed"],
  ["popAfterPop", 0, "more pops in a clock than lanes"],
  ["popAfterPop", 2, "a pop in every other clock"],
  ["pushAfterPush", 0, "more pushes in a clock than lanes"],
  ["pushAfterPush", 2, "a push in every other clock"],
];
