/**
 * The walk to the default of a design, measured: for each preset the clocks over all CONV_2D of MobileNetV1 and V2, and what
 * the array waited for. `node dist/scripts/docs/walk.js DESIGN [PRESET...]` prints it as a table for the design's README.
 */
import type { ParameterValue } from "../../driver/device.js";
import { layerMacs, type ConvLayer } from "../../driver/layer.js";
import { programTraffic } from "../../driver/program.js";
import type { Design } from "../../driver/design.js";
import { FastSimulator } from "../../driver/transport/fast-simulator.js";
import type { Operator, OperatorOf } from "../../host/graph/graph.js";
import { convLayer } from "../../host/kernels/parameters/conv.js";
import { findDesign } from "../../host/registry.js";
import { readTfliteFile } from "../../host/tflite/reader.js";

const models = ["mobilenet_v1_1.0_224_uint8", "mobilenet_v2_1.0_224_int8"];

function convolutions(model: string): ConvLayer[] {
  const graph = readTfliteFile(`../shared/models/${model}.tflite`);
  const isConv = (operator: Operator): operator is OperatorOf<"CONV_2D"> => operator.type === "CONV_2D";
  return graph.operators.filter(isConv).map((operator) => convLayer(graph, operator));
}

interface Totals {
  readonly clocks: number;
  readonly share: number;
  readonly megabytes: number;
  /** Share of the clocks in which the array was fed, and in which its feeder stood for each cause. */
  readonly waits: ReadonlyMap<string, number>;
}

/** The process that gives the array its operands: of a grid of cells, or of the units themselves. */
const isFeeder = (path: string): boolean => path.endsWith("array.feed") || path.endsWith("units.multiply");
/** Channels through which it learns that results cannot leave. */
const isOutlet = (channel: string): boolean => /(credits|units\.tiles|units\.given)$/.test(channel);

async function measure(
  design: Design,
  set: Readonly<Record<string, ParameterValue>>,
  layers: readonly ConvLayer[],
): Promise<Totals> {
  const config = design.configure(set);
  const device = await FastSimulator.of(design, set);
  const waits = new Map<string, number>();
  const add = (what: string, clocks: number): void => void waits.set(what, (waits.get(what) ?? 0) + clocks);
  let clocks = 0;
  let macs = 0;
  let bytes = 0;
  for (const layer of layers) {
    const { program, inputs } = design.compile(layer, config);
    const handle = await device.load(program);
    const { batch, inHeight, inWidth, inChannels } = layer;
    // Clocks do not depend on the data.
    const result = await device.run(handle, inputs(new Uint8Array(batch * inHeight * inWidth * inChannels)));
    await device.unload(handle);
    clocks += result.clocks;
    macs += layerMacs(layer);
    const traffic = programTraffic(program);
    bytes += traffic.bytesIn + traffic.bytesOut;
    const feeder = result.counters!.processes.find(({ path }) => isFeeder(path));
    // Models of published designs have none.
    if (!feeder) continue;
    const [grid] = result.counters!.grids;
    if (grid) add("gaps between tiles", feeder.busy - grid.waves);
    for (const stall of feeder.stalls) add(isOutlet(stall.channel) ? "post-processor" : "operands", stall.clocks);
  }
  await device.close();
  const share = macs / clocks / design.peakMacsPerClock(config);
  const shares = new Map([...waits].map(([what, n]) => [what, n / clocks]));
  return { clocks, share, megabytes: bytes / 1e6, waits: shares };
}

const percent = (x: number): string => `${(100 * x).toFixed(1)} %`;

const [name = "systolic", ...wanted] = process.argv.slice(2);
const { design } = await findDesign(name);
const all = models.map(convolutions);
console.log("| preset | clocks V1 | share | clocks V2 | share | MB V1 | the array waits (V1 / V2) for |");
console.log("|---|---|---|---|---|---|---|");
for (const [preset, set] of [...Object.entries(design.presets), ["default", {}] as const]) {
  if (wanted.length > 0 && !wanted.includes(preset)) continue;
  const [v1, v2] = [await measure(design, set, all[0]!), await measure(design, set, all[1]!)];
  const causes = [...v1.waits.keys()].map(
    (what) => `${what} ${percent(v1.waits.get(what)!)} / ${percent(v2.waits.get(what) ?? 0)}`,
  );
  const cells = [v1.clocks, percent(v1.share), v2.clocks, percent(v2.share), v1.megabytes.toFixed(1)];
  console.log(`| ${[preset, ...cells, causes.join(", ")].join(" | ")} |`);
}
