import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { expect } from "chai";
import { TandemError } from "../../../hw/errors.js";
import { CPU_IMPLEMENTATIONS, CPU_PREFERENCE } from "../../../host/kernels/registry.js";
import { execute } from "../../../host/runtime/executor.js";
import { makePlan } from "../../../host/runtime/plan.js";
import { readTflite } from "../../../host/tflite/reader.js";
import { digits } from "../../../host/zoo/zoo.js";
import { byteLength } from "../../../host/graph/tensor.js";
import { modelPath, needsShared } from "../support/shared.js";

/** Replays one run: `TANDEM_SEED=... npx mocha ...`. */
const seed = Number(process.env["TANDEM_SEED"] ?? 20261122);
/** Networks that a mutation made larger than this are loaded and planned, not run. */
const maxMacs = 2e7;

/** mulberry32: small, seeded, good enough to choose places. */
function random(state: number): () => number {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Places where the file's structure is: the bytes before and after its largest buffers. Weights are most of a model, and
 * changing them changes numbers only; three mutations in four go where they can hurt.
 */
function structure(data: Uint8Array): number[] {
  const graph = readTflite(data, "model");
  const weights = graph.tensors.flatMap(({ data: bytes }) => (bytes && bytes.length > 64 ? [bytes] : []));
  const inside = new Uint8Array(data.length);
  for (const bytes of weights)
    inside.fill(1, bytes.byteOffset - data.byteOffset, bytes.byteOffset - data.byteOffset + bytes.length);
  return [...data.keys()].filter((i) => inside[i] === 0);
}

function mutate(data: Uint8Array, places: readonly number[], next: () => number): Uint8Array {
  const copy = data.slice();
  const count = 1 + Math.floor(next() * 3);
  for (let i = 0; i < count; i++) {
    const at = next() < 0.75 ? places[Math.floor(next() * places.length)]! : Math.floor(next() * data.length);
    const kind = next();
    if (kind < 0.4) copy[at]! ^= 1 << Math.floor(next() * 8);
    else if (kind < 0.7) copy[at] = Math.floor(next() * 256);
    else copy.set([0xff, 0xff, 0xff, next() < 0.5 ? 0x7f : 0xff].slice(0, Math.min(4, data.length - at)), at);
  }
  return next() < 0.05 ? copy.slice(0, Math.floor(next() * data.length)) : copy;
}

describe("A mutated model", () => {
  for (const [path, mutations] of [
    [digits.model, 2000],
    [modelPath("ds_cnn_kws_int8"), 250],
    [modelPath("resnet8_cifar10_int8"), 250],
  ] as const) {
    it(`${basename(path)}: ${mutations} seeded mutations end in a result or in a one-line error (seed ${seed})`, async function () {
      if (path !== digits.model) needsShared(this);
      this.timeout(180_000);
      const data = new Uint8Array(readFileSync(path));
      const places = structure(data);
      const next = random(seed);
      const outcomes = { refused: 0, ran: 0, planned: 0 };
      for (let i = 0; i < mutations; i++) {
        const mutant = mutate(data, places, next);
        const start = performance.now();
        try {
          outcomes[await attempt(mutant)]++;
        } catch (error) {
          if (!(error instanceof TandemError)) throw new Error(`mutation ${i} of seed ${seed}`, { cause: error });
          expect(error.message).to.match(/^mutant.tflite: [^\n]+$/);
          outcomes.refused++;
        }
        expect(performance.now() - start, `mutation ${i} of seed ${seed}, milliseconds`).to.be.below(10_000);
      }
      // Both kinds have to turn up, or the mutations miss what they are for.
      expect(outcomes.refused).to.be.above(mutations / 20);
      expect(outcomes.ran).to.be.above(mutations / 20);
    });
  }
});

async function attempt(mutant: Uint8Array): Promise<"ran" | "planned"> {
  const graph = readTflite(mutant, "mutant.tflite");
  const plan = makePlan(graph, { implementations: CPU_IMPLEMENTATIONS, prefer: CPU_PREFERENCE });
  if (plan.layers.reduce((sum, { macs }) => sum + macs, 0) > maxMacs || plan.arena.bytes > 1 << 24) return "planned";
  await execute(
    plan,
    graph.inputs.map((index) => new Uint8Array(byteLength(graph.tensors[index]!))),
  );
  return "ran";
}
