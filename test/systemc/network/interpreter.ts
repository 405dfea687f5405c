/**
 * Interprets a network of processes, events, signals and FIFOs that is described by numbers, and traces every step. The
 * C++ twin is ../native/network.cpp.
 *
 * The numbers, in order; `n x` is a count and then that many of x:
 *   events n; integer signals n; boolean signals n; FIFOs n x depth; clocks n x period in ps;
 *   processes n x (is method, dontInitialize, budget of steps, n x static sensitivity, reset signal or -1, async, level,
 *   n x instruction of 4 numbers); slices of simulation n x ps.
 * A sensitivity is 100 times the kind (event, signal changed, boolean rising, falling, clock rising, falling, FIFO
 * written, read) plus the number of the object.
 */
import {
  allOf,
  anyOf,
  Clock,
  Event,
  Fifo,
  nextTrigger,
  ps,
  Signal,
  type Simulation,
  spawn,
  wait,
  ZERO_TIME,
} from "../../../sim/systemc/index.js";
import { type Process, type Wait } from "../../../sim/systemc/index.js";
import type { EventAndList, EventOrList, Time } from "../../../sim/systemc/index.js";

interface Node {
  readonly index: number;
  readonly isMethod: boolean;
  budget: number;
  started: boolean;
  program: readonly (readonly [op: number, a: number, b: number, c: number])[];
  handle: Process | undefined;
}

export function runNetwork(sim: Simulation, numbers: readonly number[], trace: (line: string) => void): void {
  let at = 0;
  const next = (): number => numbers[at++]!;
  const many = <T>(make: () => T): T[] => Array.from({ length: next() }, make);

  const events = many(() => new Event(sim));
  const signals = many(() => new Signal(sim, undefined, 0, "unchecked"));
  const bools = many(() => new Signal<boolean>(sim, undefined, false, "unchecked"));
  const fifos = many(() => new Fifo<number>(sim, undefined, next()));
  const clocks = many(() => new Clock(sim, sim.names.generator.next("clock"), { period: ps(next()) }));
  const nodes: Node[] = [];

  const event = (reference: number): Event => {
    const i = reference % 100;
    switch (Math.floor(reference / 100)) {
      case 0:
        return events[i]!;
      case 1:
        return signals[i]!.valueChangedEvent;
      case 2:
        return bools[i]!.posedgeEvent;
      case 3:
        return bools[i]!.negedgeEvent;
      case 4:
        return clocks[i]!.posedgeEvent;
      case 5:
        return clocks[i]!.negedgeEvent;
      case 6:
        return fifos[i]!.dataWrittenEvent;
      default:
        return fifos[i]!.dataReadEvent;
    }
  };

  const spawnChild = (node: Node, on: Event, number: number, isMethod: boolean): void => {
    const child = node.index * 10 + 100 + number;
    trace(`spawn ${child}`);
    const step = (k: number): void => trace(`${sim.now} ${sim.deltaCount} child ${child} ${k}`);
    const body = isMethod
      ? (): void => step(0)
      : function* (): Generator<Wait, void, void> {
          for (let k = 0; k < 3; k++) {
            step(k);
            yield wait();
          }
        };
    spawn(body, sim.running!.nameGenerator.next("child"), { method: isMethod, sensitive: [on] });
  };

  function* run(node: Node): Generator<Wait, void, void> {
    node.started = true;
    let state = node.index + 1;
    const mix = (value: number | boolean): void => void (state = (state * 31 + Number(value)) & 0xffff);
    const { isMethod, program } = node;
    for (let pc = 0; pc < program.length; pc++) {
      if (node.budget-- <= 0) return;
      const [op, a, b, c] = program[pc]!;
      trace(`${sim.now} ${sim.deltaCount} ${node.index} ${pc} ${state}`);
      let timeout: Time | undefined;
      let what: Event | EventOrList | EventAndList | undefined;
      switch (op) {
        case 0:
          mix(pc);
          break;
        case 1:
          if (isMethod) nextTrigger();
          else yield wait();
          break;
        case 2:
          if (!isMethod) yield wait(a);
          break;
        case 3:
          timeout = ps(a);
          break;
        case 4:
          what = event(a);
          break;
        case 5:
          what = anyOf(event(a)).or(event(b));
          break;
        case 6:
          what = allOf(event(a)).and(event(b));
          break;
        case 7:
          timeout = ps(a);
          what = event(b);
          break;
        case 8:
          timeout = ps(c);
          what = anyOf(event(a)).or(event(b));
          break;
        case 9:
          timeout = ps(c);
          what = allOf(event(a)).and(event(b));
          break;
        case 10:
          events[a]!.notify();
          break;
        case 11:
          events[a]!.notify(ZERO_TIME);
          break;
        case 12:
          events[a]!.notify(ps(b));
          break;
        case 13:
          events[a]!.cancel();
          break;
        case 14:
          signals[a]!.write(state & 7);
          break;
        case 15:
          bools[a]!.write((state & 1) === 1);
          break;
        case 16:
          if (isMethod) mix(fifos[a]!.tryWrite(state));
          else yield* fifos[a]!.write(state);
          break;
        case 17:
          mix(isMethod ? (fifos[a]!.tryRead() ?? 0) : yield* fifos[a]!.read());
          break;
        case 18:
          mix(fifos[a]!.tryWrite(state));
          break;
        case 19:
          mix(fifos[a]!.available * 16 + fifos[a]!.free);
          break;
        case 20:
          yield nodes[a]!.handle!.suspend();
          break;
        case 21:
          nodes[a]!.handle!.resume();
          break;
        case 22:
          nodes[a]!.handle!.reset();
          break;
        case 23:
          // Accellera's library lets a thread run once that was killed between being made runnable and its first run;
          // the standard (and we) do not.
          if (nodes[a]!.started) nodes[a]!.handle!.kill();
          break;
        case 24:
          mix(signals[a]!.read() * 2 + Number(signals[a]!.event));
          break;
        case 25:
          mix(events[a]!.triggered);
          break;
        case 26: {
          const s = bools[a]!;
          mix(Number(s.read()) * 4 + Number(s.posedge) * 2 + Number(s.negedge));
          break;
        }
        case 27:
          spawnChild(node, events[a]!, b, c !== 0);
          break;
      }
      if (timeout === undefined && what === undefined) continue;
      if (isMethod) {
        if (timeout === undefined) nextTrigger(what);
        else nextTrigger(timeout, what);
      } else yield timeout === undefined ? wait(what) : wait(timeout, what);
    }
  }

  const count = next();
  for (let index = 0; index < count; index++) {
    const node: Node = { index, isMethod: next() === 1, budget: 0, started: false, program: [], handle: undefined };
    nodes.push(node);
    const dontInitialize = next() === 1;
    node.budget = next();
    const sensitive = many(() => event(next()));
    const [reset, async, level] = [next(), next() === 1, next() === 1];
    node.program = many(() => [next(), next(), next(), next()] as const);
    const resetSignals = reset < 0 ? [] : [{ signal: bools[reset]!, async, level }];
    // A method runs through: what it yields (a suspension of itself) has taken effect already.
    const body = node.isMethod
      ? (): void => {
          Array.from(run(node));
        }
      : (): Generator<Wait, void, void> => run(node);
    const options = { method: node.isMethod, dontInitialize, sensitive, resetSignals };
    node.handle = spawn(body, sim.names.generator.next("p"), options);
  }
  for (const span of many(next)) {
    sim.start(ps(span));
    trace(`slice ${sim.now} ${sim.deltaCount}`);
  }
}
