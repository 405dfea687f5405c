/** Where an actor's state lies in the engine's memory: what the compiler writes code for and what a run is read from. */
import type { ChannelPlan } from "./plan.js";

/** Fields of an actor's frame, in bytes. */
export const frame = { resume: 0, time: 4, standsAt: 8, pollTime: 12, estimated: 16, bytes: 32 } as const;

/** What an actor stands at: 0 an edge, else which side of which channel. */
export const standsAt = (channel: Pick<ChannelPlan, "index">, side: "pop" | "push"): number =>
  1 + channel.index * 2 + (side === "push" ? 1 : 0);
