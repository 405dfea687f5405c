/** Vector expressions in the fast engine give what JavaScript gives, at the ends of their ranges too. */
import { expect } from "chai";
import { elaborate, type ValueOf } from "../../../hw/index.js";
import { readDesign } from "../../../hw/frontend/index.js";
import { FastEngine } from "../../../sim/fast/engine.js";
import { Kernel } from "../../../sim/kernel/kernel.js";
import { Random } from "./random.js";
import { LANES, Operands, Vectors } from "./vectors.js";

const first = Number(process.env["SEED"] ?? 1);
const TOKENS = 400;
const ends = [0, 1, -1, 2, -2, 2 ** 31 - 1, -(2 ** 31), 2 ** 30, -(2 ** 30), 65535, 65536, -65536];

type Token = ValueOf<typeof Operands>;

/** Amounts to shift by: as before, but for one of them, none at all, or others. */
function amounts(random: Random, before: Token | undefined): readonly number[] {
  if (before && random.chance(0.4)) return before.n;
  const one = random.below(LANES);
  if (before && random.chance(0.4)) return before.n.map((n, l) => (l === one ? random.below(32) : n));
  const none = random.chance(0.3);
  return Array.from({ length: LANES }, () => (none ? 0 : random.below(32)));
}

function operands(random: Random, before: Token | undefined): Token {
  const times = <T>(n: number, make: () => T): T[] => Array.from({ length: n }, make);
  const word = (): number => (random.chance(0.4) ? random.pick(ends) : Math.floor(random.next() * 2 ** 32) | 0);
  const near = (n: number): number => (n < 2 ? 0 : random.pick([1, -1]) * (2 ** (n - 1) + random.below(3) - 1)) | 0;
  const n = amounts(random, before);
  // Halves and what stands next to them, where the rounding turns.
  const x = n.map((shift) => (random.chance(0.3) ? near(shift) : word()));
  return {
    x,
    y: times(LANES, word),
    n,
    bytes: times(LANES, () => random.below(256)),
    few: times(8, () => random.below(256)),
    signed: times(12, () => random.below(256) - 128),
    narrow: times(LANES, () => random.pick([-512, 511, -129, -128, 127, 128, random.below(1024) - 512])),
    low: random.below(256) - 128,
    top: random.below(256) - 128,
    by: random.below(32),
    held: random.below(random.pick([8, 256])),
    flag: random.chance(0.5),
  } as unknown as Token;
}

describe("Vector expressions in the fast engine", () => {
  it(`equal the kernel's on ${TOKENS} tokens (seed ${first})`, async () => {
    const random = new Random(first);
    const tokens: Token[] = [];
    for (let i = 0; i < TOKENS; i++) tokens.push(operands(random, tokens.at(-1)));
    const { ir, diagnostics } = await readDesign(elaborate(new Vectors()));
    expect(diagnostics.map(({ message }) => message)).to.deep.equal([]);
    const kernel = new Kernel(new Vectors());
    kernel.spawn(function* source() {
      for (const token of tokens) yield* kernel.design.inputs["in"]!.push(token);
    });
    const { out } = kernel.design.outputs;
    const expected: unknown[] = [];
    kernel.spawn(function* sink() {
      for (;;) expected.push(out!.type.copy(yield* out!.pop()));
    });
    kernel.run();
    const engine = new FastEngine(ir);
    engine.send("in", tokens);
    engine.output("out", TOKENS);
    engine.run();
    const found = engine.values("out").map(({ value }) => value);
    found.forEach((value, i) => expect(value, `token ${i}: ${JSON.stringify(tokens[i])}`).to.deep.equal(expected[i]));
    expect(expected.length).to.equal(TOKENS);
    expect(found.length).to.equal(TOKENS);
  });
});
