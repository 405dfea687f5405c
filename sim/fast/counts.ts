/**
 * What a run has counted, read from the engine's memory. Which of the channels' two ends a process works at is looked up once for a design: a
 * network has a run for each of its layers.
 */
import type { Elaborated } from "../../hw/elaborate.js";
import type { Counters } from "../kernel/counters.js";
import {
  counterNames,
  countersOf,
  packedLength,
  type CounterNames,
  type PackedCounters,
} from "../kernel/packed-counters.js";
import { frame, standsAt } from "./frame.js";
import type { GridView } from "./grid-view.js";
import type { ChannelImage, EngineImage } from "./image.js";

/** An end of a channel. */
interface End {
  /** As packed counters name it. */
  readonly packed: number;
  /** Index of the word that counts stalled clocks. */
  readonly stall: number;
  /** What stands in the frame of a process that is stalled there. */
  readonly stands: number;
}

interface Actor {
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
  readonly names: CounterNames;
  readonly #image: EngineImage;
  readonly #grids: readonly GridView[];
  readonly #processes: readonly Actor[];
  readonly #clocks: Int32Array;
  readonly #sides: readonly Side[];
  readonly #length: number;

  constructor(design: Elaborated, image: EngineImage, grids: readonly GridView[]) {
    this.names = counterNames(design);
    this.#length = packedLength(this.names);
    this.#image = image;
    this.#grids = grids;
    this.#processes = design.processes.map((_, actor) => this.#actor(actor));
    this.#clocks = Int32Array.from(image.frames, (at) => (at + frame.time) >> 2);
    this.#sides = image.channels.flatMap(({ pushed, popped, pushTimes, popTimes, slots }) => [
      { count: pushed >> 2, times: pushTimes >> 2, mask: slots - 1 },
      { count: popped >> 2, times: popTimes >> 2, mask: slots - 1 },
    ]);
  }

  #actor(actor: number): Actor {
    const { channels, frames } = this.#image;
    const at = frames[actor]!;
    const ends = channels.flatMap((channel): End[] => {
      const end = (on: "pop" | "push", stall: number): End => ({
        packed: 2 * channel.index + (on === "pop" ? 0 : 1),
        stall: stall >> 2,
        stands: standsAt(channel, on),
      });
      return [
        ...(channel.consumer === actor ? [end("pop", channel.popStall)] : []),
        ...(channel.producer === actor ? [end("push", channel.pushStall)] : []),
      ];
    });
    return {
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
    const packed = new Float64Array(this.#length);
    let at = 0;
    packed[at++] = clocks;
    const estimates = at++;
    for (const actor of this.#processes) {
      packed[estimates]! += words[actor.estimated]!;
      at = packProcess(actor, words, clocks, packed, at);
    }
    for (const channel of this.#image.channels) at = packChannel(channel, words, clocks, packed, at);
    for (const ports of this.#image.memories) {
      let [reads, writes] = [0, 0];
      for (const port of ports) {
        reads += words[port.reads >> 2]!;
        writes += words[port.writes >> 2]!;
      }
      packed[at++] = reads;
      packed[at++] = writes;
    }
    const view = new DataView(words.buffer);
    for (const grid of this.#grids) {
      const { waves, cellSteps } = grid.counters(view, until);
      packed[at++] = waves;
      packed[at++] = cellSteps;
    }
    return countersOf(this.names, packed.subarray(0, at));
  }
}

/** Returns the place behind what it has written. */
function packProcess(actor: Actor, words: Int32Array, clocks: number, packed: PackedCounters, start: number): number {
  const time = words[actor.time]!;
  const resume = words[actor.resume]!;
  const ended = resume === -1;
  const stands = ended || resume === 0 ? 0 : words[actor.standsAt]!;
  let at = start + 4;
  let [passed, stalled] = [0, 0];
  for (const { packed: code, stall, stands: here } of actor.ends) {
    const before = words[stall]!;
    passed += before;
    const now = before + (stands === here ? Math.max(0, clocks - time) : 0);
    if (now === 0) continue;
    stalled += now;
    packed[at++] = code;
    packed[at++] = now;
  }
  // Time passes at a yield or at a wait, and nowhere else.
  const busy = time - passed - (ended || stands !== 0 ? 0 : Math.max(0, time - clocks));
  packed[start] = busy;
  packed[start + 1] = Math.max(0, clocks - busy - stalled);
  packed[start + 2] = words[actor.estimated]!;
  packed[start + 3] = (at - start - 4) / 2;
  return at;
}

function packChannel(
  channel: ChannelImage,
  words: Int32Array,
  clocks: number,
  packed: PackedCounters,
  start: number,
): number {
  const pushed = words[channel.pushed >> 2]!;
  const popped = words[channel.popped >> 2]!;
  // 64 bits, of which a number holds 53.
  const sumAt = channel.occupancySum >> 2;
  let sum = words[sumAt + 1]! * 2 ** 32 + (words[sumAt]! >>> 0);
  const [times, mask] = [channel.pushTimes >> 2, channel.slots - 1];
  for (let i = popped; i < pushed; i++) sum += clocks - words[times + (i & mask)]!;
  packed[start] = pushed;
  packed[start + 1] = popped;
  packed[start + 2] = clocks > 0 ? sum / clocks : 0;
  packed[start + 3] = Math.max(words[channel.maxOccupancy >> 2]!, pushed - popped);
  return start + 4;
}
