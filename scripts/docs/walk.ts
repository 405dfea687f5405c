/**
 * The walk to the default of the systolic design, measured: for each preset the clocks over all CONV_2D of MobileNetV1 and V2, and what
 * the array waited for. `node dist/scripts/docs/walk.js` prints it as a table for designs/systolic/README.md.
 */
import { systolic } from "../../designs/systolic/index.js";
import type { ParameterValue } from "../../driver/device.js";
import { layerMacs, type ConvLayer } from "../../driver/layer.js";
import { programTraffic } from "../../driver/program.js";
import { FastSimulator } from "../../driver/transport/fast-simulator.js";
import type { Operator, OperatorOf } from "../../host/graph/graph.js";
import { convLayer } from "../../host/kernels/parameters/conv.js";
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

async function measure(set: Readonly<Record<string, ParameterValue>>, layers: readonly ConvLayer[]): Promise<Totals> {
  const config = systolic.configure(set);
  const device = await FastSimulator.of(systolic, set);
  const waits = new Map<string, number>();
  const add = (what: string, clocks: number): void => void waits.set(what, (waits.get(what) ?? 0) + clocks);
  let clocks = 0;
  let macs = 0;
  let bytes = 0;
  for (const layer of layers) {
    const { program, inputs } = systolic.compile(layer, config);
    const handle = await device.load(program);
    const { batch, inHeight, inWidth, inChannels } = layer;
    // Clocks do not depend on the data.
    const result = await device.run(handle, inputs(new Uint8Array(batch * inHeight * inWidth * inChannels)));
    await device.unload(handle);
    clocks += result.clocks;
    macs += layerMacs(layer);
    const traffic = programTraffic(program);
    bytes += traffic.bytesIn + traffic.bytesOut;
    const feeder = result.counters!.processes.find(({ path }) => path.endsWith("array.feed"))!;
    const { waves } = result.counters!.grids[0]!;
    add("gaps between tiles", feeder.busy - waves);
    for (const stall of feeder.stalls)
      add(stall.channel.endsWith("credits") ? "post-processor" : "operands", stall.clocks);
  }
  await device.close();
  const share = macs / clocks / systolic.peakMacsPerClock(config);
  const shares = new Map([...waits].map(([what, n]) => [what, n / clocks]));
  return { clocks, share, megabytes: bytes / 1e6, waits: shares };
}

const percent = (x: number): string => `${(100 * x).toFixed(1)} %`;

const all = models.map(convolutions);
console.log("| preset | clocks V1 | share | clocks V2 | share | MB V1 | the array waits (V1 / V2) for |");
console.log("|---|---|---|---|---|---|---|");
for (const [name, set] of [...Object.entries(systolic.presets), ["default", {}] as const]) {
  const [v1, v2] = [await measure(set, all[0]!), await measure(set, all[1]!)];
  const causes = [...v1.waits.keys()].map(
    (what) => `${what} ${percent(v1.waits.get(what)!)} / ${percent(v2.waits.get(what) ?? 0)}`,
  );
  const cells = [v1.clocks, percent(v1.share), v2.clocks, percent(v2.share), v1.megabytes.toFixed(1)];
  console.log(`| ${[name, ...cells, causes.join(", ")].join(" | ")} |`);
}
