/** Multipliers that two modes share are taken apart by the fast engine, and the run stays that of the kernel. */
import { expect } from "chai";
import { readDesign } from "../../../hw/frontend/index.js";
import { elaborate } from "../../../hw/index.js";
import type { DesignIr } from "../../../hw/ir/ir.js";
import { FastEngine } from "../../../sim/fast/engine.js";
import { findSums } from "../../../sim/fast/sum-match.js";
import { unshare } from "../../../sim/fast/unshare.js";
import { Random } from "./random.js";
import { inFast, inKernel, type Streams } from "./streams.js";
import { APART, randomWaves, Sharing, TOGETHER, type Form } from "./sharing.js";

const first = Number(process.env["SEED"] ?? 1);
const count = process.env["SEED"] ? 1 : Number(process.env["DESIGNS"] ?? 8);
/** More than there is to take. */
const AT_ONCE = Array.from({ length: 10_000 }, () => 0);

type Tokens = Readonly<Record<string, readonly unknown[]>>;

const around = (inputs: Tokens): Streams => ({ inputs, outputs: { out: AT_ONCE, seen: AT_ONCE } });

async function irOf(form: Form, depth: number): Promise<DesignIr> {
  const { ir, diagnostics } = await readDesign(elaborate(new Sharing({ form, depth })));
  expect(diagnostics.map(({ message }) => message)).to.deep.equal([]);
  return ir;
}

/** Statements that add outer products, and statements that add in place. */
function found(ir: DesignIr): { matrix: number; inPlace: number } {
  const { adding, inPlace } = findSums(unshare(ir.processes[0]!));
  return { matrix: adding.size, inPlace: inPlace.size };
}

describe(`Multipliers that two modes share (seed ${first})`, () => {
  async function sameAsKernel(form: Form): Promise<void> {
    for (let seed = first; seed < first + count; seed++) {
      const random = new Random(seed * 100 + [...APART, ...TOGETHER].indexOf(form));
      const depth = random.pick([1, 2, 4]);
      const tokens = { ...randomWaves(random, depth, 120) };
      expect(inFast(new FastEngine(await irOf(form, depth)), around(tokens)), `SEED=${seed}`).to.deep.equal(
        inKernel(new Sharing({ form, depth }), around(tokens)),
      );
    }
  }

  for (const form of APART) {
    it(`${form}: each mode has its own sums of products`, async () => {
      const ir = await irOf(form, 4);
      expect(found(ir)).to.deep.equal({ matrix: 1, inPlace: 1 });
      const { body } = ir.processes[0]!;
      expect(findSums({ ...ir.processes[0]!, body }).adding.size, "as it is written").to.equal(0);
    });
    it(`${form}: equals the kernel`, () => sameAsKernel(form)).timeout(5000 + count * 2000);
  }

  for (const form of TOGETHER) {
    it(`${form}: stays as it is written`, async () => {
      const ir = await irOf(form, 4);
      expect(unshare(ir.processes[0]!)).to.equal(ir.processes[0]);
    });
    it(`${form}: equals the kernel`, () => sameAsKernel(form)).timeout(5000 + count * 2000);
  }
});
