/** What a random network (network.ts) is made of: channels, a signal and memories of random types, between so many processes. */
import type { Channel } from "../../../hw/channel.js";
import { bool, Module, int, uint, vec, struct, type Signal, type Memory } from "../../../hw/index.js";
import type { Process } from "../../../hw/process.js";
import type { Type } from "../../../hw/types.js";
import type { Random } from "./random.js";

/** Size of the networks and what they may hold. */
export interface NetworkOptions {
  readonly polls: boolean;
  /** Only what becomes Verilog: no estimates, and the operands that the checker wants. */
  readonly hardware?: boolean;
}

interface Wire {
  readonly channel: Channel;
  producer: number;
  consumer: number;
}

export class Network extends Module {
  readonly wires: Wire[] = [];
  readonly signalParts: Signal[] = [];
  readonly memoryParts: Memory[] = [];
  readonly ins;
  readonly outs;

  constructor(random: Random, processes: number, channels: number) {
    super(null, "net");
    this.ins = [this.channelIn(randomType(random, 1))];
    this.outs = [this.channelOut(randomType(random, 1))];
    for (let i = 0; i < channels; i++) {
      const depth = random.pick([1, 1, 2, 2, 2, 3, 5]);
      const lanes = random.pick([1, 1, 1, 2, 3]);
      const channel: Channel = this.channel<unknown>(randomType(random, 1), { name: `c${i}`, depth, lanes });
      this.wires.push({ channel, producer: random.below(processes), consumer: random.below(processes) });
    }
    this.signalParts.push(this.signal(uint(4)));
    for (let i = 0; i < processes; i++) this.memoryParts.push(this.memory(randomType(random, 1), 8));
    for (const memory of this.memoryParts) memory.port();
  }

  /** Declare a process that interprets `ir`. */
  process(name: string, run: () => Process<unknown>): void {
    const body = function* (): Process {
      yield* run();
    };
    Object.defineProperty(body, "name", { value: name });
    this.clocked(body);
  }
}

export function randomType(random: Random, depth: number): Type {
  const kind = depth > 0 ? random.below(6) : 0;
  if (kind === 4) return vec(randomType(random, depth - 1), 1 + random.below(random.chance(0.3) ? 20 : 5));
  if (kind === 5) return struct({ x: randomType(random, 0), flag: bool, y: vec(randomType(random, 0), 3) });
  const bits = random.pick([1, 3, 4, 8, 8, 8, 12, 16, 17, 31, 32, 32]);
  return random.chance(0.5) ? int(bits) : uint(bits);
}
