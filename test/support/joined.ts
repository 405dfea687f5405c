/** Layers one after the other on an accelerator that is not reset between them, as a board runs them. */
import type { CompiledProgram, Design } from "../../driver/design.js";
import type { ConvLayer } from "../../driver/layer.js";
import type { Program } from "../../driver/program.js";

type Buffers = Readonly<Record<string, Uint8Array>>;

export interface Joined {
  /**
   * Does all layers in order. Nothing waits between them: the streams of a layer follow those of the one before at once, so its
   * first beats come while that one is under way.
   */
  readonly program: Program;
  /** The contents of the input buffers. */
  readonly inputs: Buffers;
  /** The output tensor of each layer. */
  outputs(buffers: Buffers): Uint8Array[];
}

export function joinLayers<Config>(
  design: Design<Config>,
  config: Config,
  layers: readonly { readonly layer: ConvLayer; readonly input: Uint8Array }[],
): Joined {
  const compiled = layers.map(({ layer }) => design.compile(layer, config));
  const renamed = (i: number, buffers: Buffers): [string, Uint8Array][] =>
    Object.entries(buffers).map(([name, bytes]) => [joinedName(i, name), bytes]);
  return {
    program: join(compiled.map(({ program }) => program)),
    inputs: Object.fromEntries(compiled.flatMap(({ inputs }, i) => renamed(i, inputs(layers[i]!.input)))),
    outputs: (buffers) => compiled.map((one, i) => one.output(outputsOf(i, one, buffers))),
  };
}

function join(programs: readonly Program[]): Program {
  let first = 0;
  const parts = programs.map((program, i) => {
    const base = first;
    first += program.buffers.length;
    return {
      buffers: program.buffers.map((buffer) => ({ ...buffer, name: joinedName(i, buffer.name) })),
      steps: program.steps.map((step) => (step.kind === "write" ? step : { ...step, buffer: base + step.buffer })),
    };
  });
  return {
    name: programs.map(({ name }) => name).join(", then "),
    buffers: parts.flatMap(({ buffers }) => buffers),
    steps: parts.flatMap(({ steps }) => steps),
  };
}

const joinedName = (i: number, name: string): string => `layer ${i}: ${name}`;

const outputsOf = (i: number, { program }: CompiledProgram, buffers: Buffers): Buffers =>
  Object.fromEntries(
    program.buffers.filter(({ role }) => role === "output").map(({ name }) => [name, buffers[joinedName(i, name)]!]),
  );
