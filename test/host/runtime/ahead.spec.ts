import { expect } from "chai";
import type { Accelerator } from "../../../driver/accelerator.js";
import { TandemError } from "../../../hw/errors.js";
import { acceleratorTarget } from "../../../host/accelerators.js";
import { acceleratorImplementations } from "../../../host/backends/accelerator.js";
import { convolve } from "../../../host/kernels/reference/conv2d.js";
import { CPU_IMPLEMENTATIONS } from "../../../host/kernels/registry.js";
import { execute, type RunResult } from "../../../host/runtime/executor.js";
import { makePlan, type Plan } from "../../../host/runtime/plan.js";
import { readTfliteFile } from "../../../host/tflite/reader.js";
import { digits } from "../../../host/zoo/zoo.js";
import { rejection } from "../../support/rejection.js";

interface Behaviour {
  /** Every layer waits until the next one is done; the last of so many does not. */
  readonly backwards?: number;
  /** The n-th layer gives another first byte. */
  readonly wrong?: number;
  readonly fails?: number;
}

/** An accelerator that computes convolutions as the reference kernel does, and is done with them in the order it likes. */
class Willful implements Accelerator {
  readonly name = "slow";
  readonly peakMacsPerClock = 1;
  /** Layers in the order in which they were done. */
  readonly done: number[] = [];
  readonly #layers: string[] = [];
  readonly #ends = new Map<number, { readonly end: Promise<void>; readonly reach: () => void }>();
  readonly #behaviour: Behaviour;

  constructor(behaviour: Behaviour) {
    this.#behaviour = behaviour;
  }
  refuses: Accelerator["refuses"] = ({ sums, depthwise }) => (sums || depthwise ? "not a convolution" : null);
  compile: Accelerator["compile"] = (layer) => {
    this.#layers.push(layer.name);
    return { layer };
  };
  run: Accelerator["run"] = async ({ layer }, input) => {
    const { backwards, wrong, fails } = this.#behaviour;
    const n = this.#layers.indexOf(layer.name);
    if (backwards !== undefined && n < backwards - 1) await this.#end(n + 1).end;
    this.done.push(n);
    this.#end(n).reach();
    if (n === fails) throw new TandemError(`layer ${n} got stuck`);
    const output = new Uint8Array(layer.batch * layer.outHeight * layer.outWidth * layer.outChannels);
    const typed = (bytes: Uint8Array): Int8Array | Uint8Array =>
      layer.dtype === "int8" ? new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length) : bytes;
    convolve({ ...layer, groups: 1 }, typed(input), typed(output));
    if (n === wrong) output[0]! ^= 1;
    return { output, clocks: 100 + n, exact: true, estimates: 0, bytesIn: 0, bytesOut: 0, stalls: {} };
  };
  #end(n: number): { readonly end: Promise<void>; readonly reach: () => void } {
    const known = this.#ends.get(n);
    if (known) return known;
    let reach = (): void => undefined;
    const end = new Promise<void>((resolve) => (reach = resolve));
    const made = { end, reach };
    this.#ends.set(n, made);
    return made;
  }
  close: Accelerator["close"] = () => Promise.resolve();
}

/** One that shares its work with other threads: they take what is offered a little later, or never. */
class Sharing extends Willful {
  /** Runs that were offered, and of these the ones that this thread did. */
  offered = 0;
  helped = 0;
  readonly #others: boolean;

  constructor(behaviour: Behaviour, others: boolean) {
    super(behaviour);
    this.#others = others;
  }
  start: NonNullable<Accelerator["start"]> = (compiled, given, take) => {
    const input = given.slice();
    this.offered++;
    let [begun, known] = [false, false];
    let begin = (): void => undefined;
    const result = new Promise<void>((resolve) => (begin = resolve)).then(() => this.run(compiled, input)).then(take);
    const settled = (): void => void (known = true);
    result.then(settled, settled);
    const begins = (): boolean => {
      if (begun) return false;
      begun = true;
      begin();
      return true;
    };
    if (this.#others) setImmediate(begins);
    const help = (): boolean => {
      const own = begins();
      if (own) this.helped++;
      return own;
    };
    return Promise.resolve({
      result,
      finished: () => known,
      help,
      age: () => (begun ? 0 : undefined),
      urge: () => undefined,
    });
  };
}

const graph = readTfliteFile(digits.model);
const planOn = (accelerator: Accelerator): Plan =>
  makePlan(graph, {
    implementations: [...acceleratorImplementations(accelerator), ...CPU_IMPLEMENTATIONS],
    prefer: ["accelerator", "fast", "reference"],
  });
const input = Uint8Array.from({ length: planOn(new Willful({})).layers[0]!.inputs[0]!.byteLength }, (_, i) => i * 37);

interface Seen extends RunResult {
  readonly seen: readonly { readonly layer: string; readonly clocks: number | undefined; readonly output: string }[];
}

async function run(accelerator: Accelerator, jobs: number): Promise<Seen> {
  let seen: Seen["seen"] = [];
  const plan = planOn(accelerator);
  const result = await execute(plan, [input], {
    jobs,
    onLayer({ layer, cost }, output) {
      if (layer === plan.layers[0]) seen = [];
      seen = [...seen, { layer: layer.name, clocks: cost?.clocks, output: Buffer.from(output).toString("hex") }];
    },
  });
  return { ...result, seen };
}

describe("Layers that run ahead of the simulation", () => {
  it("are reported in their order, with the same bytes and costs as one after the other", async () => {
    const inOrder = await run(new Willful({}), 1);
    const count = inOrder.layers.filter(({ cost }) => cost).length;
    expect(count).to.be.greaterThan(1);
    const accelerator = new Willful({ backwards: count });
    const ahead = await run(accelerator, count);
    expect(accelerator.done).to.deep.equal(Array.from({ length: count }, (_, i) => count - 1 - i));
    expect(ahead.outputs).to.deep.equal(inOrder.outputs);
    expect(ahead.seen).to.deep.equal(inOrder.seen);
    expect(ahead.differs).to.equal(undefined);
  });

  it("run again in order where one gives other bytes than the CPU: then its bytes count", async () => {
    const inOrder = await run(new Willful({ wrong: 1 }), 1);
    const convolutions = inOrder.layers.filter(({ cost }) => cost);
    // Its simulation waits for the one of the next layer, so the CPU has to give its bytes.
    const ahead = await run(new Willful({ wrong: 1, backwards: convolutions.length }), convolutions.length);
    expect(ahead.seen).to.deep.equal(inOrder.seen);
    expect(ahead.outputs).to.deep.equal(inOrder.outputs);
    expect(ahead.differs).to.equal(convolutions[1]!.layer.name);
  });

  it("have the bytes that the simulation gives where the CPU did not have to compute them", async () => {
    const inOrder = await run(new Willful({ wrong: 1 }), 1);
    for (const accelerator of [new Willful({ wrong: 1 }), new Sharing({ wrong: 1 }, true)]) {
      const ahead = await run(accelerator, 2);
      expect(ahead.seen).to.deep.equal(inOrder.seen);
      expect(ahead.outputs).to.deep.equal(inOrder.outputs);
    }
  });

  it("pass on what went wrong in one of them", async () => {
    await rejection(run(new Willful({ fails: 1 }), 4), TandemError, "layer 1 got stuck");
  });

  for (const others of [true, false])
    it(`are shared with other threads that take ${others ? "what they can" : "nothing"}: the same bytes and costs`, async () => {
      const inOrder = await run(new Willful({}), 1);
      const count = inOrder.layers.filter(({ cost }) => cost).length;
      const accelerator = new Sharing({}, others);
      const shared = await run(accelerator, 2);
      expect(shared.outputs).to.deep.equal(inOrder.outputs);
      expect(shared.seen).to.deep.equal(inOrder.seen);
      // What this thread does next is not offered.
      expect(accelerator.offered).to.be.within(1, count - 1);
      if (!others) expect(accelerator.helped).to.equal(accelerator.offered);
    });

  it("run again in order where a shared one gives other bytes", async () => {
    const inOrder = await run(new Willful({ wrong: 0 }), 1);
    for (const others of [true, false]) {
      const shared = await run(new Sharing({ wrong: 0 }, others), 3);
      expect(shared.outputs).to.deep.equal(inOrder.outputs);
      expect(shared.seen).to.deep.equal(inOrder.seen);
      // Nobody else takes it, so its bytes are computed for the next layer.
      if (!others) expect(shared.differs).to.equal(inOrder.layers.find(({ cost }) => cost)!.layer.name);
    }
  });

  it("are simulated by workers as in one thread: clocks, stalls, bytes", async () => {
    const results = [];
    for (const jobs of [1, 2, 3]) {
      const target = await acceleratorTarget({ on: "sim", set: { rows: 4, cols: 4 }, jobs });
      try {
        const { implementations, prefer } = target;
        const { outputs, layers, differs } = await execute(makePlan(graph, { implementations, prefer }), [input], {
          jobs,
        });
        expect(differs).to.equal(undefined);
        // What a layer has cost is compared, not the memory of its output, which may be another layer's by now.
        const own = { wallMs: 0, output: undefined };
        results.push({ outputs, costs: layers.map(({ cost }) => cost && { ...cost, ...own }) });
      } finally {
        await target.close();
      }
    }
    for (const each of results) expect(each).to.deep.equal(results[0]);
  });
});
