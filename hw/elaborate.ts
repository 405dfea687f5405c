/** Elaboration: walk a finished design once, name its parts, check its connections, and list them for an engine. */
import { Channel, ChannelIn } from "./channel.js";
import { TandemError } from "./errors.js";
import type { Grid } from "./grid.js";
import type { Memory } from "./memory.js";
import { nameParts, type Module } from "./module.js";
import type { ProcessNode } from "./process.js";
import type { Signal } from "./signal.js";

/** Every part of a design, in the order of declaration. */
export interface Elaborated {
  readonly top: Module;
  readonly modules: readonly Module[];
  readonly processes: readonly ProcessNode[];
  /** All channels, those of the outer ports included. */
  readonly channels: readonly Channel[];
  readonly memories: readonly Memory[];
  readonly signals: readonly Signal[];
  readonly grids: readonly Grid[];
  /** The outer ports by name: what drives the design and what it drives. */
  readonly inputs: Readonly<Record<string, Channel>>;
  readonly outputs: Readonly<Record<string, Channel>>;
}

const done = new WeakMap<Module, Elaborated>();

/** Elaborate `top`; the outer ports get channels (registers) of their own. A second call gives the same answer. */
export function elaborate(top: Module): Elaborated {
  const before = done.get(top);
  if (before) return before;
  const modules = descend(top);
  for (const module of modules) nameParts(module);
  const inputs: Record<string, Channel> = {};
  const outputs: Record<string, Channel> = {};
  const outer: Channel[] = [];
  for (const port of top.ports) {
    if (port.bound)
      throw new TandemError(`${port.path} is an outer port, but is connected from inside as if it were a child's`);
    const channel = new Channel(top, port.name, port.type);
    port.bound = channel;
    outer.push(channel);
    (port instanceof ChannelIn ? inputs : outputs)[port.name] = channel;
  }
  for (const module of modules) {
    for (const port of module.ports) port.resolve();
    for (const grid of module.grids) grid.results.resolve();
  }
  const processes = modules.flatMap((module) => module.processes);
  processes.forEach((process, index) => (process.index = index));
  const result: Elaborated = {
    top,
    modules,
    processes,
    channels: [...outer, ...modules.flatMap((module) => module.channels)],
    memories: modules.flatMap((module) => module.memories),
    signals: modules.flatMap((module) => module.signals),
    grids: modules.flatMap((module) => module.grids),
    inputs,
    outputs,
  };
  checkNames(result);
  done.set(top, result);
  return result;
}

const descend = (module: Module): Module[] => [module, ...module.children.flatMap(descend)];

function checkNames({ channels, memories, signals }: Elaborated): void {
  const seen = new Set<string>();
  for (const { path } of [...channels, ...memories, ...signals]) {
    if (path.endsWith("."))
      throw new TandemError(`${path.slice(0, -1)} has a memory or signal that no field holds`, {
        hint: "Keep it in a field of the module, which gives it its name.",
      });
    if (seen.has(path)) throw new TandemError(`Two parts of the design are named ${path}`);
    seen.add(path);
  }
}
