/** `tandem gemm M N K`: one random int8 product through driver and design, checked, with its clocks. */
import { createHash } from "node:crypto";
import type { ArgumentsCamelCase, Argv, CommandModule } from "yargs";
import type { Level } from "../../../driver/design.js";
import type { LayerResult } from "../../../driver/accelerator.js";
import { layerMacs } from "../../../driver/layer.js";
import { TandemError } from "../../../hw/errors.js";
import { TextFile } from "../../../sim/trace/file.js";
import { parseWindow, Trace } from "../../../sim/trace/trace.js";
import { isAcceleratorPlace, openAccelerator, type Engine, type OpenAccelerator } from "../../accelerators.js";
import { randomGemm, type Gemm } from "../../gemm.js";
import { version } from "../../version.js";
import { UsageError } from "../errors.js";
import { checkWritable, writeWhole } from "../files.js";
import {
  checkEngine,
  designOptions,
  engineOption,
  levelOption,
  openPlatform,
  parseSet,
  watch,
  platformOption,
  type DesignArguments,
  type PlatformArguments,
} from "../options.js";
import { Progress } from "../progress.js";
import { count, fixed, percent, table } from "../table.js";

interface Arguments extends DesignArguments, Pick<PlatformArguments, "platform" | "calibration"> {
  m: number;
  n: number;
  k: number;
  seed: number;
  on: string;
  engine: Engine | undefined;
  level: Level | undefined;
  json: string | undefined;
  vcd: string | undefined;
  trace: string[];
  window: string | undefined;
  progress: boolean | undefined;
}

function builder(yargs: Argv): Argv<Arguments> {
  return platformOption(designOptions(yargs))
    .positional("m", { type: "number", demandOption: true, describe: "Rows of inputs (pixels)" })
    .positional("n", { type: "number", demandOption: true, describe: "Columns of weights (output channels)" })
    .positional("k", { type: "number", demandOption: true, describe: "Depth (input channels)" })
    .option("seed", { type: "number", default: 1, requiresArg: true, describe: "Of the random operands" })
    .option("on", { type: "string", default: "sim", requiresArg: true, describe: "sim, or tcp://HOST:PORT" })
    .option("engine", engineOption)
    .option("level", levelOption)
    .option("json", { type: "string", requiresArg: true, describe: "Write the result here (docs/gemm.schema.json)" })
    .option("vcd", { type: "string", requiresArg: true, describe: "Write a waveform here (with --on sim)" })
    .option("trace", {
      type: "string",
      array: true,
      default: [] as string[],
      describe: "What the waveform shows: 'systolic.decoder.*' (docs/waveforms.md)",
    })
    .option("window", { type: "string", requiresArg: true, describe: "Clocks that it shows: FROM:TO" })
    .option("progress", { type: "boolean", describe: "Progress on stderr even where that is no terminal" });
}

export const gemm: CommandModule<object, Arguments> = {
  command: "gemm <m> <n> <k>",
  describe: "Run one random int8 matrix product on a design, check it, and count its clocks",
  builder,
  handler,
};

async function handler(args: ArgumentsCamelCase<Arguments>): Promise<void> {
  checkArguments(args);
  const product = randomGemm(args.m, args.n, args.k, args.seed);
  const macs = layerMacs(product.layer);
  const { name: platform, board } = openPlatform(args, "ideal");
  const waveform = openWaveform(args);
  const progress = new Progress(args.progress);
  try {
    const open = await openAccelerator({
      on: args.on,
      design: args.design,
      set: parseSet(args.set),
      engine: args.engine,
      level: args.level,
      ...watch(progress),
      ...(board && { simulation: { board } }),
      ...(waveform && { inProcess: { onKernel: waveform.attach } }),
    });
    try {
      progress.begin([{ name: product.layer.name, work: macs }]);
      const { result, tiling, wallMs } = await runGemm(open, product).finally(() => progress.close());
      const report = makeReport(args, open, result, { macs, tiling, wallMs, platform });
      if (args.json !== undefined) writeWhole(args.json, `${JSON.stringify(report, null, 2)}\n`);
      process.stdout.write(`${describeReport(report)}\n`);
    } finally {
      await open.accelerator.close();
    }
  } finally {
    waveform?.close();
  }
}

function checkArguments(args: Arguments): void {
  const { on, engine, level, seed, vcd, trace, window, json, platform, calibration } = args;
  if (level === "functional")
    throw new UsageError("--level functional: a product is held against it anyway", {
      hint: "Use transaction, cycle or rtl.",
    });
  if (!isAcceleratorPlace(on)) throw new UsageError(`--on ${on}: expected sim or tcp://HOST:PORT`);
  if (!Number.isSafeInteger(seed)) throw new UsageError(`--seed ${seed}: expected a whole number`);
  checkEngine({ on, engine, level });
  if (on !== "sim" && (platform === "pynq-z1" || calibration !== undefined))
    throw new UsageError(`--platform and --calibration mean nothing with --on ${on}`, { hint: "Add --on sim." });
  if (vcd !== undefined && engine !== undefined && engine !== "kernel")
    throw new UsageError(`--vcd needs the kernel, which is equal to the engine ${engine} clock for clock`, {
      hint: `Leave --engine ${engine} away.`,
    });
  if (vcd !== undefined && on !== "sim") throw new UsageError("--vcd needs the simulator in this process: --on sim");
  if (vcd === undefined && (trace.length > 0 || window !== undefined))
    throw new UsageError("--trace and --window need --vcd FILE");
  if (vcd !== undefined && vcd === json) throw new UsageError("--json and --vcd name the same file");
  if (json !== undefined) checkWritable(json);
  if (vcd !== undefined) checkWritable(vcd);
}

interface Waveform {
  readonly attach: (kernel: ConstructorParameters<typeof Trace>[0]) => void;
  readonly close: () => void;
}

/** A waveform is kept also of a run that fails: then it is wanted most. */
function openWaveform({ vcd, trace, window }: Arguments): Waveform | undefined {
  if (vcd === undefined) return undefined;
  const clocks = window === undefined ? {} : parseWindow(window);
  let file: TextFile | undefined;
  let waves: Trace | undefined;
  return {
    attach(kernel) {
      waves = new Trace(kernel, (text) => (file ??= new TextFile(vcd)).write(text), { patterns: trace, ...clocks });
    },
    close() {
      waves?.close();
      file?.close();
    },
  };
}

/** @throws TandemError if the design refuses the product, or gives a wrong one. */
async function runGemm({ design, config, accelerator }: OpenAccelerator, { layer, input }: Gemm) {
  const refusal = accelerator.refuses(layer);
  if (refusal !== null) throw new TandemError(`Design ${design.name} does not take ${layer.name}: ${refusal}`);
  const { tiling } = design.compile(layer, config);
  const start = performance.now();
  const result = await accelerator.run(accelerator.compile(layer), input);
  const wallMs = performance.now() - start;
  const expected = design.functional(layer, input);
  const wrong = expected.findIndex((value, i) => value !== result.output[i]);
  if (wrong >= 0 || result.output.length !== expected.length) {
    const differing = expected.reduce((sum, value, i) => sum + Number(value !== result.output[i]), 0);
    const { outChannels: n } = layer;
    throw new TandemError(
      `Design ${design.name} gives ${differing} of ${expected.length} values wrong; first row ${Math.floor(wrong / n)}, column ${wrong % n}`,
      { hint: "That is a defect of the design: compare with --vcd." },
    );
  }
  return { result, tiling, wallMs };
}

interface Extra {
  readonly macs: number;
  readonly tiling: Readonly<Record<string, number | boolean>>;
  readonly wallMs: number;
  readonly platform: string;
}

function makeReport(
  { m, n, k, seed }: Arguments,
  { accelerator, description }: OpenAccelerator,
  result: LayerResult,
  { macs, tiling, wallMs, platform }: Extra,
) {
  const { clocks, exact, estimates, bytesIn, bytesOut, stalls, output } = result;
  const peak = accelerator.peakMacsPerClock;
  return {
    tandem: version,
    gemm: { m, n, k, seed },
    design: description.design,
    config: description.parameters,
    engine: description.engine,
    level: description.level,
    platform,
    output: { shape: [m, n], dtype: "int8", sha256: createHash("sha256").update(output).digest("hex") },
    clocks: { total: clocks, exact, estimates },
    macs,
    macPerClock: macs / clocks,
    peakMacsPerClock: peak,
    shareOfPeak: macs / clocks / peak,
    bytesIn,
    bytesOut,
    tiling,
    stalls,
    wallMs,
  };
}

type GemmReport = ReturnType<typeof makeReport>;

/** Stalls shown; the rest is in the JSON. */
const SHOWN = 12;

function describeReport(report: GemmReport): string {
  const { gemm: size, design, config, clocks, macs, peakMacsPerClock, bytesIn, bytesOut, wallMs } = report;
  const parameters = Object.entries(config).map(([name, value]) => `${name}=${String(value)}`);
  const stalls = Object.entries(report.stalls).sort(([, a], [, b]) => b - a);
  const exactness = clocks.exact
    ? "exact"
    : `not exact: its processes hold ${count(clocks.estimates)} clocks of estimates`;
  return [
    `${size.m} x ${size.n} x ${size.k} on ${design} (${report.engine}, ${report.level}, platform ${report.platform}), equal to the functional model`,
    parameters.join(" "),
    "",
    `${count(clocks.total)} clocks (${exactness}) for ${count(macs)} MACs: ${fixed(report.macPerClock, 1)} MAC per clock, ` +
      `${percent(report.shareOfPeak)} of the peak of ${count(peakMacsPerClock)}`,
    `${count(bytesIn)} bytes in, ${count(bytesOut)} bytes out; ` +
      `${fixed(wallMs, 0)} ms, ${count((clocks.total / wallMs) * 1000)} clocks per second`,
    ...(stalls.length > 0
      ? [
          "",
          table(stalls.slice(0, SHOWN), [
            { title: "stalled", cell: ([name]) => name, align: "left" },
            { title: "clocks", cell: ([, n]) => n },
            { title: "of the run", cell: ([, n]) => percent(n / clocks.total) },
          ]),
        ]
      : []),
  ].join("\n");
}
