/**
 * Random networks of processes and channels in the kernel, against rule 2 of the language taken literally: one clock after
 * another, every process as far as it gets, with the times of all pushes and pops kept and the two formulas asked of them.
 */
import { expect } from "chai";
import { Module, u8, type Channel, type Process } from "../../../hw/index.js";
import { clocks } from "../../../hw/process.js";
import { mulberry32 } from "../../../sim/environment.js";
import { Kernel } from "../../../sim/kernel/kernel.js";

type Step =
  | { readonly kind: "pop" | "push"; readonly channel: number; readonly onlyOdd: boolean }
  | { readonly kind: "edge" }
  | { readonly kind: "clocks"; readonly n: number };

interface Net {
  readonly channels: readonly { readonly depth: number; readonly lanes: number }[];
  /** The steps of each process, round and round. */
  readonly processes: readonly (readonly Step[])[];
}

const HORIZON = 40;

function randomNet(seed: number): Net {
  const random = mulberry32(seed);
  const below = (n: number): number => Math.floor(random() * n);
  const processes: Step[][] = Array.from({ length: 1 + below(4) }, () => []);
  const channels = Array.from({ length: 1 + below(5) }, () => ({ depth: 1 + below(4), lanes: 1 + below(3) }));
  for (const channel of channels.keys()) {
    const producer = processes[below(processes.length)]!;
    const consumer = processes[below(processes.length)]!;
    // A step that is skipped for even values comes beside one that is not.
    for (let n = 1 + below(2); n > 0; n--) producer.push({ kind: "push", channel, onlyOdd: random() < 0.2 });
    for (let n = 1 + below(2); n > 0; n--) consumer.push({ kind: "pop", channel, onlyOdd: random() < 0.2 });
  }
  for (const steps of processes) {
    if (random() < 0.3) steps.push({ kind: "clocks", n: below(4) });
    const certain = steps.some((step) => (step.kind === "pop" || step.kind === "push") && !step.onlyOdd);
    if (!certain || random() < 0.4) steps.push({ kind: "edge" });
    for (let i = steps.length - 1; i > 0; i--) {
      const j = below(i + 1);
      [steps[i], steps[j]] = [steps[j]!, steps[i]!];
    }
  }
  return { channels, processes };
}

/** What happened: process, step, clock, value. And the clocks for which each process stood at an operation. */
interface Outcome {
  readonly events: string[];
  readonly stalls: Record<string, number>;
}

/** Rule 2, literally. */
function lockstep({ channels, processes }: Net): Outcome {
  const state = channels.map(() => ({ pushes: [] as number[], pops: [] as number[], values: [] as number[] }));
  const at = processes.map(() => ({ step: 0, value: 1, busyUntil: 0 }));
  const events: string[] = [];
  const stalls: Record<string, number> = {};
  /** One step at clock t: false if the process goes no further in this clock. */
  const advance = (p: number, t: number): boolean => {
    const me = at[p]!;
    const step = processes[p]![me.step]!;
    const next = (): void => void (me.step = (me.step + 1) % processes[p]!.length);
    if (step.kind === "edge" || step.kind === "clocks") {
      me.busyUntil = t + (step.kind === "edge" ? 1 : step.n);
      next();
      return me.busyUntil === t;
    }
    if (step.onlyOdd && me.value % 2 === 0) {
      next();
      me.value = (me.value + 1) % 256;
      return true;
    }
    const { depth, lanes } = channels[step.channel]!;
    const { pushes, pops, values } = state[step.channel]!;
    const push = step.kind === "push";
    const i = (push ? pushes : pops).length;
    const other = push ? (i < depth ? -1 : (pops[i - depth] ?? Infinity)) : (pushes[i] ?? Infinity);
    const lane = i < lanes ? -1 : (push ? pushes : pops)[i - lanes]!;
    if (Math.max(other, lane) + 1 > t) {
      const key = `p${p} ${step.kind} c${step.channel}`;
      stalls[key] = (stalls[key] ?? 0) + 1;
      return false;
    }
    (push ? pushes : pops).push(t);
    if (push) values.push(me.value);
    else me.value = (values[i]! + 1) % 256;
    events.push(`${t} p${p} ${step.kind} c${step.channel} ${me.value}`);
    next();
    return true;
  };
  for (let t = 0; t < HORIZON; t++) for (const p of processes.keys()) if (at[p]!.busyUntil <= t) while (advance(p, t));
  return { events, stalls };
}

class Network extends Module {
  readonly events: string[] = [];
  readonly now: { clock: () => number } = { clock: () => 0 };

  constructor(net: Net) {
    super(null, "net");
    const channels = net.channels.map((options, i) => this.channel(u8, { ...options, name: `c${i}` }));
    for (const [p, steps] of net.processes.entries()) {
      const body = (): Process => this.steps(p, steps, channels);
      this.clocked(Object.defineProperty(body, "name", { value: `p${p}` }));
    }
  }

  *steps(p: number, steps: readonly Step[], channels: readonly Channel<ReturnType<typeof u8>>[]): Process {
    let value = 1;
    for (;;)
      for (const step of steps) {
        if (step.kind === "edge") yield;
        else if (step.kind === "clocks") yield* clocks(step.n);
        else if (step.onlyOdd && value % 2 === 0) value = (value + 1) % 256;
        else {
          const channel = channels[step.channel]!;
          if (step.kind === "push") yield* channel.push(u8(value));
          else value = ((yield* channel.pop()) + 1) % 256;
          this.events.push(`${this.now.clock()} p${p} ${step.kind} c${step.channel} ${value}`);
        }
      }
  }
}

function inKernel(net: Net): Outcome {
  const top = new Network(net);
  const kernel = new Kernel(top);
  top.now.clock = () => kernel.now;
  kernel.run({ until: HORIZON });
  // A network that has come to rest early goes on waiting to the horizon in the model.
  const rest = HORIZON - kernel.counters.clocks;
  const waiting = new Map(kernel.stalled.map(({ process, on, channel }) => [`${process} ${on} ${channel}`, rest]));
  const stalls: Record<string, number> = {};
  for (const { path, stalls: list } of kernel.counters.processes)
    for (const { channel, on, clocks: n } of list) {
      const total = n + (waiting.get(`${path} ${on} ${channel}`) ?? 0);
      if (total > 0) stalls[`${path} ${on} ${channel}`.replaceAll("net.", "")] = total;
    }
  return { events: top.events, stalls };
}

/** Processes have no order within a clock. */
const sorted = ({ events, stalls }: Outcome): unknown => ({
  events: [...events].sort((a, b) => parseInt(a) - parseInt(b) || a.localeCompare(b)),
  stalls,
});

describe("Random networks in the kernel", () => {
  const first = Number(process.env["SEED"] ?? 1);
  const count = Number(process.env["NETWORKS"] ?? 4000);
  it(`follow rule 2 to the clock, stalls included (seeds ${first} to ${first + count - 1})`, () => {
    let events = 0;
    for (let seed = first; seed < first + count; seed++) {
      const net = randomNet(seed);
      const expected = lockstep(net);
      expect(sorted(inKernel(net)), `SEED=${seed} NETWORKS=1\n${JSON.stringify(net)}`).to.deep.equal(sorted(expected));
      events += expected.events.length;
    }
    // Networks that only wait would prove nothing.
    expect(events / count).to.be.above(10);
  });
});
