/**
 * Words of banks as 16-bit numbers, beside the banks (memory-plan.ts): the form in which a matrix product takes its operands. Each word is
 * extended once, when it is used first since it was written, and not once for each use. Which words stand there as they are in the banks
 * is a row of words, which whoever writes cuts (memory-code.ts).
 */
import type { Heap } from "./layout.js";
import type { MemoryPlan } from "./memory-plan.js";
import { rules } from "./rules.js";
import { Code, type WasmModule } from "./wasm.js";

/** So many words, or fewer, that lie between the row and what is used next are extended with it. */
const SHORT_GAP = 16;

/** Bytes that are extended without a jump in between. */
const TOGETHER = 64;

/** The words of all banks of a row of banks, word after word. */
export interface Extended {
  /** Word 0 of the first bank; all others lie twice as far from it as in the banks. */
  readonly at: number;
  /** A function (number of the first word, number of words): these words stand there now. */
  readonly bring: number;
}

export class ExtendedWords {
  readonly #heap: Heap;
  readonly #module: WasmModule;
  readonly #of = new Map<MemoryPlan, Map<boolean, Extended>>();
  readonly #extend = new Map<boolean, number>();
  /** Where words stand: what is there after reset does not matter. */
  readonly places: (readonly [start: number, end: number])[] = [];

  readonly #changes: number;
  readonly #users: ((code: Code, low: number, high: number) => void)[] = [];

  constructor(heap: Heap, module: WasmModule) {
    this.#heap = heap;
    this.#module = module;
    this.#changes = module.declare("extended words change");
  }

  /** Emits what has to be done before words between two addresses (locals) change. */
  beforeChange(user: (code: Code, low: number, high: number) => void): void {
    this.#users.push(user);
  }

  /** When all who use them are known. */
  define(): void {
    const code = new Code(["i32", "i32"]);
    if (rules.round.openStale === 0) for (const user of this.#users) user(code, 0, 1);
    this.#module.define(this.#changes, code);
  }

  /** Of the first of interleaved banks of bytes; undefined where nobody notes what is written, or words are kept with another sign. */
  of(bank: MemoryPlan, signed: boolean): Extended | undefined {
    const [leaf, ...others] = bank.layout.leaves;
    if (bank.extended === undefined || leaf?.size !== 1 || others.length > 0 || bank.stride % 8 !== 0) return undefined;
    const known = this.#of.get(bank);
    if (known) return known.get(signed);
    const bytes = 2 * bank.memory.depth * bank.stride;
    const at = this.#heap.take(bytes);
    this.places.push([at, at + bytes]);
    const bring = this.#module.add(`${bank.memory.path} extended`, this.#bring(bank, bank.extended, at, signed));
    this.#of.set(bank, new Map([[signed, { at, bring }]]));
    return this.of(bank, signed);
  }

  /** The row goes on to all of the words, or begins anew with them. */
  #bring({ words, stride }: MemoryPlan, row: number, at: number, signed: boolean): Code {
    const code = new Code(["i32", "i32"]);
    const [first, count] = [0, 1];
    const [end, low, high] = code.locals("i32", 3);
    const extend = this.#extension(signed);
    code.get(first).get(count).op("i32.add").set(end);
    code.loadAt(row).set(low);
    code.loadAt(row + 4).set(high);
    code.get(first).get(low).op("i32.ge_s").get(end).get(high).op("i32.le_s").op("i32.and").if();
    code.op("return");
    code.end();
    const between = (from: number, to: number): void => {
      const byte = (word: number, of: number, scale: number): void =>
        void code
          .get(word)
          .i32(scale * stride)
          .op("i32.mul")
          .i32(of)
          .op("i32.add");
      byte(from, at, 2);
      byte(to, at, 2);
      code.call(this.#changes);
      byte(from, words, 1);
      byte(to, words, 1);
      byte(from, at, 2);
      code.call(extend);
    };
    code.get(first).i32(SHORT_GAP).op("i32.sub").get(high).op("i32.gt_s");
    code.get(end).get(low).op("i32.lt_s").op("i32.or").if();
    code.get(first).tee(low).set(high);
    code.end();
    code.get(first).get(low).op("i32.lt_s").if();
    between(first, low);
    code.get(first).set(low);
    code.end();
    code.get(end).get(high).op("i32.gt_s").if();
    between(high, end);
    code.get(end).set(high);
    code.end();
    code.storeAt(row, () => code.get(low));
    code.storeAt(row + 4, () => code.get(high));
    return code;
  }

  /** The function (first byte, the one behind the last, where to) that extends bytes, a multiple of eight of them. */
  #extension(signed: boolean): number {
    const known = this.#extend.get(signed);
    if (known !== undefined) return known;
    const code = new Code(["i32", "i32", "i32"]);
    const [from, end, to] = [0, 1, 2];
    for (const together of [TOGETHER, 8]) {
      code.get(end).get(from).op("i32.sub").i32(together).op("i32.ge_s").if();
      const again = code.loop();
      for (let byte = 0; byte < together; byte += 8)
        code
          .get(to)
          .get(from)
          .mem(signed ? "v128.load8x8_s" : "v128.load8x8_u", byte)
          .mem("v128.store", 2 * byte);
      code.get(from).i32(together).op("i32.add").set(from);
      code
        .get(to)
        .i32(2 * together)
        .op("i32.add")
        .set(to);
      code.get(end).get(from).op("i32.sub").i32(together).op("i32.ge_s").brIf(again);
      code.end().end();
    }
    const extend = this.#module.add(`extend ${signed ? "signed" : "unsigned"}`, code);
    this.#extend.set(signed, extend);
    return extend;
  }
}
