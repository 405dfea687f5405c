/** What the generated Verilog looks like: hardware that a process has once in its source stands once in its text. */
import { expect } from "chai";
import { i32, i8, Module, mulPair, u2, u8, vec, type Process } from "../../../hw/index.js";
import { verilogOf } from "../../sim/rtl/compare.js";

const words = vec(vec(i8, 4), 4);

/** A loop that is come to from its own edge and, for the next token, in the clock in which the last one ends. */
class Loop extends Module {
  static readonly source = import.meta.url;
  readonly in = this.channelIn(words);
  readonly out = this.channelOut(i32);

  constructor() {
    super(null, "loop");
    this.clocked(this.run);
  }

  *run(): Process {
    let sum = i32(0);
    for (;;) {
      const word = yield* this.in.pop();
      for (let k = u8(0); k < 4; k = u8(k + 1)) {
        sum = i32(sum + word[k]![0]! * word[k]![1]!);
        yield;
      }
      yield* this.out.push(sum);
    }
  }
}

/** Both products of a pair, of lanes that are picked by a computed index. */
class Pairs extends Module {
  static readonly source = import.meta.url;
  readonly in = this.channelIn(words);
  readonly at = this.channelIn(u2);
  readonly out = this.channelOut(vec(i32, 2));

  constructor() {
    super(null, "pairs");
    this.clocked(this.run);
  }

  *run(): Process {
    for (;;) {
      const word = yield* this.in.pop();
      const k = yield* this.at.pop();
      const products = vec(i32, 2)((i) => i32(1 + mulPair(word[k]![0]!, word[k]![1]!, word[k]![2]!)[i]!));
      yield* this.out.push(products);
    }
  }
}

/** A vector put together from neighbouring parts of another. */
class Halves extends Module {
  static readonly source = import.meta.url;
  readonly in = this.channelIn(vec(i8, 8));
  readonly out = this.channelOut(vec(vec(i8, 4), 2));

  constructor() {
    super(null, "halves");
    this.clocked(this.run);
  }

  *run(): Process {
    const half = vec(i8, 4);
    const both = vec(half, 2);
    for (;;) {
      const word = yield* this.in.pop();
      yield* this.out.push(both((h) => half((i) => word[h * 4 + i]!)));
    }
  }
}

/** Matches in the text of the process, functions left out. */
async function count(top: Module, process: string, pattern: RegExp): Promise<number> {
  const text = (await verilogOf(top)).files.get(`${process}.v`)!;
  return text.replace(/ {2}function[\s\S]*?endfunction/g, "").match(pattern)?.length ?? 0;
}

describe("The shape of the generated Verilog", () => {
  it("the body of a loop that ends with its edge stands once, however it is come to", async () => {
    expect(await count(new Loop(), "Loop_run", /\bmul_s8_s8_16\(/g)).to.equal(1);
  });

  it("a lane that a statement picks by a computed index more than once is picked once", async () => {
    expect(await count(new Pairs(), "Pairs_run", /\blane_128_32\(/g)).to.equal(1);
  });

  it("two products of one multiplier are one call of mul_pair", async () => {
    expect(await count(new Pairs(), "Pairs_run", /\bmul_pair\(/g)).to.equal(1);
  });

  it("neighbouring parts of a vector are one part", async () => {
    expect(await count(new Halves(), "Halves_run", /out_data = word_n\[63:0\];/g)).to.equal(1);
  });
});
