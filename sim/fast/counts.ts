/**
 * What a run has counted, read from the engine's memory. Which of the channels' two ends a process works at is looked up once for a design: a
 * network has a run for each of its layers.
 */
import type { Elaborated } from "../../hw/elaborate.js";
import type { Counters, ProcessCounters } from "../kernel/counters.js";
import { standsAt } from "./channel-code.js";
import type { GridView } from "./grid-view.js";
import type { ChannelImage, EngineImage } from "./image.js";
import { frame } from "./plan.js";

/** An end of a channel; `code` stands in the frame of a process that is stalled there. */
interface End {
  readonly channel: string;
  readonly on: "pop" | "push";
  /** Index of the word that counts stalled clocks. */
  readonly stall: number;
  readonly code: number;
}

interface Actor {
  readonly path: string;
  /** Indices of the words of its frame. */
  readonly time: number;
  readonly resume: number;
  readonly standsAt: number;
  readonly estimated: number;
  readonly ends: readonly End[];
}

/** Of one side of a channel: the count of operations, and the ring of their clocks, as indices of words. */
interface Side {
  readonly count: number;
  readonly times: number;
  readonly mask: number;
}

export class Counts {
  readonly #design: Elaborated;
  readonly #image: EngineImage;
  readonly #grids: readonly GridView[];
  readonly #processes: readonly Actor[];
  readonly #clocks: Int32Array;
  readonly #sides: readonly Side[];
  readonly #paths: readonly string[];

  constructor(design: Elaborated, image: EngineImage, grids: readonly GridView[]) {
    this.#design = design;
    this.#image = image;
    this.#grids = grids;
    this.#paths = design.channels.map(({ path }) => path);
    this.#processes = design.processes.map(({ path }, actor) => this.#actor(path, actor));
    this.#clocks = Int32Array.from(image.frames, (at) => (at + frame.time) >> 2);
    this.#sides = image.channels.flatMap(({ pushed, popped, pushTimes, popTimes, slots }) => [
      { count: pushed >> 2, times: pushTimes >> 2, mask: slots - 1 },
      { count: popped >> 2, times: popTimes >> 2, mask: slots - 1 },
    ]);
  }

  #actor(path: string, actor: number): Actor {
    const { channels, frames } = this.#image;
    const at = frames[actor]!;
    const ends = channels.flatMap((channel): End[] => {
      const end = (on: "pop" | "push", stall: number): End => ({
        channel: this.#paths[channel.index]!,
        on,
        stall: stall >> 2,
        code: standsAt(channel, on),
      });
      return [
        ...(channel.consumer === actor ? [end("pop", channel.popStall)] : []),
        ...(channel.producer === actor ? [end("push", channel.pushStall)] : []),
      ];
    });
    return {
      path,
      time: (at + frame.time) >> 2,
      resume: (at + frame.resume) >> 2,
      standsAt: (at + frame.standsAt) >> 2,
      estimated: (at + frame.estimated) >> 2,
      ends,
    };
  }

  /** The clock after the last in which anything moved. */
  latest(words: Int32Array): number {
    let last = 0;
    for (const at of this.#clocks) if (words[at]! > last) last = words[at]!;
    for (const { count, times, mask } of this.#sides) {
      const moved = words[times + ((words[count]! - 1) & mask)]! + 1;
      if (moved > last) last = moved;
    }
    return last;
  }

  /** After a run of `clocks` clocks that was to stop at `until`. */
  read(words: Int32Array, clocks: number, until: number): Counters {
    const view = new DataView(words.buffer);
    return {
      clocks,
      processes: this.#processes.map((actor) => countsOf(actor, words, clocks)),
      channels: this.#image.channels.map((channel, i) => channelCounts(this.#paths[i]!, channel, words, clocks)),
      memories: this.#image.memories.map((ports, i) => {
        let [reads, writes] = [0, 0];
        for (const port of ports) {
          reads += words[port.reads >> 2]!;
          writes += words[port.writes >> 2]!;
        }
        return { path: this.#design.memories[i]!.path, reads, writes };
      }),
      grids: this.#grids.map((grid) => grid.counters(view, until)),
    };
  }
}

function countsOf(actor: Actor, words: Int32Array, clocks: number): ProcessCounters {
  const { path, ends } = actor;
  const time = words[actor.time]!;
  const resume = words[actor.resume]!;
  const ended = resume === -1;
  const stands = ended || resume === 0 ? 0 : words[actor.standsAt]!;
  const stalls: ProcessCounters["stalls"][number][] = [];
  let [passed, stalled] = [0, 0];
  for (const { channel, on, stall, code } of ends) {
    const before = words[stall]!;
    passed += before;
    const now = before + (stands === code ? Math.max(0, clocks - time) : 0);
    if (now > 0) stalls.push({ channel, on, clocks: now });
    stalled += now;
  }
  // Time passes at a yield or at a wait, and nowhere else.
  const busy = time - passed - (ended || stands !== 0 ? 0 : Math.max(0, time - clocks));
  const idle = Math.max(0, clocks - busy - stalled);
  return { path, busy, stalls, idle, estimated: words[actor.estimated]! };
}

function channelCounts(
  path: string,
  channel: ChannelImage,
  words: Int32Array,
  clocks: number,
): Counters["channels"][number] {
  const pushed = words[channel.pushed >> 2]!;
  const popped = words[channel.popped >> 2]!;
  // 64 bits, of which a number holds 53.
  const at = channel.occupancySum >> 2;
  let sum = words[at + 1]! * 2 ** 32 + (words[at]! >>> 0);
  const [times, mask] = [channel.pushTimes >> 2, channel.slots - 1];
  for (let i = popped; i < pushed; i++) sum += clocks - words[times + (i & mask)]!;
  return {
    path,
    pushed,
    popped,
    meanOccupancy: clocks > 0 ? sum / clocks : 0,
    maxOccupancy: Math.max(words[channel.maxOccupancy >> 2]!, pushed - popped),
  };
}
