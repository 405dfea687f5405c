/** Sums of outer products that the fast engine collects and adds up when they are read equal those of the kernel. */
import { expect } from "chai";
import { elaborate, u8 } from "../../../hw/index.js";
import { readDesign } from "../../../hw/frontend/index.js";
import type { DesignIr, Expr, Stmt } from "../../../hw/ir/ir.js";
import { FastEngine } from "../../../sim/fast/engine.js";
import { findSums } from "../../../sim/fast/sum-match.js";
import { stallTable } from "../../../sim/kernel/counters.js";
import { Kernel } from "../../../sim/kernel/kernel.js";
import { Random } from "./random.js";
import { OTHERS, PRODUCTS, randomWaves, Summing, type Form, type SummingOptions } from "./summing.js";

const first = Number(process.env["SEED"] ?? 1);
const count = process.env["SEED"] ? 1 : Number(process.env["DESIGNS"] ?? 6);

interface Setting {
  readonly options: SummingOptions;
  readonly waves: readonly unknown[];
}

function setting(form: Form, seed: number): Setting {
  const random = new Random(seed * 1000 + [...PRODUCTS, ...OTHERS].indexOf(form));
  const options = {
    form,
    rows: random.pick([2, 3, 4, 5, 8]),
    columns: random.pick([8, 16, 24]),
    depth: random.pick([1, 2, 3, 4, 8]),
  };
  return { options, waves: randomWaves(random, options, 150) };
}

function inKernel({ options, waves }: Setting): unknown {
  const kernel = new Kernel(new Summing(options));
  kernel.spawn(function* source() {
    for (const wave of waves) yield* kernel.design.inputs["waves"]!.push(wave);
  });
  const received: Record<string, unknown[]> = { out: [], corner: [] };
  for (const [name, values] of Object.entries(received))
    kernel.spawn(function* sink() {
      const channel = kernel.design.outputs[name]!;
      for (;;) {
        const value: unknown = channel.type.copy(yield* channel.pop());
        values.push({ value, clock: kernel.now });
      }
    });
  kernel.run();
  return { received, stalls: stallTable(kernel.counters), clocks: kernel.counters.clocks };
}

function inFast(ir: DesignIr, { waves }: Setting): unknown {
  const engine = new FastEngine(ir);
  engine.send("waves", waves);
  engine.output("out", 1000);
  engine.output("corner", 10_000);
  engine.run();
  const received = { out: engine.values("out"), corner: engine.values("corner") };
  return { received, stalls: stallTable(engine.counters), clocks: engine.counters.clocks };
}

async function irOf({ options }: Setting): Promise<DesignIr> {
  const { ir, diagnostics } = await readDesign(elaborate(new Summing(options)));
  expect(diagnostics.map(({ message }) => message)).to.deep.equal([]);
  return ir;
}

/** Statements that add to sums, in the processes of a design. */
const adding = (ir: DesignIr): number => ir.processes.reduce((sum, process) => sum + findSums(process).adding.size, 0);

describe(`Sums of outer products (seed ${first})`, () => {
  for (const form of PRODUCTS)
    it(`${form}: collected, and equal to the kernel's`, async function () {
      this.timeout(5000 + count * 2000);
      for (let seed = first; seed < first + count; seed++) {
        const around = setting(form, seed);
        const ir = await irOf(around);
        expect(adding(ir), "statements that add").to.equal(1);
        expect(inFast(ir, around), `seed ${seed}`).to.deep.equal(inKernel(around));
      }
    });

  for (const form of OTHERS)
    it(`${form}: only looks like one, and equals the kernel`, async function () {
      this.timeout(5000 + count * 2000);
      for (let seed = first; seed < first + count; seed++) {
        const around = setting(form, seed);
        const ir = await irOf(around);
        expect(adding(ir), "statements that add").to.equal(0);
        expect(inFast(ir, around), `seed ${seed}`).to.deep.equal(inKernel(around));
      }
    });

  it("are added in place where every lane has factors of its own, of 16 bits at most", async () => {
    for (const [form, found] of [
      ["lanes", 1],
      ["wide", 1],
      ["kept", 0],
      ["halves", 0],
    ] as const) {
      const ir = await irOf(setting(form, first));
      const sums = ir.processes.reduce((sum, process) => sum + findSums(process).inPlace.size, 0);
      expect(sums, form).to.equal(found);
    }
  });

  it("are not collected where columns do not come in eights", async () => {
    const random = new Random(first);
    const options = { form: "named", rows: 4, columns: 12, depth: 2 } as const;
    const around = { options, waves: randomWaves(random, options, 60) };
    const ir = await irOf(around);
    expect(adding(ir)).to.equal(0);
    expect(inFast(ir, around)).to.deep.equal(inKernel(around));
  });
});

/** The same expression with `change` made of the parts that it is defined for. */
function changed(expr: Expr, change: (expr: Expr) => Expr | undefined): Expr {
  const now = change(expr);
  if (now) return now;
  const entries = Object.entries(expr).map(([key, part]: [string, unknown]) => {
    const isExpr = typeof part === "object" && part !== null && "kind" in part && "at" in part;
    return [key, isExpr ? changed(part as Expr, change) : part];
  });
  return Object.fromEntries(entries) as Expr;
}

function changedIr(ir: DesignIr, change: (expr: Expr) => Expr | undefined): DesignIr {
  const inList = (stmts: readonly Stmt[], sums: ReadonlyMap<Stmt, unknown>): Stmt[] =>
    stmts.map((stmt) => {
      if (stmt.kind === "assign" && sums.has(stmt)) return { ...stmt, value: changed(stmt.value, change) };
      if (stmt.kind === "if") return { ...stmt, then: inList(stmt.then, sums), else: inList(stmt.else, sums) };
      if (stmt.kind === "loop" || stmt.kind === "block") return { ...stmt, body: inList(stmt.body, sums) };
      return stmt;
    });
  const processes = ir.processes.map((process) => ({
    ...process,
    body: inList(process.body, findSums(process).adding),
  }));
  return { ...ir, processes };
}

const mutants: readonly [string, (expr: Expr) => Expr | undefined][] = [
  ["reset where it is not", (e) => (e.kind === "select" ? { ...e, then: e.else, else: e.then } : undefined)],
  ["other rows", (e) => (e.kind === "binary" && e.op === "*" ? { ...e, left: changed(e.left, otherPass) } : undefined)],
  [
    "other columns",
    (e) => (e.kind === "binary" && e.op === "*" ? { ...e, right: changed(e.right, otherPass) } : undefined),
  ],
  ["bytes without a sign", (e) => (e.kind === "binary" && e.op === "*" ? { ...e, left: unsigned(e.left) } : undefined)],
];
/** `a[d]` is `a[0]`. */
const otherPass = (e: Expr): Expr | undefined =>
  e.kind === "index" && e.base.kind === "member" ? { ...e, index: { ...e.index, kind: "const", value: 0 } } : undefined;
const unsigned = (operand: Expr): Expr => ({ kind: "cast", at: operand.at, type: u8, operand });

describe("A statement that adds something else is caught", () => {
  for (const [what, change] of mutants)
    it(what, async () => {
      const random = new Random(first);
      const options = { form: "named", rows: 4, columns: 16, depth: 4 } as const;
      const around = { options, waves: randomWaves(random, options, 60) };
      const ir = await irOf(around);
      const mutant = changedIr(ir, change);
      expect(adding(mutant), "still a sum of products").to.equal(1);
      const expected = inKernel(around);
      expect(inFast(ir, around)).to.deep.equal(expected);
      expect(inFast(mutant, around)).to.not.deep.equal(expected);
    });
});
