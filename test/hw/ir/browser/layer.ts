/** One layer on the systolic design in the fast engine, from the IR as JSON: the same code in Node and in a browser. */
import { systolic } from "../../../../designs/systolic/index.js";
import type { Beat } from "../../../../driver/stream.js";
import { elaborate } from "../../../../hw/elaborate.js";
import { irFromJson } from "../../../../hw/ir/json.js";
import { FastEngine } from "../../../../sim/fast/engine.js";
import { randomLayer } from "../../../designs/layers.js";

export const parameters = { rows: 8, cols: 8 } as const;

export interface Outcome {
  readonly clocks: number;
  /** Per output stream, each token and its clock. */
  readonly outputs: Readonly<Record<string, readonly { value: unknown; clock: number }[]>>;
  /** The output tensor. */
  readonly bytes: readonly number[];
}

export function runLayer(ir: string): Outcome {
  const config = systolic.configure(parameters);
  const design = elaborate(systolic.build(config));
  const engine = new FastEngine(irFromJson(design, ir));
  const { layer, input } = randomLayer({ height: 6, width: 7, inChannels: 19, outChannels: 21, kernel: 2 }, 4);
  const { program, inputs, output } = systolic.compile(layer, config);
  const given: Readonly<Record<string, Uint8Array>> = inputs(input);
  const memory = program.buffers.map(({ name, bytes, data }) => data ?? given[name] ?? new Uint8Array(bytes));
  const beatBytes = (stream: string): number => (stream === "instructions" ? 4 : config.streamBytes);
  for (const stream of Object.keys(design.inputs)) {
    const beats: Beat[] = [];
    for (const step of program.steps) {
      if (step.kind !== "send" || step.stream !== stream) continue;
      const size = beatBytes(stream);
      for (let at = step.offset; at < step.offset + step.length; at += size)
        beats.push({
          data: [...memory[step.buffer]!.subarray(at, at + size)],
          last: at + size === step.offset + step.length,
        } as unknown as Beat);
    }
    engine.send(stream, beats);
  }
  for (const stream of Object.keys(design.outputs)) engine.output(stream, 10_000);
  const clocks = engine.run();
  const outputs = Object.fromEntries(Object.keys(design.outputs).map((stream) => [stream, engine.values(stream)]));
  const result: Record<string, Uint8Array> = {};
  for (const step of program.steps) {
    if (step.kind !== "receive") continue;
    const buffer = program.buffers[step.buffer]!;
    const bytes = outputs[step.stream]!.flatMap(({ value }) => [...(value as Beat).data]);
    (result[buffer.name] ??= new Uint8Array(buffer.bytes)).set(bytes.slice(0, step.length), step.offset);
  }
  return { clocks, outputs, bytes: [...output(result)] };
}
