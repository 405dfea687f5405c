/**
 * What can be seen of a running design, as named scalars: one probe per bit-level variable of a waveform.
 *
 * A *register* shows in clock t what the edge before t gave it (occupancies, fields, signals, `q`). A *pulse* shows what
 * happened in clock t (pushes, pops, accesses) and is zero where nothing did. A *state* shows where a process stands at the end
 * of clock t.
 */
import type { Elaborated } from "../../hw/index.js";
import type { Channel } from "../../hw/channel.js";
import type { Memory, MemoryPort } from "../../hw/memory.js";
import type { Module } from "../../hw/module.js";
import type { Type, StructType, VecType } from "../../hw/types.js";
import type { GridRun } from "../kernel/grid-runner.js";
import type { Running } from "../kernel/kernel.js";
import { fieldsOf } from "../kernel/state.js";
import type { VariableKind } from "./vcd.js";

export type Sample = number | bigint | undefined;

export interface Probe {
  /** Dotted path; the last part names the variable, the ones before it are scopes. */
  readonly path: string;
  readonly kind: VariableKind;
  readonly phase: "register" | "pulse" | "state";
  read(running: readonly Running[]): Sample;
}

/** Words of the `state` variable of a process. */
export const processState = { idle: 0, busy: 1, pop: 2, push: 3 } as const;

/** Every probe of a design: its channels, processes, signals, memory ports, fields and cells. */
export function probesOf(design: Elaborated, grids: readonly GridRun[]): Probe[] {
  return [
    ...design.channels.flatMap(channelProbes),
    ...processProbes(design),
    ...design.signals.flatMap((signal) => leaves(signal.path, signal.type, "register", () => signal.read())),
    ...design.memories.flatMap((memory) => memory.ports.flatMap((port) => portProbes(memory, port))),
    ...design.modules.flatMap(fieldProbes),
    ...grids.flatMap(gridProbes),
  ];
}

const word = (max: number): VariableKind => ({ bits: Math.max(1, Math.ceil(Math.log2(max + 1))) });
const bit: VariableKind = { bits: 1 };

function channelProbes(channel: Channel): Probe[] {
  const { path, depth, lanes } = channel;
  const data = Array.from({ length: lanes }, (_, lane) =>
    leaves(`${path}.data${lanes === 1 ? "" : lane}`, channel.type, "register", () => channel.held(lane)),
  );
  return [
    { path: `${path}.valid`, kind: bit, phase: "register", read: () => Number(channel.occupancy > 0) },
    { path: `${path}.ready`, kind: bit, phase: "register", read: () => Number(channel.occupancy < depth) },
    { path: `${path}.occupancy`, kind: word(depth), phase: "register", read: () => channel.occupancy },
    { path: `${path}.pushes`, kind: word(lanes), phase: "pulse", read: since(() => channel.pushed) },
    { path: `${path}.pops`, kind: word(lanes), phase: "pulse", read: since(() => channel.popped) },
    ...data.flat(),
  ];
}

/** How far a count has moved since the last look; after a reset, one look starts it again from 0. */
function since(count: () => number): () => number {
  let last = 0;
  return () => {
    const now = count();
    const moved = now >= last ? now - last : now;
    last = now;
    return moved;
  };
}

function processProbes({ processes, channels }: Elaborated): Probe[] {
  const longest = channels.reduce((most, { path }) => Math.max(most, path.length), 1);
  return processes.flatMap((node, index): Probe[] => [
    {
      path: `${node.path}.state`,
      kind: { bits: 2 },
      phase: "state",
      read: (running) => {
        const { ended, blocked } = running[index]!;
        if (blocked) return processState[blocked.kind];
        return ended ? processState.idle : processState.busy;
      },
    },
    {
      // Text, as 8 bits a character: viewers show it as ASCII. Empty where the process is not stalled.
      path: `${node.path}.stalled_on`,
      kind: { bits: 8 * longest },
      phase: "state",
      read: (running) => ascii(running[index]!.blocked?.channel.path ?? ""),
    },
  ]);
}

function ascii(text: string): bigint {
  let value = 0n;
  for (const character of text) value = (value << 8n) | BigInt(character.charCodeAt(0));
  return value;
}

function portProbes(memory: Memory, port: MemoryPort): Probe[] {
  const { path } = port;
  const address = word(memory.depth - 1);
  const probes: Probe[] = [];
  if (port.canRead)
    probes.push(
      { path: `${path}.ren`, kind: bit, phase: "pulse", read: () => Number(port.activity.read !== undefined) },
      { path: `${path}.raddr`, kind: address, phase: "state", read: () => port.activity.read },
      ...leaves(`${path}.q`, memory.type, "register", () => port.activity.q),
    );
  if (port.canWrite)
    probes.push(
      { path: `${path}.wen`, kind: bit, phase: "pulse", read: () => Number(port.activity.write !== undefined) },
      { path: `${path}.waddr`, kind: address, phase: "state", read: () => port.activity.write },
      ...leaves(`${path}.wdata`, memory.type, "state", () => {
        const at = port.activity.write;
        return at === undefined ? undefined : memory.words[at];
      }),
    );
  return probes;
}

/** Fields hold plain numbers whose type only the source knows: they are shown as numbers. */
function fieldProbes(module: Module): Probe[] {
  return fieldsOf(module).flatMap((name) =>
    untyped(`${module.path}.${name}`, () => (module as unknown as Record<string, unknown>)[name]),
  );
}

function untyped(path: string, read: () => unknown): Probe[] {
  const sample = read();
  if (Array.isArray(sample)) return sample.flatMap((_, i) => untyped(`${path}.${i}`, () => part(read(), i)));
  if (typeof sample === "object" && sample !== null)
    return Object.keys(sample).flatMap((key) => untyped(`${path}.${key}`, () => part(read(), key)));
  const kind = typeof sample === "boolean" ? bit : "real";
  return [{ path, kind, phase: "register", read: () => scalar(read()) }];
}

function gridProbes(run: GridRun): Probe[] {
  const { grid } = run;
  const { rows, cols, cell } = grid;
  const probes: Probe[] = [{ path: `${grid.path}.feeds`, kind: bit, phase: "pulse", read: since(() => run.waves) }];
  for (let row = 0; row < rows; row++)
    for (let col = 0; col < cols; col++) {
      const path = `${grid.path}.cell_${row}_${col}`;
      probes.push(
        ...leaves(`${path}.state`, cell.state, "register", () => run.cell(row, col).state),
        ...leaves(`${path}.east`, cell.west, "register", () => run.cell(row, col).east),
        ...leaves(`${path}.south`, cell.north, "register", () => run.cell(row, col).south),
      );
    }
  return probes;
}

/** The scalars of a typed value: lanes of vectors are `lane0`, `lane1`, ..., fields of structs have their names. */
function leaves(path: string, type: Type, phase: Probe["phase"], read: () => unknown): Probe[] {
  if (type.kind === "vec") {
    const { of, length } = type as VecType;
    return Array.from({ length }, (_, lane) =>
      leaves(`${path}.lane${lane}`, of, phase, () => part(read(), lane)),
    ).flat();
  }
  if (type.kind === "struct")
    return Object.entries((type as StructType).fields).flatMap(([name, field]) =>
      leaves(`${path}.${name}`, field, phase, () => part(read(), name)),
    );
  return [{ path, kind: { bits: type.bits }, phase, read: () => scalar(read()) }];
}

const part = (whole: unknown, key: string | number): unknown =>
  whole === undefined ? undefined : (whole as Record<string | number, unknown>)[key];

const scalar = (value: unknown): Sample => (value === undefined ? undefined : Number(value));
