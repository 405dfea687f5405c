/**
 * docs/language.md against the kernel: every piece of TypeScript on the page stands word for word in examples.ts, passes
 * the checker, means the same as IR, and gives its tokens in the clocks that the page states.
 */
import { readFileSync } from "node:fs";
import { expect } from "chai";
import { checkDesign } from "../../../hw/check/index.js";
import { formatDiagnostic, RULES } from "../../../hw/check/diagnostic.js";
import { elaborate, type Module } from "../../../hw/index.js";
import { interpretDesign } from "../../../hw/ir/interpret.js";
import { sink, source } from "../../../sim/environment.js";
import { Kernel, type Replaced } from "../../../sim/kernel/kernel.js";
import * as examples from "./examples.js";

const page = readFileSync("docs/language.md", "utf8");
const text = readFileSync("test/hw/language/examples.ts", "utf8");
/** The same whatever the indentation. */
const flat = (code: string): string => code.replace(/\s+/g, " ").trim();

interface Statement {
  readonly name: string;
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  readonly output: string;
  readonly clocks: readonly number[];
  readonly values: readonly unknown[];
}

/** `NAME with x = 1, 2: y is 3, 4 in clocks 5, 6.` on a line of its own. */
function statementsOf(markdown: string): Statement[] {
  const numbers = (list: string): number[] => list.split(",").map(Number);
  return [...markdown.matchAll(/^> `(\w+)` with (.+): `(\w+)` is (.+) in clocks? ([\d, ]+)\.$/gm)].map((match) => ({
    name: match[1]!,
    inputs: Object.fromEntries(
      match[2]!.split("; ").map((one) => {
        const [port, list] = one.replaceAll("`", "").split(" = ");
        return [port!, numbers(list!)];
      }),
    ),
    output: match[3]!,
    values: JSON.parse(`[${match[4]!}]`) as unknown[],
    clocks: numbers(match[5]!),
  }));
}

function run(top: Module, { inputs, output }: Statement, replaced?: Replaced): { clocks: number[]; values: unknown[] } {
  const kernel = new Kernel(top, replaced);
  for (const [port, list] of Object.entries(inputs)) {
    const left = [...list];
    source(kernel, port, () => left.shift());
  }
  const clocks: number[] = [];
  const values: unknown[] = [];
  sink(kernel, output, (token) => clocks.push(kernel.now) > 0 && values.push(structuredClone(token)) > 0);
  kernel.run({ until: 60 });
  return { clocks, values };
}

const Classes = examples as unknown as Readonly<Record<string, new () => Module>>;

describe("docs/language.md", () => {
  it("quotes its examples word for word", () => {
    const blocks = [...page.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map((match) => match[1]!);
    expect(blocks).to.have.length.above(8);
    for (const block of blocks) expect(flat(text), block).to.contain(flat(block));
  });

  const statements = statementsOf(page);
  it("states the clocks of its examples", () => expect(statements).to.have.length.above(9));
  for (const statement of statements)
    it(`is right about ${statement.name}`, async () => {
      const { clocks, values } = statement;
      const make = (): Module => new Classes[statement.name]!();
      const top = make();
      const { ir, diagnostics } = await checkDesign(elaborate(top));
      expect(diagnostics.map(formatDiagnostic).join("\n")).to.equal("");
      expect(run(make(), statement)).to.deep.equal({ clocks, values });
      expect(run(top, statement, interpretDesign(ir))).to.deep.equal({ clocks, values });
    });

  it("names every rule of the checker", () => {
    for (const rule of RULES) expect(page, rule).to.contain(`\`${rule}\``);
  });

  it("gives the same run again after a reset", () => {
    const kernel = new Kernel(new examples.Own());
    const once = (): unknown[] => {
      const left = [5, 7, 12];
      source(kernel, "x", () => left.shift());
      const seen: unknown[] = [];
      sink(kernel, "y", (token) => seen.push([kernel.now, token]) > 0);
      kernel.run();
      kernel.reset();
      return seen;
    };
    expect(once()).to.deep.equal(once());
  });
});
