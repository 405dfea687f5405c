/** Runs the program of a layer on a kernel that is at hand, with sources and sinks that pause at random where asked to. */
import { elaborate, type Channel } from "../../../hw/index.js";
import type { CompiledProgram } from "../../../driver/design.js";
import { checkProgram, type Transfer } from "../../../driver/program.js";
import { streamPorts, type Beat } from "../../../driver/stream.js";
import type { U8 } from "../../../hw/index.js";
import { clocks, type Process } from "../../../hw/process.js";
import type { Kernel } from "../../../sim/kernel/kernel.js";
import type { Counters } from "../../../sim/kernel/counters.js";

/** Clocks to pause before the next beat of a stream. */
export type Stalls = (stream: string) => number;

export function runCompiled(
  kernel: Kernel,
  compiled: CompiledProgram,
  input: Uint8Array,
  stalls?: Stalls,
): { output: Uint8Array; clocks: number; counters: Counters } {
  const { program } = compiled;
  const ports = elaborate(kernel.design.top);
  checkProgram(program, streamPorts(ports));
  const given = compiled.inputs(input);
  const buffers = program.buffers.map(({ name, bytes, data }) => data ?? given[name] ?? new Uint8Array(bytes));
  const transfers = (stream: string): Transfer[] =>
    program.steps.filter((step): step is Transfer => step.kind !== "write" && step.stream === stream);
  for (const { name, direction, bytes } of streamPorts(ports)) {
    const mine = transfers(name);
    if (direction === "in")
      kernel.spawn(() => source(ports.inputs[name] as Channel<Beat>, mine, buffers, bytes, stalls));
    else kernel.spawn(() => sink(ports.outputs[name] as Channel<Beat>, mine, buffers, bytes, stalls));
  }
  const clocksRun = kernel.run();
  for (const { name } of streamPorts(ports)) {
    const moved = (ports.inputs[name] ?? ports.outputs[name])!.popped;
    const bytes = (ports.inputs[name] ?? ports.outputs[name])!.type.bits >> 3;
    const expected = transfers(name).reduce((sum, { length }) => sum + length / bytes, 0);
    if (moved !== expected)
      throw new Error(
        `${program.name}: ${moved} of ${expected} beats on ${name}; stalled: ${JSON.stringify(kernel.stalled)}`,
      );
  }
  const outputs = Object.fromEntries(program.buffers.map(({ name }, i) => [name, buffers[i]!]));
  return { output: compiled.output(outputs), clocks: clocksRun, counters: kernel.counters };
}

function* source(
  channel: Channel<Beat>,
  transfers: Transfer[],
  buffers: Uint8Array[],
  width: number,
  stalls?: Stalls,
): Process {
  for (const { buffer, offset, length } of transfers)
    for (let at = 0; at < length; at += width) {
      if (stalls) yield* clocks(stalls(channel.name));
      const data = Array.from(buffers[buffer]!.subarray(offset + at, offset + at + width)) as U8[];
      yield* channel.push({ data, last: at + width === length });
      yield;
    }
}

function* sink(
  channel: Channel<Beat>,
  transfers: Transfer[],
  buffers: Uint8Array[],
  width: number,
  stalls?: Stalls,
): Process {
  for (const { buffer, offset, length } of transfers)
    for (let at = 0; at < length; at += width) {
      if (stalls) yield* clocks(stalls(channel.name));
      const beat = yield* channel.pop();
      buffers[buffer]!.set(beat.data, offset + at);
      if (beat.last !== (at + width === length))
        throw new Error(`${channel.path}: TLAST is wrong at byte ${offset + at}`);
      yield;
    }
}
