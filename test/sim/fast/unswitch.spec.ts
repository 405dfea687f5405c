/** A loop with a mode is written once for each, and the run stays that of the kernel. */
import { expect } from "chai";
import { readDesign } from "../../../hw/frontend/index.js";
import { elaborate } from "../../../hw/index.js";
import type { DesignIr, Loop, ProcessIr, Stmt } from "../../../hw/ir/ir.js";
import { statementsIn } from "../../../hw/ir/walk.js";
import { FastEngine } from "../../../sim/fast/engine.js";
import { unswitch } from "../../../sim/fast/unswitch.js";
import { Random } from "./random.js";
import { inFast, inKernel, type Streams } from "./streams.js";
import { randomSwitchJobs, Switching } from "./switching.js";

const first = Number(process.env["SEED"] ?? 1);
const count = process.env["SEED"] ? 1 : Number(process.env["DESIGNS"] ?? 30);
const ENOUGH = 300;

function around(seed: number): Streams {
  const random = new Random(seed);
  const most = random.pick([1, 1, 4]);
  const jobs = randomSwitchJobs(random);
  const slow = Array.from({ length: ENOUGH }, () => random.below(most));
  return { inputs: { jobs }, outputs: { left: slow, right: slow, ends: slow } };
}

async function irOf(): Promise<DesignIr> {
  const { ir, diagnostics } = await readDesign(elaborate(new Switching()));
  expect(diagnostics.map(({ message }) => message)).to.deep.equal([]);
  return ir;
}

const pushes = (stmts: readonly Stmt[]): string[] =>
  [...statementsIn(stmts)].flatMap((stmt) => (stmt.kind === "push" ? [stmt.channel.parts[0]!.path] : []));
const counting = ({ body }: ProcessIr): Loop[] =>
  [...statementsIn(body)].filter((stmt): stmt is Loop => stmt.kind === "loop" && stmt.condition.kind === "binary");

describe(`Loops with modes (seed ${first})`, () => {
  it("are written once for each mode, without what the other needs", async () => {
    const process = (await irOf()).processes[0]!;
    const apart = unswitch(process);
    expect(counting(process).length, "as it is written").to.equal(2);
    const [wide, , narrow] = counting(apart);
    expect(counting(apart).length).to.equal(4);
    expect(pushes([wide!])).to.deep.equal(["switching.right", "switching.ends"]);
    expect(pushes([narrow!])).to.deep.equal(["switching.left", "switching.right", "switching.ends"]);
  });

  it("have statements and variables of their own in each text", async () => {
    const { body, locals } = unswitch((await irOf()).processes[0]!);
    const all = [...statementsIn(body)];
    expect(new Set(all).size).to.equal(all.length);
    expect(new Set(locals.map(({ id }) => id)).size).to.equal(locals.length);
    const declared = all.flatMap((stmt) => (stmt.kind === "let" ? [stmt.local] : []));
    expect(new Set(declared).size).to.equal(declared.length);
    for (const local of declared) expect(locals).to.include(local);
  });

  it(`equal the kernel: ${count} random runs`, async function () {
    this.timeout(5000 + count * 500);
    const ir = await irOf();
    for (let seed = first; seed < first + count; seed++)
      expect(inFast(new FastEngine(ir), around(seed)), `SEED=${seed}`).to.deep.equal(
        inKernel(new Switching(), around(seed)),
      );
  });

  it("a loop in the wrong mode is noticed", async () => {
    const ir = await irOf();
    const [process] = ir.processes;
    const apart = unswitch(process!);
    const swapped = (stmts: readonly Stmt[]): readonly Stmt[] =>
      stmts.map((stmt) => {
        if (stmt.kind === "loop") return { ...stmt, body: swapped(stmt.body) };
        const loops = stmt.kind === "if" && stmt.then.some(({ kind }) => kind === "loop") && stmt.else.length > 0;
        return loops ? { ...stmt, then: stmt.else, else: stmt.then } : stmt;
      });
    const wrong = { ...ir, processes: [{ ...apart, body: swapped(apart.body) }] };
    const caught = Array.from({ length: 5 }, (_, i) => first + i).some((seed) => {
      const expected = JSON.stringify(inKernel(new Switching(), around(seed)));
      return JSON.stringify(inFast(new FastEngine(wrong), around(seed))) !== expected;
    });
    expect(caught).to.equal(true);
  });
});
