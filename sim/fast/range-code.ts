/**
 * Ranges (range-match.ts): what many passes do with their tokens, in one piece. Whether they can be done at once is asked before: conditions
 * by induction, the order of accesses by one look at the epochs of all words. What may not pass is left to single passes, with their errors.
 */
import { emitCount, type Variable } from "./induction.js";
import { columnBytes } from "./layout.js";
import type { MemberCode } from "./member-code.js";
import { emitRewritten } from "./memory-code.js";
import type { MemoryPlan } from "./memory-plan.js";
import { MOST_TAKEN, NestCode, setLeast } from "./nest-code.js";
import { emitBase } from "./place.js";
import { emitInFours, TokenBytes } from "./range-bytes.js";
import type { Image, Range, RangeWrite } from "./range-facts.js";
import type { RoundSource } from "./round-source.js";
import { rules } from "./rules.js";
import type { Code } from "./wasm.js";

/** Bytes that grow by `word` from one word to the next and by `step` from one step to the next. */
interface Strides {
  readonly word: number;
  readonly step: number;
}

export class RangeCode {
  readonly range: Range;
  readonly #code: Code;
  readonly #taker: MemberCode;
  readonly #source: RoundSource;
  /** Of each write: locals with the address in words, and of its first port's numbers, of the first token. */
  readonly #first: readonly { readonly address: number; readonly bank: number }[];
  readonly #bytes: TokenBytes;
  /** Words of a step. */
  readonly #words: number;
  readonly #nest: NestCode | undefined;

  constructor(code: Code, range: Range, taker: MemberCode, source: RoundSource) {
    this.#code = code;
    this.range = range;
    this.#taker = taker;
    this.#source = source;
    this.#first = range.writes.map(() => ({ address: code.local("i32"), bank: code.local("i32") }));
    this.#bytes = new TokenBytes(
      code,
      [...range.writes, ...range.sums, ...range.words].map(({ image }) => image),
    );
    this.#words = range.tokens / range.perWord;
    const local = (of: Variable): number => this.#local(of);
    this.#nest = range.nest && new NestCode(code, taker.exprs, range.nest, range.follows, local);
  }

  /** Of how many of the last tokens the ports are told the times. */
  get timesAsked(): number {
    return Math.max(this.range.tokens, ...this.range.writes.map(({ ports }) => ports.length));
  }

  /** Nonzero on the stack if one of the ports has written in the clock in `time` (a local) or later. */
  emitWasWritten(time: number): void {
    this.#code.i32(0);
    for (const { ports } of this.range.writes)
      for (const { lastWrite } of ports) this.#code.loadAt(lastWrite).get(time).op("i32.ge_s").op("i32.or");
  }

  /** Make `steps`, a local, no more than can be done at once from here on; `last`: behind the last of them, no other pass may follow. */
  emitSteps(steps: number, last: boolean): void {
    const code = this.#code;
    const can = code.temp("i32");
    this.#emitCan(can, last ? 1 : 0);
    if (rules.round.rangeSteps !== 0) code.get(can).i32(rules.round.rangeSteps).op("i32.add").set(can);
    code.get(can).get(steps).get(can).get(steps).op("i32.lt_s").op("select").set(steps);
    code.free("i32", can);
    code.get(steps).i32(0).op("i32.gt_s").if();
    this.emitAddresses();
    this.range.writes.forEach((write, i) => {
      const { address, bank } = this.#first[i]!;
      this.#look(write, address, bank, steps);
    });
    code.end();
  }

  /**
   * On the stack: how many tokens are popped from here on, by passes that show nothing to others before the last of them. Behind the
   * steps that hold as a whole comes one whose tokens are taken, too.
   */
  emitTaken(): void {
    const code = this.#code;
    const most = code.temp("i32");
    this.#emitCan(most, 1 + rules.round.flowSteps);
    code.i32(MOST_TAKEN);
    setLeast(code, most);
    code.get(most).i32(0).get(most).i32(0).op("i32.gt_s").op("select").i32(this.range.tokens).op("i32.mul");
    code.free("i32", most);
  }

  /** A local becomes how many steps can be done from here on, and `more` steps behind those that another pass follows. */
  #emitCan(can: number, more: number): void {
    const { exprs } = this.#taker;
    const code = this.#code;
    const { start, taken, follows } = this.range;
    emitCount(exprs, follows);
    code.i32(more).op("i32.add").set(can);
    if (more > 0) this.#nest?.emitSteps(can);
    else this.#nest?.emitAlone();
    emitCount(exprs, taken);
    setLeast(code, can);
    for (const { of, value } of start)
      code.get(can).i32(0).get(this.#local(of)).i32(value).op("i32.eq").op("select").set(can);
  }

  /** Find out where the next token goes. */
  emitAddresses(): void {
    const { exprs } = this.#taker;
    const code = this.#code;
    this.range.writes.forEach((write, i) => {
      const { address, bank } = this.#first[i]!;
      exprs.emit32(write.address);
      code.set(address);
      exprs.emit32(write.bank);
      code.set(bank);
    });
  }

  /** `steps` becomes 0 if a word has been read by somebody who has not told so. */
  #look({ ports, addressSteps, bankSteps }: RangeWrite, address: number, bank: number, steps: number): void {
    const code = this.#code;
    const { plan, actor } = this.#taker;
    const [{ memory }] = ports as readonly [RangeWrite["ports"][number]];
    for (const [reader, array] of memory.readEpochs) {
      if (reader === actor) continue;
      const [at, known, bad] = [code.temp("i32"), code.temp("i32"), code.temp("i32")];
      const [old, worst] = [code.temp("v128"), code.temp("v128")];
      code.loadAt(plan.known[actor]! + plan.observers.indexOf(reader) * 4).set(known);
      code.i32(0).set(bad).get(known).op("i32x4.splat").set(old).i32(0).op("i32x4.splat").set(worst);
      const look = (strides: Strides, words: number): void => {
        this.#runs(at, strides, steps, words, (count) => {
          emitInFours(
            code,
            at,
            strides.word,
            count,
            (offset) =>
              code.get(at).mem("v128.load", offset).get(old).op("i32x4.gt_u").get(worst).op("v128.or").set(worst),
            () => code.get(at).mem("i32.load").get(known).op("i32.gt_u").get(bad).op("i32.or").set(bad),
          );
        });
      };
      const row = memory.rows.get(reader);
      if (row) {
        // Words of a step that are one of several banks' are looked at once.
        const words = addressSteps[0] === 0 ? 1 : this.#words;
        const [, step] = addressSteps;
        code.get(address).i32(2).op("i32.shl").i32(row.epochs).op("i32.add").set(at);
        if (rules.round.rowDeaf === 0)
          look({ word: 4 * (words === 1 ? step : addressSteps[0]), step: 4 * step }, words);
        code.loadAt(row.partly).if();
      }
      this.#start(address, memory.epochStride, bank, 4, array);
      code.set(at);
      look(this.#strides(addressSteps, memory.epochStride, bankSteps, 4), this.#words);
      if (row) code.end();
      code.i32(0).get(steps).get(worst).op("v128.any_true").get(bad).op("i32.or").op("select").set(steps);
      code.free("i32", at, known, bad);
      code.free("v128", old, worst);
    }
  }

  /**
   * Do `steps` (a local) of them with the tokens from number `token` (a local) on, whose times are recorded; pops come `stay` (a local)
   * clocks behind the pushes. Behind `emitSteps` or `emitAddresses`.
   */
  emitMove(steps: number, token: number, stay: number): void {
    const code = this.#code;
    this.#bytes.emitMasks(this.#taker.exprs);
    this.range.writes.forEach((write, i) => {
      this.#write(write, this.#first[i]!, steps, token);
      this.#ports(write, this.#first[i]!.bank, steps, token, stay);
    });
    for (const { into, image } of this.range.sums) {
      const bytes = columnBytes(this.#source.channel.layout.leaves[image.leaf]!);
      const [from, count] = [code.temp("i32"), code.temp("i32")];
      this.#token(image.leaf, token, from);
      code
        .get(steps)
        .i32(bytes * this.range.tokens)
        .op("i32.mul")
        .set(count);
      this.#bytes.emitSum(this.#local(into), image, from, count, bytes % 16 === 0);
      code.free("i32", from, count);
    }
    for (const { of, image } of this.range.words) this.#keep(of, image, steps, token);
    const { grow, nest } = this.range;
    for (const { of, step } of grow) {
      if (step === 0 || nest?.inner.some((one) => one.of === of)) continue;
      const local = this.#local(of);
      code.get(local).get(steps).i32(step).op("i32.mul").op("i32.add").set(local);
    }
    this.#nest?.emitGrow(steps);
  }

  /** A vector is the word of the last of so many steps. */
  #keep(of: Variable, image: Image, steps: number, token: number): void {
    const code = this.#code;
    const { perWord } = this.range;
    const binding = this.#taker.binding(of);
    if (!("place" in binding)) throw new Error("a word is a vector");
    const bytes = columnBytes(this.#source.channel.layout.leaves[image.leaf]!) * perWord;
    const [from, to, count] = [code.temp("i32"), code.temp("i32"), code.temp("i32")];
    this.#token(image.leaf, token, from);
    code.get(from).get(steps).i32(1).op("i32.sub").i32(bytes).op("i32.mul").op("i32.add").set(from);
    emitBase(code, binding.place[0]!);
    code.i32(binding.place[0]!.offset).op("i32.add").set(to).i32(1).set(count);
    this.#bytes.emitCopy(from, to, bytes, bytes, image, count);
    code.free("i32", from, to, count);
  }

  #local(of: Variable): number {
    const binding = this.#taker.binding(of);
    if ("place" in binding) throw new Error("what grows is a number");
    return binding.local;
  }

  #write(
    { ports, image, addressSteps, bankSteps }: RangeWrite,
    first: { address: number; bank: number },
    steps: number,
    token: number,
  ): void {
    const code = this.#code;
    const { plan, actor } = this.#taker;
    const [{ memory }] = ports as readonly [RangeWrite["ports"][number]];
    const { layout, stride, epochStride, shared } = memory;
    const leaf = this.#source.channel.layout.leaves[image.leaf]!;
    const bytes = columnBytes(leaf) * this.range.perWord;
    const [from, to] = [code.temp("i32"), code.temp("i32")];
    this.#token(image.leaf, token, from);
    const start = memory.words + layout.leaves[0]!.offset;
    this.#start(first.address, stride, first.bank, layout.bytes, start);
    code.set(to);
    const strides = this.#strides(addressSteps, stride, bankSteps, layout.bytes);
    this.#runs(to, strides, steps, this.#words, (count) =>
      this.#bytes.emitCopy(from, to, strides.word, bytes, image, count),
    );
    this.#rewritten(memory, first.address, addressSteps, steps);
    const epochs = memory.writeEpochs.get(actor);
    if (epochs !== undefined) {
      const [own, vector] = [code.temp("i32"), code.temp("v128")];
      if (shared) code.loadAt(plan.known[actor]! + plan.observers.indexOf(actor) * 4);
      else code.i32(0);
      code.tee(own).op("i32x4.splat").set(vector);
      this.#start(first.address, epochStride, first.bank, 4, epochs);
      code.set(to);
      const of = this.#strides(addressSteps, epochStride, bankSteps, 4);
      this.#runs(to, of, steps, this.#words, (count) => {
        emitInFours(
          code,
          to,
          of.word,
          count,
          (offset) => code.get(to).get(vector).mem("v128.store", offset),
          () => code.get(to).get(own).mem("i32.store"),
        );
      });
      code.free("i32", own);
      code.free("v128", vector);
    }
    code.free("i32", from, to);
  }

  /** The words of all steps have been written. */
  #rewritten(
    memory: MemoryPlan,
    address: number,
    [addressWord, addressStep]: RangeWrite["addressSteps"],
    steps: number,
  ): void {
    if (memory.checked.size === 0) return;
    const code = this.#code;
    const [low, high] = [code.temp("i32"), code.temp("i32")];
    const within = addressWord * (this.#words - 1);
    for (const [end, sign] of [
      [low, -1],
      [high, 1],
    ] as const) {
      code.get(address);
      if (within * sign > 0) code.i32(within).op("i32.add");
      if (addressStep * sign > 0) code.get(steps).i32(1).op("i32.sub").i32(addressStep).op("i32.mul").op("i32.add");
      code.set(end);
    }
    emitRewritten(code, memory, low, high);
    code.free("i32", low, high);
  }

  /** Counters and clocks of the ports. */
  #ports({ ports, bankSteps, after }: RangeWrite, bank: number, steps: number, token: number, stay: number): void {
    const code = this.#code;
    const { tokens } = this.range;
    const words = this.#words;
    const [{ lastWrite, writes }] = ports as readonly [RangeWrite["ports"][number]];
    const [at, time, cell] = [code.temp("i32"), code.temp("i32"), code.temp("i32")];
    const clock = (offset: number): Code =>
      code.get(time).mem("i32.load", offset).get(stay).op("i32.add").i32(after).op("i32.add");
    const add = (count: () => void): void => {
      code.get(cell).get(cell).mem("i32.load", writes);
      count();
      code.op("i32.add").mem("i32.store", writes);
    };
    const [perToken, perStep] = bankSteps;
    code.get(bank).i32(2).op("i32.shl").set(cell);
    if (words === 1 ? perStep === 0 : perToken === 0) {
      // All to one bank.
      this.#timeOf(token, steps, tokens, -1);
      code.set(time).get(cell);
      clock(0).mem("i32.store", lastWrite);
      add(() => code.get(steps).i32(words).op("i32.mul"));
    } else if (words === 1) {
      code
        .get(token)
        .i32(tokens - 1)
        .op("i32.add")
        .i32(2)
        .op("i32.shl")
        .get(this.#source.times)
        .op("i32.add")
        .set(time);
      code.get(steps).set(at);
      const loop = code.loop();
      code.get(cell);
      clock(0).mem("i32.store", lastWrite);
      add(() => code.i32(1));
      code
        .get(cell)
        .i32(perStep * 4)
        .op("i32.add")
        .set(cell)
        .get(time)
        .i32(4 * tokens)
        .op("i32.add")
        .set(time);
      code.get(at).i32(1).op("i32.sub").tee(at).brIf(loop);
      code.end();
    } else {
      // The last step is the last to use each of them.
      this.#timeOf(token, steps, tokens, -tokens);
      code.set(time);
      const fours = perToken === 1 ? Math.floor(tokens / 4) : 0;
      for (let i = 0; i < fours * 4; i += 4) {
        code
          .get(cell)
          .get(time)
          .mem("v128.load", i * 4);
        code
          .get(stay)
          .i32(after)
          .op("i32.add")
          .op("i32x4.splat")
          .op("i32x4.add")
          .mem("v128.store", lastWrite + i * 4);
        code
          .get(cell)
          .get(cell)
          .mem("v128.load", writes + i * 4);
        code
          .get(steps)
          .op("i32x4.splat")
          .op("i32x4.add")
          .mem("v128.store", writes + i * 4);
      }
      for (let i = fours * 4; i < tokens; i++) {
        const behind = i === fours * 4 ? fours * 4 * perToken : perToken;
        if (behind !== 0)
          code
            .get(cell)
            .i32(behind * 4)
            .op("i32.add")
            .set(cell);
        code.get(cell);
        clock(i * 4).mem("i32.store", lastWrite);
        add(() => code.get(steps));
      }
    }
    code.free("i32", at, time, cell);
  }

  #strides(
    [addressWord, addressStep]: readonly [number, number],
    stride: number,
    [bankWord, bankStep]: readonly [number, number],
    beside: number,
  ): Strides {
    const step = addressStep * stride + bankStep * beside;
    const word = this.#words === 1 ? step : addressWord * stride + bankWord * beside;
    return { word, step };
  }

  /** The address of the time of token `back` behind the last of all steps on the stack. */
  #timeOf(token: number, steps: number, tokens: number, back: number): void {
    const code = this.#code;
    code.get(token).get(steps).i32(tokens).op("i32.mul").op("i32.add").i32(back).op("i32.add");
    code.i32(2).op("i32.shl").get(this.#source.times).op("i32.add");
  }

  /** A local becomes the address of the leaf of token number `token`. */
  #token(leaf: number, token: number, at: number): void {
    const bytes = columnBytes(this.#source.channel.layout.leaves[leaf]!);
    this.#code.get(token).i32(bytes).op("i32.mul").get(this.#source.columns[leaf]!).op("i32.add").set(at);
  }

  /** `base + address * stride + bank * beside` on the stack. */
  #start(address: number, stride: number, bank: number, beside: number, base: number): void {
    this.#code.get(address).i32(stride).op("i32.mul").get(bank).i32(beside).op("i32.mul");
    this.#code.op("i32.add").i32(base).op("i32.add");
  }

  /**
   * Go through so many words of each of all steps in runs in which a local grows evenly: one run if the steps do so too, else one a step. `run` gets
   * a local with the words of a run, and moves the local on.
   */
  #runs(at: number, { word, step }: Strides, steps: number, words: number, run: (count: number) => void): void {
    const code = this.#code;
    const count = code.temp("i32");
    if (words === 1 || step === word * words) {
      code.get(steps).i32(words).op("i32.mul").set(count);
      run(count);
    } else {
      const [left, start] = [code.temp("i32"), code.temp("i32")];
      code.get(steps).set(left).get(at).set(start);
      const loop = code.loop();
      code.i32(words).set(count);
      code.get(start).set(at);
      run(count);
      code.get(start).i32(step).op("i32.add").set(start);
      code.get(left).i32(1).op("i32.sub").tee(left).brIf(loop);
      code.end();
      code.free("i32", left, start);
    }
    code.free("i32", count);
  }
}
