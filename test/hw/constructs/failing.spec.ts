/**
 * Every rule broken: the checker finds each breach where the example says, with what it says, and nothing else. A comment
 * `breach RULE at "TEXT": MESSAGE` stands above the line that it is about.
 */
import { readdirSync, readFileSync } from "node:fs";
import { expect } from "chai";
import { checkDesign } from "../../../hw/check/index.js";
import { formatDiagnostic, RULES, type Diagnostic } from "../../../hw/check/diagnostic.js";
import { elaborate, Module, type Process } from "../../../hw/index.js";
import * as effects from "./failing/effects.js";
import * as operators from "./failing/operators.js";
import * as owners from "./failing/owners.js";
import * as time from "./failing/time.js";

interface Expected {
  readonly line: number;
  readonly column: number;
  readonly rule: string;
  readonly message: string;
}

const FOLDER = "test/hw/constructs/failing";
const files: Readonly<Record<string, Readonly<Record<string, unknown>>>> = { operators, time, effects, owners };

const PASSING = "test/hw/constructs/passing";
/** Rules that have a specification of their own: the last test here, and test/hw/verilog/black-box.spec.ts. */
const ELSEWHERE = { failing: ["source", "black-box"], passing: ["black-box"] };

/** What the comments of a file announce. */
function expectedOf(name: string): Expected[] {
  const lines = readFileSync(`${FOLDER}/${name}.ts`, "utf8").split("\n");
  return lines.flatMap((comment, i): Expected[] => {
    const marker = /\/\/ breach ([a-z-]+) at "(.*)": (.*)$/.exec(comment);
    if (!marker) return [];
    const at = lines.findIndex((line, j) => j > i && !line.trim().startsWith("//"));
    const column = lines[at]!.indexOf(marker[2]!) + 1;
    if (column === 0) throw new Error(`${name}.ts:${at + 1}: no "${marker[2]!}" in this line`);
    return [{ line: at + 1, column, rule: marker[1]!, message: marker[3]! }];
  });
}

async function breachesOf(name: string): Promise<Diagnostic[]> {
  const found = new Map<string, Diagnostic>();
  for (const Class of Object.values(files[name]!)) {
    const top = new (Class as new () => Module)();
    const { diagnostics } = await checkDesign(elaborate(top), { rtl: true });
    for (const one of diagnostics) found.set(`${one.at.line}:${one.at.column}:${one.rule}`, one);
  }
  return [...found.values()].sort((a, b) => a.at.line - b.at.line || a.at.column - b.at.column);
}

describe("The checker", () => {
  const seen = new Set<string>();
  for (const name of Object.keys(files))
    it(`finds each breach of ${FOLDER}/${name}.ts, where it stands, and no other`, async () => {
      const breaches = await breachesOf(name);
      const expected = expectedOf(name);
      const show = ({ line, column, rule }: Expected): string => `${line}:${column} ${rule}`;
      const got = breaches.map(({ at, rule }) => `${at.line}:${at.column} ${rule}`);
      expect(got, breaches.map(formatDiagnostic).join("\n")).to.deep.equal(expected.map(show));
      for (const [i, breach] of breaches.entries()) {
        expect(breach.at.file).to.equal(`${FOLDER}/${name}.ts`);
        expect(formatDiagnostic(breach)).to.contain(expected[i]!.message);
        expect(breach.text).to.be.a("string");
        seen.add(breach.rule);
      }
    });

  it("has a failing example of every rule, and one that keeps it", () => {
    const kept = readdirSync(PASSING).flatMap((file) =>
      [...readFileSync(`${PASSING}/${file}`, "utf8").matchAll(/\bkeeps ([a-z-]+):/g)].map(([, rule]) => rule!),
    );
    expect([...new Set([...kept, ...ELSEWHERE.passing])].sort()).to.deep.equal([...RULES].sort());
    expect([...seen, ...ELSEWHERE.failing].sort()).to.deep.equal([...RULES].sort());
  });

  it("says which class does not tell where its source is", async () => {
    class Nowhere extends Module {
      constructor() {
        super(null, "nowhere");
        this.clocked(this.run);
      }
      *run(): Process {
        yield;
      }
    }
    const { diagnostics } = await checkDesign(elaborate(new Nowhere()));
    expect(diagnostics.map(({ rule, message }) => `${rule}: ${message}`)).to.deep.equal([
      "source: the text of Nowhere.run cannot be read",
    ]);
    expect(diagnostics[0]!.hint).to.contain("static readonly source = import.meta.url");
  });
});
