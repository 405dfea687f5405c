/**
 * Random networks of small processes, made as IR: the fast engine compiles it, the kernel interprets it (interpret.ts).
 * Processes pop, push, wait, poll, compute, loop, use memories of their own and share signals, at random.
 */
import { elaborate } from "../../../hw/index.js";
import type { DesignIr, Local, ProcessIr, StateField, Stmt } from "../../../hw/ir/ir.js";
import { Interpreter } from "./interpret.js";
import { Network, type NetworkOptions } from "./network-parts.js";
import { Writer } from "./network-writer.js";
import { Random } from "./random.js";

export interface Case {
  readonly top: Network;
  readonly ir: DesignIr;
}

export function randomNetwork(seed: number, options: NetworkOptions): Case {
  const random = new Random(seed);
  const processes = 1 + random.below(4);
  const top = new Network(random, processes, random.below(5));
  const bodies: { fields: StateField[]; locals: Local[]; body: Stmt[]; polls: boolean }[] = [];
  for (let p = 0; p < processes; p++)
    top.process(`p${p}`, () => new Interpreter(bodies[p]!.fields).run(bodies[p]!.body));
  const design = elaborate(top);
  top.wires.push({ channel: Object.values(design.inputs)[0]!, producer: -1, consumer: random.below(processes) });
  top.wires.push({ channel: Object.values(design.outputs)[0]!, producer: random.below(processes), consumer: -1 });
  const writer = random.below(processes);
  for (let p = 0; p < processes; p++) {
    const writer0 = new Writer(random, top, p, options, p === writer);
    const body = writer0.process();
    bodies.push({ fields: writer0.fields, locals: writer0.locals, body, polls: writer0.polls });
  }
  const irs = bodies.map((body, p): ProcessIr => ({ node: design.processes[p]!, ...body, estimates: false }));
  return { top, ir: { design, processes: irs, cells: [] } };
}
