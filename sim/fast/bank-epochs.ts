/**
 * Epochs of words that a range of rounds reads from all banks of a group (bank-view.ts), many words at a time: whether they were written and
 * handed over, and the note that they were read. They are functions of their own: within that of the rounds their code would
 * be a fifth of it.
 *
 * Of a read of all banks one number is noted for each word, not one for each bank's (`rows` in memory-plan.ts).
 */
import type { MemoryPlan } from "./memory-plan.js";
import type { Plan } from "./plan.js";
import { Code } from "./wasm.js";

/** So many words, or fewer, that lie between rows that were checked are checked with them. */
const SHORT_GAP = 16;
/** Bytes of an epoch, or of what a port counts. */
export const EPOCH = 4;
/** Words whose epochs are looked at without a jump. */
const TOGETHER = 4;

/** The words of a group of banks, as one process reads them. */
export interface BankWords {
  readonly plan: Plan;
  readonly actor: number;
  /** The first bank. */
  readonly memory: MemoryPlan;
  readonly banks: number;
  /** Where some banks may be left out: the table of masks for epochs (bank-view.ts). */
  readonly masks: number | undefined;
}

export const vectorsOf = (banks: number): readonly number[] =>
  Array.from({ length: Math.ceil(banks / 4) }, (_, i) => i * 16);

/** And of the vector on the stack with all ones for banks that are used, from byte `at` on; `left`, a local, are left out. */
function emitUsed(code: Code, masks: number | undefined, left: number | undefined, at: number): void {
  if (masks === undefined || left === undefined) return;
  code
    .get(left)
    .i32(EPOCH)
    .op("i32.mul")
    .mem("v128.load", masks + at)
    .op("v128.and");
}

/** Nonzero on the stack if one of the banks has a later epoch than is known; `epochs` leaves those of four on the stack. */
function emitLater(code: Code, words: BankWords, left: number | undefined, epochs: (at: number) => void): void {
  const { plan, actor, memory, masks } = words;
  const [[writer]] = memory.writeEpochs as unknown as [[number, number]];
  for (const at of vectorsOf(words.banks)) {
    epochs(at);
    if (memory.shared) code.loadAt(plan.known[actor]! + plan.observers.indexOf(writer) * 4);
    else code.i32(-2);
    code.op("i32x4.splat").op("i32x4.gt_u");
    emitUsed(code, masks, left, at);
    if (at > 0) code.op("v128.or");
  }
  code.op("v128.any_true");
}

/** Nonzero on the stack if a bank's word (its number in a local) was not written, or not handed over. */
export function emitUnwritten(code: Code, words: BankWords, left: number | undefined, word: number): void {
  const { epochStride, writeEpochs } = words.memory;
  const [[, array]] = writeEpochs as unknown as [[number, number]];
  const epochs = code.temp("i32");
  code.get(word).i32(epochStride).op("i32.mul").set(epochs);
  emitLater(code, words, left, (at) => code.get(epochs).mem("v128.load", array + at));
  code.free("i32", epochs);
}

/**
 * A function (number of the first word, words, banks that are left out) that tells how many of these words, `step` apart, were written and handed
 * over; undefined where nobody writes.
 */
export function lookFunction(words: BankWords, step: number): number | undefined {
  const { plan, actor, memory, masks } = words;
  const [written] = memory.writeEpochs;
  if (!written) return undefined;
  const code = new Code(["i32", "i32", "i32"], ["i32"]);
  const [next, rounds, leftOut] = [0, 1, 2];
  const left = masks === undefined ? undefined : leftOut;
  const { epochStride } = memory;
  const [word, count, from] = code.locals("i32", 3);
  const checked = step === 1 ? memory.checked.get(actor) : undefined;
  if (checked !== undefined) {
    code.get(next).loadAt(checked).op("i32.ge_s");
    code
      .get(next)
      .get(rounds)
      .op("i32.add")
      .loadAt(checked + 4)
      .op("i32.le_s");
    code.op("i32.and").if();
    code.get(rounds).op("return").end();
  }
  // The latest epoch of each bank tells it of all words, if it is early enough.
  const vectors = vectorsOf(words.banks);
  const latest = vectors.map(() => code.local("v128"));
  code.get(next).set(from).get(rounds).set(count);
  if (checked !== undefined) {
    // Words that were read one by one between this row and the last.
    code
      .get(next)
      .loadAt(checked + 4)
      .op("i32.sub");
    code.i32(SHORT_GAP).op("i32.lt_u").get(rounds).i32(0).op("i32.gt_s").op("i32.and").if();
    code.loadAt(checked + 4).set(from);
    code.get(next).get(from).op("i32.sub").get(rounds).op("i32.add").set(count).end();
  }
  code.get(from).i32(epochStride).op("i32.mul").set(word);
  emitTimes(code, count, word, step * epochStride, TOGETHER, (behind) => {
    latest.forEach((each, i) => {
      code
        .get(word)
        .mem("v128.load", written[1] + vectors[i]! + behind)
        .get(each)
        .op("i32x4.max_u")
        .set(each);
    });
  });
  emitLater(code, words, left, (at) => code.get(latest[at / 16]!));
  code.if();
  code.get(next).set(word).get(rounds).set(count);
  const out = code.block();
  const again = code.loop();
  code.get(count).i32(0).op("i32.le_s").brIf(out);
  emitUnwritten(code, words, left, word);
  code.brIf(out);
  code.get(word).i32(step).op("i32.add").set(word);
  code.get(count).i32(1).op("i32.sub").set(count).br(again);
  code.end().end();
  code.get(rounds).get(count).op("i32.sub").set(rounds);
  if (checked !== undefined) {
    code.else();
    emitChecked(code, from, count, left, checked);
  }
  code.end();
  code.get(rounds);
  return plan.module.add(`${memory.memory.path} looked at`, code);
}

/** So many words (a local) of all banks were handed over, from one on whose number is in a local. */
function emitChecked(code: Code, first: number, words: number, left: number | undefined, checked: number): void {
  code.get(words).i32(0).op("i32.gt_s");
  if (left !== undefined) code.get(left).op("i32.eqz").op("i32.and");
  code.if();
  code.get(first).loadAt(checked).op("i32.lt_s");
  code
    .get(first)
    .loadAt(checked + 4)
    .op("i32.gt_s");
  code.op("i32.or").if();
  code.storeAt(checked, () => code.get(first));
  code.end();
  code.storeAt(checked + 4, () => code.get(first).get(words).op("i32.add"));
  code.end();
}

/**
 * A function (number of the first word, words, banks that are left out) that notes that these words, `step` apart, at least one, were read. The process's
 * own count has gone up by `before` at the first of them, and by `each` from one to the next. Undefined where nobody asks.
 */
export function noteFunction(
  words: BankWords,
  step: number,
  { before, each }: { readonly before: number; readonly each: number },
): number | undefined {
  const { plan, actor, memory, masks } = words;
  const { readEpochs, epochStride } = memory;
  const mine = readEpochs.get(actor);
  if (mine === undefined) return undefined;
  const code = new Code(["i32", "i32", "i32"]);
  const [next, count, left] = [0, 1, 2];
  const at = code.local("i32");
  const now = code.local("v128");
  code.loadAt(plan.known[actor]! + plan.observers.indexOf(actor) * 4);
  code.i32(before).op("i32.add").op("i32x4.splat").set(now);
  const goOn = (steps: number): void => {
    if (each > 0)
      code
        .get(now)
        .i32(each * steps)
        .op("i32x4.splat")
        .op("i32x4.add")
        .set(now);
  };
  const row = memory.rows.get(actor);
  const single = (): void => {
    code.get(next).i32(epochStride).op("i32.mul").set(at);
    emitTimes(code, count, at, step * epochStride, 1, () => {
      for (const vector of vectorsOf(words.banks)) {
        code.get(at).get(now);
        if (masks !== undefined) {
          code.get(at).mem("v128.load", mine + vector);
          code
            .get(left)
            .i32(EPOCH)
            .op("i32.mul")
            .mem("v128.load", masks + vector);
          code.op("v128.bitselect");
        }
        code.mem("v128.store", mine + vector);
      }
      goOn(1);
    });
  };
  if (row === undefined) single();
  else {
    if (masks !== undefined) {
      code.get(left).if();
      code.storeAt(row.partly, () => code.i32(1));
      single();
      code.op("return").end();
    }
    code.get(next).i32(EPOCH).op("i32.mul").set(at);
    if (step === 1) {
      code.get(count).i32(4).op("i32.ge_s").if();
      const lanes = [0, 1, 2, 3].flatMap((i) => [each * i, 0, 0, 0]);
      if (each * 3 > 255) throw new Error("a pass tells more than is thought of");
      if (each > 0) code.get(now).v128(lanes).op("i32x4.add").set(now);
      const again = code.loop();
      code.get(at).get(now).mem("v128.store", row.epochs);
      goOn(4);
      code.get(at).i32(16).op("i32.add").set(at);
      code.get(count).i32(4).op("i32.sub").tee(count).i32(4).op("i32.ge_s").brIf(again);
      code.end().end();
    }
    emitTimes(code, count, at, step * EPOCH, 1, () => {
      code.get(at).get(now).extractI32(0).mem("i32.store", row.epochs);
      goOn(1);
    });
  }
  return plan.module.add(`${memory.memory.path} read`, code);
}

/**
 * Do it as often as `count` (a local) says, not at all if that is less than one, `together` times without a jump, and count it down. The local `at` goes
 * on by `step` each time; of several that are done at once, `behind` tells how far it is behind.
 */
function emitTimes(
  code: Code,
  count: number,
  at: number,
  step: number,
  together: number,
  body: (behind: number) => void,
): void {
  const left = code.local("i32");
  code.get(count).set(left);
  for (const some of new Set([together, 1])) {
    code.get(left).i32(some).op("i32.ge_s").if();
    const again = code.loop();
    for (let i = 0; i < some; i++) body(i * step);
    code
      .get(at)
      .i32(some * step)
      .op("i32.add")
      .set(at);
    code.get(left).i32(some).op("i32.sub").tee(left).i32(some).op("i32.ge_s").brIf(again);
    code.end().end();
  }
}

/** A whole row of words was read now, at the address in a local: their epoch, on `row` of `known`. */
export function emitRowRead(code: Code, row: { readonly epochs: number }, address: number, epoch: () => void): void {
  code.get(address).i32(EPOCH).op("i32.mul");
  epoch();
  code.mem("i32.store", row.epochs);
}
