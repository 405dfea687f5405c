import { expect } from "chai";
import fc from "fast-check";
import { TandemError } from "../../../hw/errors.js";
import type { Kernel } from "../../../host/kernels/implementation.js";
import { runAhead } from "../../../host/runtime/ahead.js";
import { stepsOf } from "../../../host/runtime/steps.js";
import { rejection } from "../../support/rejection.js";
import { planOf, virtualRun, type VirtualLayer } from "./virtual.js";

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);
const work = (layers: readonly VirtualLayer[]): number => sum(layers.map(({ simulation }) => simulation));

/** Layers one behind the other. */
const chain = (times: readonly number[], cpu: (ms: number) => number): VirtualLayer[] =>
  times.map((simulation, i) => ({ inputs: i > 0 ? [i - 1] : [], simulation, cpu: cpu(simulation) }));

/** Blocks of four branches, as GoogLeNet's: one long one of two layers, one short one of two, two of one; then they are joined. */
function blocks(count: number): VirtualLayer[] {
  const layers: VirtualLayer[] = [];
  const add = (inputs: readonly number[], simulation: number, cpu?: number): number =>
    layers.push({ inputs, simulation, ...(cpu !== undefined && { cpu }) }) - 1;
  let input: number[] = [];
  for (let i = 0; i < count; i++) {
    const long = add([add(input, 2, 0.5)], 6, 2);
    const short = add([add(input, 1, 0.2)], 2, 0.5);
    input = [add([add(input, 3, 0.8), long, short, add(input, 2, 0.5)], 0)];
  }
  return layers;
}

describe("The schedule of layers that run at once", () => {
  it("takes half the time for two branches, and computes next to nothing", async () => {
    const ways = [0, 1].flatMap((way) =>
      [0, 1, 2, 3].map((i) => ({ inputs: i > 0 ? [4 * way + i - 1] : [], simulation: 5, cpu: 1 })),
    );
    const run = await virtualRun([...ways, { inputs: [3, 7], simulation: 0 }], 1);
    // What this thread goes on with is known at once, what the other does when this one looks.
    expect(run.computed).to.be.at.most(3);
    expect(run.ms).to.be.at.most(20 + 5);
  });

  it("takes the time of the long way of blocks whose other branches are as long together, with few bytes computed", async () => {
    const layers = blocks(9);
    const run = await virtualRun(layers, 1);
    expect(work(layers)).to.equal(9 * 16);
    expect(run.ms).to.be.at.most(9 * 8 * 1.1);
    // Of 40 that would be all of them, and 20 half.
    expect(run.computed).to.be.at.most(10);
  });

  it("computes about half of a chain, and both threads are busy to the end", async () => {
    for (const times of [
      Array.from({ length: 20 }, () => 8),
      [20, 9, 9, 9, 9, 5, 8, 8, 8, 4, 7, 7, 7, 5, 12, 12, 12],
    ]) {
      const layers = chain(times, (ms) => 0.3 * ms);
      const run = await virtualRun(layers, 1);
      expect(run.computed).to.be.within(0.3 * 0.4 * work(layers), 0.3 * 0.6 * work(layers));
      expect(run.ms).to.be.at.most((work(layers) + run.computed) / 2 + Math.max(...times) / 2);
    }
  });

  it("goes on with another layer while a long one is simulated elsewhere", async () => {
    // The other thread takes the long one first: its bytes are computed, they are much cheaper than waiting.
    const layers = chain([40, 10, 10, 10, 10], (ms) => ms / 10);
    expect((await virtualRun(layers, 1)).ms).to.be.at.most(46);
  });

  it("gains with every thread", async () => {
    const layers = blocks(9);
    const times = [];
    for (const others of [1, 2, 3]) times.push((await virtualRun(layers, others)).ms);
    expect(times[1]!).to.be.lessThan(times[0]!);
    expect(times[2]!).to.be.lessThan(times[1]!);
  });

  it("lets nothing be written any more by runs that are under way when one fails", async () => {
    let tooLate = (): boolean => false;
    const ahead = (offer: NonNullable<Kernel["ahead"]>["offer"]): NonNullable<Kernel["ahead"]> => ({
      here: true,
      offer,
      compute: () => expect.fail("nothing waits for it"),
    });
    const never = { result: new Promise<never>(() => undefined), finished: () => false, help: () => false };
    const kernels: Kernel[] = [
      // Another thread has it, and is not done.
      Object.assign(() => expect.fail("it is offered"), {
        ahead: ahead((_inputs, _output, known) => {
          tooLate = known;
          return Promise.resolve({ ...never, age: () => 0, urge: () => undefined });
        }),
      }),
      Object.assign(() => Promise.reject(new TandemError("got stuck")), {
        ahead: ahead(() => expect.fail("it is the longer one")),
      }),
      () => undefined,
    ];
    const layers = [1, 9, 0].map((simulation, i) => ({ inputs: i === 2 ? [0, 1] : [], simulation }));
    const plan = planOf(layers, (layer) => kernels[layer]!);
    stepsOf(plan).steps.forEach(({ simulation }, i) => {
      simulation.saw([8, 9, 0][i]!);
    });
    await rejection(runAhead(plan, [new Uint8Array(1)], 2, {}), TandemError, "got stuck");
    expect(tooLate()).to.equal(true);
  });

  it("simulates each layer once, reports them in order, and has somebody at work all the time: any network", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            back: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 3 }),
            simulation: fc.integer({ min: 0, max: 30 }),
            cpu: fc.option(fc.double({ min: 0.05, max: 0.5, noNaN: true }), { nil: undefined }),
          }),
          { minLength: 1, maxLength: 25 },
        ),
        fc.integer({ min: 1, max: 4 }),
        async (drawn, others) => {
          const layers = drawn.map(({ back, simulation, cpu }, i) => ({
            inputs: [...new Set(back.map((n) => i - n).filter((n) => n >= 0))],
            simulation,
            ...(cpu !== undefined && { cpu: cpu * simulation }),
          }));
          const run = await virtualRun(layers, others);
          expect(run.runs).to.deep.equal(layers.map(() => 1));
          expect(run.reported).to.deep.equal(layers.map((_, i) => i));
          expect(run.ms).to.be.at.most(work(layers) + run.computed + 1e-9);
          expect(run.ms).to.be.at.least(work(layers) / (others + 1) - 1e-9);
        },
      ),
      { numRuns: 200 },
    ));
});
