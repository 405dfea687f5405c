/**
 * Single rounds that are remembered. Behind a leap that ended with a round of other clocks (leap.ts) the state of time is one that has no period; as
 * long as every process takes the same steps, the next round is a function of that state alone (settling.ts). So how long each operation
 * waited there, and by how much the clocks of channels moved, is kept beside the state, all clocks relative to one of them: where rounds
 * stand in such a state again, the next is the only round of a leap, whose waits are those of then.
 */
import type { Heap } from "./layout.js";
import { rules } from "./rules.js";
import { emitRowCopy, emitRowStore, relativeTo, rowOf, up, VECTOR, type Row } from "./state-row.js";
import { Code, type WasmModule } from "./wasm.js";

/** So many are remembered, the latest. */
const STEPS = 8;
/** So many looks for one are left out where one could not be taken, and at most where none was found again and again. */
const PAUSE = 8;
const MOST_PAUSE = 1024;

/** Locals: clocks of processes and channels, what operations waited, what decided clocks, whether somebody waited for the outside. Where they stand. */
interface State {
  readonly clocks: readonly number[];
  readonly last: readonly number[];
  readonly decided: readonly number[];
  readonly held: readonly number[];
  readonly now: { readonly clocks: Row; readonly last: Row; readonly decided: Row };
}

export class KnownStep {
  readonly #code: Code;
  readonly #of: State;
  /** Locals: 1 in a round that is being noted; looks that are left out, and how many next time. */
  readonly #noting: number;
  readonly #idle: number;
  readonly #pause: number;
  /** Where steps stand, which is written next, and the clocks with which one begins that is noted. */
  readonly #steps: number;
  readonly #next: number;
  readonly #first: Row;
  /** Of a step: offsets within it, and its bytes. Its first word is not zero where it is one. */
  readonly #offsets: { readonly key: number; readonly moved: number; readonly last: number; readonly decided: number };
  readonly #bytes: number;
  readonly #find: number;
  readonly #keep: number;

  constructor(code: Code, heap: Heap, module: WasmModule, name: string, of: State) {
    this.#code = code;
    this.#of = of;
    [this.#noting, this.#idle, this.#pause] = [code.local("i32"), code.local("i32"), code.local("i32")];
    const [key, clocks] = [VECTOR, up(of.clocks.length) * 4];
    const last = key + 2 * clocks;
    const decided = last + up(of.last.length) * 4;
    this.#offsets = { key, moved: key + clocks, last, decided };
    this.#bytes = decided + up(of.decided.length) * 4;
    [this.#steps, this.#next, this.#first] = [
      heap.take(STEPS * this.#bytes),
      heap.take(4),
      rowOf(heap, of.clocks.length),
    ];
    this.#find = module.add(`${name} find step`, this.#findCode());
    this.#keep = module.add(`${name} keep step`, this.#keepCode());
  }

  /** `step` (a local) becomes the step with which the state now begins, or 0: then the round that follows is noted. */
  emitFind(step: number): void {
    const code = this.#code;
    const next = code.temp("i32");
    code.get(this.#idle).if();
    code.get(this.#idle).i32(1).op("i32.sub").set(this.#idle);
    code.else();
    this.#emitClocks();
    code.call(this.#find).tee(step).if();
    code.i32(0).set(this.#pause);
    code.else();
    code.i32(1).set(this.#noting).get(this.#pause).set(this.#idle);
    code.get(this.#pause).i32(1).op("i32.shl").i32(1).op("i32.or").tee(next);
    code.i32(MOST_PAUSE).get(next).i32(MOST_PAUSE).op("i32.lt_u").op("select").set(this.#pause);
    code.end().end();
    code.free("i32", next);
  }

  /** Behind a round: it is kept if it is being noted and waited for nobody else. */
  emitDone(): void {
    const code = this.#code;
    const { last, decided, held, now } = this.#of;
    code.get(this.#noting).if();
    code.i32(0).set(this.#noting).i32(0);
    for (const local of held) code.get(local).op("i32.or");
    code.op("i32.eqz").if();
    this.#emitClocks();
    last.forEach((local, i) => code.storeAt(now.last.at + i * 4, () => code.get(local)));
    decided.forEach((local, i) => code.storeAt(now.decided.at + i * 4, () => code.get(local)));
    code.call(this.#keep).end().end();
  }

  /** In front of the step (a local): how long its operations wait, and what decides its clocks. */
  emitTake(step: number): void {
    const code = this.#code;
    const { last, decided, held } = this.#of;
    const from = (locals: readonly number[], offset: number): void => {
      locals.forEach((local, i) => {
        code
          .get(step)
          .mem("i32.load", offset + i * 4)
          .set(local);
      });
    };
    from(last, this.#offsets.last);
    from(decided, this.#offsets.decided);
    for (const local of held) code.i32(0).set(local);
  }

  /** Behind it: these clocks of a channel move as they did then. */
  emitMove(step: number, times: readonly number[]): void {
    const code = this.#code;
    for (const time of times) {
      code.get(time).get(step);
      code.mem("i32.load", this.#offsets.moved + this.#of.clocks.indexOf(time) * 4);
      if (rules.round.stepTime !== 0) code.i32(rules.round.stepTime).op("i32.add");
      code.op("i32.add").set(time);
    }
  }

  /** Behind a leap that began with `step` (a local, perhaps 0), and took it where `taken` (a local) is not zero. */
  emitEnd(step: number, taken: number): void {
    const code = this.#code;
    code.get(step).i32(0).op("i32.ne").get(taken).op("i32.eqz").op("i32.and").if();
    code.i32(PAUSE).set(this.#idle).end();
  }

  #emitClocks(): void {
    const { clocks, now } = this.#of;
    const { at, length } = now.clocks;
    for (let i = 0; i < length; i++) this.#code.storeAt(at + i * 4, () => this.#code.get(clocks[i] ?? clocks[0]!));
  }

  /** The step that begins with the clocks as they are, or 0: then one that does so may be noted. */
  #findCode(): Code {
    const code = new Code([], ["i32"]);
    const [step, left, base] = [code.local("i32"), code.local("i32"), code.local("v128")];
    const { clocks } = this.#of.now;
    code.i32(this.#steps).set(step).i32(STEPS).set(left);
    code.loadAt(clocks.at).op("i32x4.splat").set(base);
    const again = code.loop();
    relativeTo(code, clocks, base, rules.round.stepBlind === 0).forEach((emit, i) => {
      emit();
      code
        .get(step)
        .mem("v128.load", this.#offsets.key + i * VECTOR)
        .op("v128.xor");
      if (i > 0) code.op("v128.or");
    });
    code.op("v128.any_true").op("i32.eqz").get(step).mem("i32.load").op("i32.and").if();
    code.get(step).op("return").end();
    code.get(step).i32(this.#bytes).op("i32.add").set(step);
    code.get(left).i32(1).op("i32.sub").tee(left).brIf(again).end();
    emitRowCopy(code, this.#first, clocks);
    code.i32(0);
    return code;
  }

  #keepCode(): Code {
    const code = new Code();
    const [step, base] = [code.local("i32"), code.local("v128")];
    const { now } = this.#of;
    const { key, moved, last, decided } = this.#offsets;
    code.loadAt(this.#next).i32(this.#bytes).op("i32.mul").i32(this.#steps).op("i32.add").set(step);
    code.storeAt(this.#next, () =>
      code
        .loadAt(this.#next)
        .i32(1)
        .op("i32.add")
        .i32(STEPS - 1)
        .op("i32.and"),
    );
    code.get(step).i32(1).mem("i32.store");
    code.loadAt(this.#first.at).op("i32x4.splat").set(base);
    relativeTo(code, this.#first, base, true).forEach((emit, i) => {
      code.get(step);
      emit();
      code.mem("v128.store", key + i * VECTOR);
    });
    emitRowStore(code, step, now.clocks, moved, this.#first);
    emitRowStore(code, step, now.last, last);
    emitRowStore(code, step, now.decided, decided);
    return code;
  }
}
