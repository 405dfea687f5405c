/** A small design that the fast engine can compile: bytes come in, one is added, bytes go out. In a worker it can end the thread. */
import { isMainThread } from "node:worker_threads";
import { Module, TandemError, u8, vec, type Process } from "../../../hw/index.js";
import { checkParameters, type Design, type ParameterSpec } from "../../../driver/design.js";
import type { ParameterValue } from "../../../driver/device.js";
import { SharedRun } from "../../../driver/transport/shared-run.js";
import { beatType } from "../../../driver/stream.js";

const WIDTH = 4;
const beat = beatType(WIDTH);

class Successor extends Module {
  static readonly source = import.meta.url;
  readonly a = this.channelIn(beat);
  readonly y = this.channelOut(beat);

  constructor() {
    super(null, "successor");
    this.clocked(this.run);
  }

  *run(): Process {
    for (;;) {
      const { data, last } = yield* this.a.pop();
      yield* this.y.push({ data: vec(u8, WIDTH)((i) => u8(data[i]! + 1)), last });
      yield;
    }
  }
}

interface Config {
  /** When a worker ends: never, before it has begun, or once it has simulated something. */
  readonly ends: string;
  /** Says that it takes layers, which it does not. */
  readonly lies: boolean;
}

const parameters: readonly ParameterSpec[] = [
  { name: "ends", description: "when a worker ends", unit: "", default: "never", values: ["never", "start", "run"] },
  { name: "lies", description: "says that it takes layers", unit: "", default: false },
];

const noLayers = (): never => {
  throw new TandemError("The successor takes no layers");
};

export const successor: Design<Config> = {
  name: "successor",
  title: "Adds one to bytes",
  parameters,
  presets: {},
  levels: ["rtl"],
  configure(overrides: Readonly<Record<string, ParameterValue>> = {}) {
    return { ends: "never", lies: false, ...checkParameters("successor", parameters, overrides) };
  },
  describe: (config) => ({ ...config }),
  build({ ends }) {
    const exit = (): never => process.exit(3);
    if (!isMainThread && ends === "start") exit();
    if (!isMainThread && ends === "run") SharedRun.prototype.write = exit;
    return new Successor();
  },
  peakMacsPerClock: () => 1,
  refuses: (_, { lies }) => (lies ? null : "the successor takes no layers"),
  compile: noLayers,
  functional: noLayers,
};
