/** A small design for the tests of transports: bytes come in, a constant is added, bytes go out; and it can misbehave. */
import { Module, TandemError, u16, u8, vec, type Process, type StructType } from "../../../hw/index.js";
import { checkParameters, type Design, type ParameterSpec } from "../../../driver/design.js";
import type { ParameterValue } from "../../../driver/device.js";
import type { Program } from "../../../driver/program.js";
import { beatType, type Beat } from "../../../driver/stream.js";

interface Config {
  readonly add: number;
  readonly width: number;
  readonly estimate: number;
  readonly fault: string;
}

class Adder extends Module {
  static readonly source = import.meta.url;
  readonly beat: StructType<Beat>;
  readonly a;
  readonly y;
  readonly config: Config;

  constructor(config: Config) {
    super(null, "adder");
    this.config = config;
    this.beat = beatType(config.width);
    this.a = this.channelIn(this.beat);
    this.y = this.channelOut(this.beat);
    this.clocked(this.run);
  }

  *run(): Process {
    const { add, fault, width, estimate } = this.config;
    const word = vec(u8, width);
    for (let n = u16(0); ; n = u16(n + 1)) {
      const { data, last } = yield* this.a.pop();
      if (fault === "crash" && last) throw new Error("a defect of the design");
      if (fault === "exit" && data[0] === 255) process.exit(3);
      if (fault === "spin" && last) for (;;) yield;
      if (fault === "slow") for (let i = 0; i < 20_000; i++) yield;
      if (estimate > 0) yield* this.estimate(estimate);
      if (fault === "swallow" && n === 2) continue;
      yield* this.y.push({ data: word((i) => u8(data[i]! + add)), last: fault === "nolast" ? false : last });
      if (fault === "surplus" && last) yield* this.y.push({ data: word(() => u8(0)), last: true });
      yield;
    }
  }
}

const parameters: readonly ParameterSpec[] = [
  { name: "add", description: "added to every byte", unit: "", default: 1, min: 0, max: 255 },
  { name: "width", description: "bytes in a beat", unit: "bytes", default: 4, min: 1, max: 64 },
  { name: "estimate", description: "estimated clocks for each beat", unit: "clocks", default: 0, min: 0, max: 100 },
  {
    name: "fault",
    description: "how it misbehaves",
    unit: "",
    default: "none",
    values: ["none", "crash", "spin", "exit", "slow", "swallow", "nolast", "surplus"],
  },
];

const noLayers = (): never => {
  throw new TandemError("The adder takes no layers");
};

export const adder: Design<Config> = {
  name: "adder",
  title: "Adds a constant to bytes",
  parameters,
  presets: {},
  levels: ["cycle"],
  configure(overrides: Readonly<Record<string, ParameterValue>> = {}) {
    const defaults = Object.fromEntries(parameters.map((spec) => [spec.name, spec.default]));
    return { ...defaults, ...checkParameters("adder", parameters, overrides) } as unknown as Config;
  },
  describe: (config) => ({ ...config }),
  build: (config) => new Adder(config),
  peakMacsPerClock: () => 1,
  refuses: () => "the adder takes no layers",
  compile: noLayers,
  functional: noLayers,
};

/** Send `bytes` bytes in pieces of at most `piece`, and receive as many. */
export function adderProgram(bytes: number, piece = bytes, receive = bytes): Program {
  const pieces = (total: number): { offset: number; length: number }[] =>
    Array.from({ length: Math.ceil(total / piece) }, (_, i) => ({
      offset: i * piece,
      length: Math.min(piece, total - i * piece),
    }));
  return {
    name: "add",
    buffers: [
      { name: "x", role: "input", bytes },
      { name: "sum", role: "output", bytes: receive },
    ],
    steps: [
      ...pieces(bytes).map((part) => ({ kind: "send" as const, stream: "a", buffer: 0, ...part })),
      ...pieces(receive).map((part) => ({ kind: "receive" as const, stream: "y", buffer: 1, ...part })),
    ],
  };
}

export const ramp = (bytes: number): Uint8Array => Uint8Array.from({ length: bytes }, (_, i) => (7 * i) % 256);
