/**
 * Words of banks that a leap (leap.ts) leaves where they are. A pass that reads all banks of a group once, at one address, and
 * pushes their words as one token, need copy them neither to the ports nor to the token: until the leap ends the token is the
 * place in the banks. What the ports and their counters would show is made up for then.
 */
import { emitGroupCopy } from "./bank-code.js";
import {
  EPOCH,
  emitRowRead,
  emitUnwritten,
  lookFunction,
  noteFunction,
  vectorsOf,
  type BankWords,
} from "./bank-epochs.js";
import type { Actor } from "./channel-code.js";
import type { ExprCompiler } from "./expr.js";
import type { Extended } from "./extended-words.js";
import type { Layout } from "./layout.js";
import type { PortGroup } from "./memory-plan.js";
import { emitCopy, placeAt, type Place } from "./place.js";
import type { Plan } from "./plan.js";
import { BLOCK, ROW_BYTES } from "./product-kernel.js";
import type { Pointer } from "./product-words.js";
import type { BankRead, PassStep } from "./rounds.js";
import { rules } from "./rules.js";
import type { Code } from "./wasm.js";

export type Push = Extract<PassStep, { kind: "push" }>;

export class BankView {
  readonly read: BankRead;
  readonly push: Push;
  readonly #group: PortGroup;
  readonly #actor: Actor;
  readonly #layout: Layout;
  readonly #usedOnce: boolean;
  /** A local: the byte of the word in the banks. */
  readonly at: number;
  /** Locals: the same of the next read, the number of its word; the clock of the last read. */
  readonly #nextAt: number;
  readonly #next: number;
  readonly #time: number;
  /** Where fewer banks may be used than there are: a local with how many are left out, and tables of masks. */
  readonly #left: number | undefined;
  readonly #masks: ReadonlyMap<number, number>;

  /**
   * `layout` is that of the token. `some`: it may be the words of some banks, zeros behind them. `usedOnce`: what is read is used by the push that follows
   * and nowhere else, so that nobody asks for it between two passes.
   */
  constructor(
    actor: Actor,
    group: PortGroup,
    read: BankRead,
    push: Push,
    layout: Layout,
    some: boolean,
    usedOnce: boolean,
  ) {
    this.#usedOnce = usedOnce;
    this.read = read;
    this.push = push;
    this.#group = group;
    this.#actor = actor;
    this.#layout = layout;
    const local = (): number => actor.code.local("i32");
    [this.at, this.#nextAt, this.#next, this.#time] = [local(), local(), local(), local()];
    this.#left = some ? local() : undefined;
    const sizes = some ? new Set([EPOCH, this.#wordBytes, ROW_BYTES]) : [];
    this.#masks = new Map([...sizes].map((size) => [size, maskTable(actor.plan, group.ports.length, size)]));
  }

  get #memory(): PortGroup["ports"][number]["memory"] {
    return this.#group.ports[0]!.memory;
  }
  get #wordBytes(): number {
    return this.#group.bytes / this.#group.ports.length;
  }
  get #vectors(): readonly number[] {
    return vectorsOf(this.#group.ports.length);
  }

  /** What a pass that is no leap's does, as far as those of the next leap have to be like it. */
  emitNote(exprs: ExprCompiler): void {
    if (this.#left === undefined) return;
    this.#emitLeft(exprs);
    exprs.code.set(this.#left);
  }

  /** How many banks the next pass leaves out, on the stack. */
  #emitLeft(exprs: ExprCompiler): void {
    const { code } = this.#actor;
    const all = this.#group.ports.length;
    const left = code.temp("i32");
    code.i32(all);
    exprs.emit32(this.read.used!);
    code.op("i32.sub").set(left);
    code.get(left).i32(0).get(left).i32(0).op("i32.gt_s").op("select").set(left);
    code.get(left).i32(all).get(left).i32(all).op("i32.lt_s").op("select");
    code.free("i32", left);
  }

  /** Or of the number on the stack and of how many banks are left out. */
  emitOrLeft(): void {
    if (this.#left !== undefined) this.#actor.code.get(this.#left).op("i32.or");
  }

  /** And with all ones for banks that are used, zeros for others: `size` bytes for each, from byte `at` on. */
  emitMask(size: number, at: number): void {
    if (this.#left === undefined) return;
    const { code } = this.#actor;
    code
      .get(this.#left)
      .i32(size)
      .op("i32.mul")
      .mem("v128.load", this.#masks.get(size)! + at);
    code.op("v128.and");
  }
  /** Put the vector on the stack to `local` + `at` where banks are used; `size` bytes for each, from byte `from` on. */
  #store(local: number | undefined, at: number, size: number, from: number): void {
    const { code } = this.#actor;
    const value = code.temp("v128");
    const base = (): Code => (local === undefined ? code.i32(0) : code.get(local));
    code.set(value);
    base().get(value);
    if (this.#left !== undefined) {
      base().mem("v128.load", at);
      code
        .get(this.#left)
        .i32(size)
        .op("i32.mul")
        .mem("v128.load", this.#masks.get(size)! + from);
      code.op("v128.bitselect");
    }
    code.mem("v128.store", at);
    code.free("v128", value);
  }

  /** Nonzero on the stack if the next read is an ordinary one: of banks as in the last round, of words that were written and handed over. */
  emitReady(exprs: ExprCompiler): void {
    const { code } = this.#actor;
    this.emitFound(exprs);
    if (this.#memory.writeEpochs.size === 0) return;
    code.if("i32");
    emitUnwritten(code, this.#words, this.#left, this.#next);
    code.op("i32.eqz").else().i32(0).end();
  }

  /** Nonzero on the stack if the next read is of banks as in the last round, at an address that they have. */
  emitFound(exprs: ExprCompiler): void {
    const { code } = this.#actor;
    const { stride, memory } = this.#memory;
    const all = this.#group.ports.length;
    exprs.emit32(this.read.address);
    code.tee(this.#next).i32(stride).op("i32.mul").set(this.#nextAt);
    code.get(this.#next).i32(memory.depth).op("i32.lt_u");
    if (this.#left !== undefined) {
      this.#emitLeft(exprs);
      code.get(this.#left).op("i32.eq").op("i32.and");
    } else
      for (const used of [this.read.used, this.push.words!.used])
        if (used) {
          exprs.emit32(used);
          code.i32(all).op("i32.ge_s").op("i32.and");
        }
  }

  get #words(): BankWords {
    const { plan, actor } = this.#actor;
    return {
      plan,
      actor,
      memory: this.#memory,
      banks: this.#group.ports.length,
      masks: this.#left === undefined ? undefined : this.#masks.get(EPOCH)!,
    };
  }

  /** The read: only its epoch and its clock are noted. */
  emitRead(): void {
    const { code, plan, actor, time } = this.#actor;
    code.get(this.#nextAt).set(this.at).get(time).set(this.#time);
    const { readEpochs, epochStride, rows } = this.#memory;
    const mine = readEpochs.get(actor);
    if (mine === undefined) return;
    const own = (): void => void code.loadAt(plan.known[actor]! + plan.observers.indexOf(actor) * 4);
    const row = rows.get(actor);
    if (row) {
      if (this.#left !== undefined) code.get(this.#left).op("i32.eqz").if();
      emitRowRead(code, row, this.#next, own);
      if (this.#left === undefined) return;
      code.else();
      code.storeAt(row.partly, () => code.i32(1));
    }
    const epochs = code.temp("i32");
    code.get(this.#next).i32(epochStride).op("i32.mul").set(epochs);
    for (const at of this.#vectors) {
      own();
      code.op("i32x4.splat");
      this.#store(epochs, mine + at, EPOCH, at);
    }
    code.free("i32", epochs);
    if (row) code.end();
  }

  /** `rounds` (a local) becomes as many as there are words, `step` apart, that were written and handed over, behind `emitFound`. */
  emitWrittenMany(rounds: number, step: number): void {
    const look = lookFunction(this.#words, step);
    if (look !== undefined) this.#emitWords(rounds).call(look).set(rounds);
  }

  /**
   * The reads of so many passes (a local, at least 1), the first as `emitFound` found it, `step` words apart: their epochs. The process's own
   * count has gone up by `before` at the first of them, and by `each` from one to the next.
   */
  emitReadMany(passes: number, step: number, counts: { readonly before: number; readonly each: number }): void {
    const note = noteFunction(this.#words, step, counts);
    if (note !== undefined) this.#emitWords(passes).call(note);
  }

  /** On the stack: the number of the word that is read next, how many (a local), and how many banks are left out. */
  #emitWords(count: number): Code {
    const { code } = this.#actor;
    code.get(this.#next).get(count);
    return this.#left === undefined ? code.i32(0) : code.get(this.#left);
  }

  /** A local with the byte of the word that is read first, and the bytes from one to the next. */
  emitPointer(step: number): { readonly at: number; readonly step: number } {
    const { code } = this.#actor;
    const at = code.local("i32");
    code.get(this.#nextAt);
    if (rules.round.jointWords !== 0) code.i32(rules.round.jointWords).op("i32.add");
    code.set(at);
    return { at, step: step * this.#memory.stride };
  }

  /** Where the words stand extended, if there is such a place and a bank's word is a row of a product's operand there. */
  extended(signed: boolean): Extended | undefined {
    return this.#wordBytes === BLOCK ? this.#actor.plan.extended.of(this.#memory, signed) : undefined;
  }
  /** Such rows, word after word. */
  get rows(): Pointer {
    return { step: 2 * this.#memory.stride, banks: this.whole ? undefined : this.#group.ports.length };
  }
  /** So many words (a local), from the one that is read next, stand there. */
  emitBring({ bring }: Extended, words: number): void {
    this.#actor.code.get(this.#next).get(words).call(bring);
  }
  /** The byte where the first of them does, on the stack. */
  emitExtendedPointer({ at }: Extended): void {
    const { code } = this.#actor;
    code.get(this.#nextAt);
    if (rules.round.jointWords !== 0) code.i32(rules.round.jointWords).op("i32.add");
    code.i32(1).op("i32.shl").i32(at).op("i32.add");
  }
  /** How many banks are left out, on the stack, if some may be. */
  emitLeftOut(): void {
    if (this.#left !== undefined) this.#actor.code.get(this.#left);
  }

  /** So many passes (a local) have been done, the last read in the clock in `time`. */
  emitEndAt(passes: number, step: number, time: number): void {
    const { code } = this.#actor;
    code.get(passes).i32(1).op("i32.sub");
    code
      .i32(step * this.#memory.stride)
      .op("i32.mul")
      .get(this.#nextAt)
      .op("i32.add")
      .set(this.at);
    code.get(time).set(this.#time);
  }

  /** The token as it stands in the banks, at the byte in a local; what banks that are left out hold is not part of it. */
  place(at: number): Place {
    return placeAt(this.#layout, this.#memory.words, at);
  }
  get depth(): number {
    return this.#memory.memory.depth;
  }
  /** The place of a token is that of the words of all banks. */
  get whole(): boolean {
    return this.#left === undefined;
  }
  /** The bank whose word holds a byte of the place. */
  bankAt(offset: number): number {
    return Math.floor((offset - this.#memory.words) / this.#wordBytes);
  }

  /** The token, from the byte in a local, as it is. */
  emitTake(to: number, at: number): void {
    const { code } = this.#actor;
    emitCopy(code, placeAt(this.#layout, to), this.place(at));
    if (this.whole) return;
    for (let byte = 0; byte < this.#group.bytes; byte += 16) {
      code
        .i32(0)
        .i32(0)
        .mem("v128.load", to + byte);
      this.emitMask(this.#wordBytes, byte);
      code.mem("v128.store", to + byte);
    }
  }
  /** Bytes that a token takes, and the byte in the banks that stands for an address. */
  get bytes(): number {
    return this.#layout.bytes;
  }
  byteOf(address: number): number {
    return address - this.#memory.words;
  }

  /** After a leap with so many reads (a local, at least 1), the last of them leaves its words at the ports. */
  emitSettle(passes: number): void {
    const { code } = this.#actor;
    const { reads, lastRead, words, bytes } = this.#group;
    if (this.#usedOnce) {
      // Nobody looks at them.
    } else if (this.whole) emitGroupCopy(code, this.#group, this.at);
    else
      for (let byte = 0; byte < bytes; byte += 16) {
        code.get(this.at).mem("v128.load", this.#memory.words + byte);
        this.#store(undefined, words + byte, this.#wordBytes, byte);
      }
    for (const at of this.#vectors) {
      code.i32(0).i32(0);
      code
        .mem("v128.load", reads + at)
        .get(passes)
        .op("i32x4.splat");
      this.emitMask(EPOCH, at);
      code.op("i32x4.add").mem("v128.store", reads + at);
      code.get(this.#time).op("i32x4.splat");
      this.#store(undefined, lastRead + at, EPOCH, at);
    }
  }
}

/** All ones for each of the banks, then zeros, `size` bytes each: from `n` banks on, the mask where `n` are left out. */
function maskTable(plan: Plan, banks: number, size: number): number {
  const at = plan.heap.take(2 * banks * size + 16);
  plan.initially((view) => {
    for (let byte = 0; byte < banks * size; byte++) view.setUint8(at + byte, 255);
  });
  return at;
}
