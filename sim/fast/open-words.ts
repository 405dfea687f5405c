/**
 * Products of words where they stand (product-words.ts) that are not added at once: words that come one after the other, a single round's or a
 * range's, are added together, when their sums are asked for, begin anew, or before the words change. So a tile is one product as a rule.
 */
import type { Heap } from "./layout.js";
import type { WordsProduct } from "./product-words.js";
import { rules } from "./rules.js";
import { Code, type WasmModule } from "./wasm.js";

export class OpenWords {
  /** A function that takes what that of the product does: these words belong to the sums. */
  readonly add: number;
  readonly #flush: number;
  readonly #steps: readonly number[];
  /** How many words wait. */
  readonly #count: number;
  /** By pointer: where the first of them stands, and the one behind them; where banks may be left out, how many are. */
  readonly #first: number;
  readonly #next: number;
  readonly #left: number;
  readonly #leaves: number;

  /** `run` is the function of the product. */
  constructor(module: WasmModule, heap: Heap, name: string, { pointers }: WordsProduct, run: number) {
    this.#steps = pointers.map(({ step }) => step);
    this.#leaves = pointers.filter(({ banks }) => banks !== undefined).length;
    const bytes = 4 * pointers.length;
    this.#count = heap.take(4);
    [this.#first, this.#next, this.#left] = [heap.take(bytes), heap.take(bytes), heap.take(4 * this.#leaves)];
    this.#flush = module.add(`${name} together`, this.#flushCode(run));
    this.add = module.add(`${name} taken`, this.#addCode());
  }

  /** Words that wait are added. */
  emitFlush(code: Code): void {
    code.call(this.#flush);
  }

  /** The same if some of them stand between two addresses (locals). */
  emitChange(code: Code, low: number, high: number): void {
    code.i32(0);
    this.#steps.forEach((_, i) => {
      code
        .loadAt(this.#first + 4 * i)
        .get(high)
        .op("i32.lt_u");
      code
        .loadAt(this.#next + 4 * i)
        .get(low)
        .op("i32.gt_u");
      code.op("i32.and").op("i32.or");
    });
    code.if();
    this.emitFlush(code);
    code.end();
  }

  #flushCode(run: number): Code {
    const code = new Code();
    const count = code.local("i32");
    code.loadAt(this.#count).tee(count).if();
    code.storeAt(this.#count, () => code.i32(0));
    this.#steps.forEach((_, i) => code.loadAt(this.#first + 4 * i));
    for (let i = 0; i < this.#leaves; i++) code.loadAt(this.#left + 4 * i);
    code.get(count).call(run).end();
    return code;
  }

  #addCode(): Code {
    const pointers = this.#steps.length;
    const code = new Code(Array.from({ length: pointers + this.#leaves + 1 }, () => "i32" as const));
    const words = pointers + this.#leaves;
    const goesOn = (place: number, parameter: number): void => {
      if (rules.round.openBlind !== 0) return;
      code.loadAt(place).get(parameter).op("i32.eq").op("i32.and");
    };
    code.loadAt(this.#count).i32(0).op("i32.ne");
    for (let i = 0; i < pointers; i++) goesOn(this.#next + 4 * i, i);
    for (let i = 0; i < this.#leaves; i++) goesOn(this.#left + 4 * i, pointers + i);
    code.op("i32.eqz").if();
    this.emitFlush(code);
    for (let i = 0; i < pointers; i++)
      for (const place of [this.#first, this.#next]) code.storeAt(place + 4 * i, () => code.get(i));
    for (let i = 0; i < this.#leaves; i++) code.storeAt(this.#left + 4 * i, () => code.get(pointers + i));
    code.end();
    code.storeAt(this.#count, () => code.loadAt(this.#count).get(words).op("i32.add"));
    this.#steps.forEach((step, i) => {
      const at = this.#next + 4 * i;
      code.storeAt(at, () => code.loadAt(at).get(words).i32(step).op("i32.mul").op("i32.add"));
    });
    return code;
  }
}
