/** Two engines that ran one program on a design: everything that both give and count, ready to be compared. */
import { expect } from "chai";
import type { Design } from "../../driver/design.js";
import type { Device, ParameterValue, RunResult } from "../../driver/device.js";
import { stallTable } from "../../sim/kernel/counters.js";
import { randomLayer, type LayerShape } from "./layers.js";

/** Without the order in which stalls came up. */
export const comparable = ({ outputs, clocks, exact, counters }: RunResult): unknown => ({
  outputs,
  clocks,
  exact,
  stalls: stallTable(counters!),
  processes: counters!.processes.map(({ path, busy, idle, estimated }) => ({ path, busy, idle, estimated })),
  channels: counters!.channels,
  memories: counters!.memories,
  grids: counters!.grids,
});

/** Runs random layers of the given shapes on both devices, twice on the second, and expects the same of all runs. */
export async function expectEqual<Config>(
  design: Design<Config>,
  parameters: Readonly<Record<string, ParameterValue>>,
  [reference, other]: readonly [Device, Device],
  shapes: readonly LayerShape[],
  seed: number,
): Promise<void> {
  const config = design.configure(parameters);
  for (const [i, shape] of shapes.entries()) {
    const { layer, input } = randomLayer(shape, seed + i);
    if (design.refuses(layer, config) !== null) continue;
    const { program, inputs, output } = design.compile(layer, config);
    const expected = await reference.run(await reference.load(program), inputs(input));
    const handle = await other.load(program);
    const what = `seed ${seed}, layer ${i}`;
    expect(comparable(await other.run(handle, inputs(input))), what).to.deep.equal(comparable(expected));
    expect(comparable(await other.run(handle, inputs(input))), `${what}, again`).to.deep.equal(comparable(expected));
    expect([...output(expected.outputs)], what).to.deep.equal([...design.functional(layer, input)]);
  }
}
