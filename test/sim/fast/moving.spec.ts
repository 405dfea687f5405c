/** Elements that are moved at once by the fast engine stand where they stand under the kernel. */
import { expect } from "chai";
import { readDesign } from "../../../hw/frontend/index.js";
import { elaborate, type Module } from "../../../hw/index.js";
import type { DesignIr } from "../../../hw/ir/ir.js";
import { statementsIn } from "../../../hw/ir/walk.js";
import { FastEngine } from "../../../sim/fast/engine.js";
import { gatherLoop } from "../../../sim/fast/gather-loop.js";
import { withoutLastMove } from "../../../sim/fast/last-move.js";
import { moveUp } from "../../../sim/fast/move-up.js";
import { withMutation } from "../../../sim/fast/rules.js";
import { BanksApart } from "../../hw/constructs/passing/memories.js";
import { Keeping, NAMED, randomKeeping, UNNAMED, type Form } from "./keeping.js";
import { CHANGES, Moving, MOVES, ORDERS, randomMoving, type MovingOptions } from "./moving.js";
import { Random } from "./random.js";
import { inFast, inKernel, outcome, type Streams } from "./streams.js";

const first = Number(process.env["SEED"] ?? 1);
const count = process.env["SEED"] ? 1 : Number(process.env["DESIGNS"] ?? 4);
const AT_ONCE = Array.from({ length: 100 }, () => 0);

const irOf = (options: MovingOptions): Promise<DesignIr> => read(new Moving(options));

async function read(top: Module): Promise<DesignIr> {
  const { ir, diagnostics } = await readDesign(elaborate(top));
  expect(diagnostics.map(({ message }) => message)).to.deep.equal([]);
  return ir;
}

function tiles(random: Random, { bits, streams, columns, rows }: MovingOptions): Streams {
  const word = (): number => Math.floor(random.next() * 2 ** 32) >> (32 - bits);
  const many = <T>(n: number, make: () => T): T[] => Array.from({ length: n }, make);
  const tile = (): unknown => many(rows, () => many(streams, () => many(columns, word)));
  return { inputs: { in: many(3, tile) }, outputs: { out: AT_ONCE } };
}

describe(`Elements that are moved (seed ${first})`, () => {
  for (const order of ORDERS)
    for (const move of MOVES)
      it(`${order}, rows ${move}: as under the kernel`, async () => {
        for (let seed = first; seed < first + count; seed++) {
          const random = new Random(seed * 100 + ORDERS.indexOf(order) * 10 + MOVES.indexOf(move));
          const options = randomMoving(random, order, move);
          const around = tiles(random, options);
          expect(inFast(new FastEngine(await irOf(options)), around), `SEED=${seed}`).to.deep.equal(
            inKernel(new Moving(options), around),
          );
        }
      }).timeout(5000 + count * 2000);

  const shape = { change: "none", bits: 32, streams: 2, columns: 8, rows: 4 } as const;

  it("are found where each element gets one value", async () => {
    for (const order of ORDERS) {
      const { processes } = await irOf({ ...shape, order, move: "one" });
      const found = [...statementsIn(processes[0]!.body)].some((stmt) => stmt.kind === "loop" && gatherLoop(stmt));
      expect(found, order).to.equal(order === "apart" || order === "next");
    }
  });

  it("are moved where they stand if no element is needed again", async () => {
    for (const move of MOVES) {
      const { processes } = await irOf({ ...shape, order: "next", move });
      expect(moveUp(processes[0]!) !== processes[0], move).to.equal(["one", "two", "after"].includes(move));
    }
  });

  it("are moved in the last pass only if anybody reads them behind it", async () => {
    for (const move of MOVES) {
      const { processes } = await irOf({ ...shape, order: "next", move });
      const moved = moveUp(processes[0]!);
      expect(withoutLastMove(moved) !== moved, move).to.equal(move === "one" || move === "two");
    }
  });

  it("are stored alone if the others stay as they are", async () => {
    for (const change of CHANGES) {
      const { processes } = await irOf({ ...shape, order: "next", move: "away", change });
      expect(moveUp(processes[0]!) !== processes[0], change).to.equal(change === "last" || change === "lanes");
    }
  });

  it("would be noticed if another element was taken", async () => {
    const options = { ...shape, order: "apart", move: "one" } as const;
    const around = tiles(new Random(first), options);
    const ir = await irOf(options);
    const run = (engine: FastEngine): string => outcome(() => inFast(engine, around));
    const right = run(new FastEngine(ir));
    expect(run(withMutation("round", { gathered: 1 }, () => new FastEngine(ir)))).to.not.equal(right);
    expect(run(withMutation("round", { movedUp: 1 }, () => new FastEngine(ir)))).to.not.equal(right);
    expect(run(withMutation("round", { lastMove: 1 }, () => new FastEngine(ir)))).to.not.equal(right);
  });

  it("would be noticed if another element was changed", async () => {
    for (const change of ["last", "lanes"] as const) {
      const options = { ...shape, order: "next", move: "one", change } as const;
      const around = tiles(new Random(first), options);
      const ir = await irOf(options);
      const run = (engine: FastEngine): string => outcome(() => inFast(engine, around));
      const right = run(new FastEngine(ir));
      expect(run(withMutation("round", { changedElement: 1 }, () => new FastEngine(ir))), change).to.not.equal(right);
    }
  });

  it("banks that are read each where it likes would be noticed if one was left out", async () => {
    const ir = await read(new BanksApart());
    const at = [3, 14, 15, 9, 2, 6].map((row, i) => ({ row, shift: i & 3 }));
    const run = (engine: FastEngine): string =>
      outcome(() => inFast(engine, { inputs: { at }, outputs: { y: AT_ONCE } }));
    const right = run(new FastEngine(ir));
    expect(run(withMutation("round", { readLane: 1 }, () => new FastEngine(ir)))).to.not.equal(right);
  });

  for (const form of [...UNNAMED, ...NAMED])
    it(`what bytes were before, ${form}: as under the kernel`, async () => {
      for (let seed = first; seed < first + count; seed++) {
        const random = new Random(seed * 100 + form.length);
        const options = randomKeeping(random, form);
        const tokens = Array.from({ length: 30 }, () => Array.from({ length: options.bytes }, () => random.below(256)));
        const around = { inputs: { in: tokens }, outputs: { out: AT_ONCE } };
        const engine = new FastEngine(await read(new Keeping(options)));
        expect(inFast(engine, around), `SEED=${seed}`).to.deep.equal(inKernel(new Keeping(options), around));
      }
    }).timeout(5000 + count * 2000);

  it("have no name for what they were if it is not needed", async () => {
    const found = async (form: Form, bytes: number): Promise<boolean> => {
      const [process] = (await read(new Keeping({ form, bytes }))).processes;
      return moveUp(process!) !== process;
    };
    for (const form of UNNAMED) expect(await found(form, 8), form).to.equal(true);
    for (const form of NAMED) expect(await found(form, 8), form).to.equal(false);
    expect(await found("field", 17), "more than are stored at once").to.equal(false);
  });
});
