/**
 * Feeding a matrix product from a loop (feed-burst.ts): up to eight waves at once, as one block of operands. Whatever is out
 * of the ordinary (no room for results, a failing assertion, two feeds in a clock) is left to the loop itself.
 */
import type { Actor } from "./channel-code.js";
import type { ExprCompiler } from "./expr.js";
import type { BurstOperand, FeedBurst, OneHot } from "./feed-burst.js";
import type { GridCode } from "./grid-code.js";
import { accessOf, type Access } from "./lanes.js";
import { isFixed, type Elsewhere } from "./moves.js";
import { emitBase } from "./place.js";
import { BLOCK, ROW_BYTES } from "./product-kernel.js";

/** The operands of a burst are stored values. */
export function feedsFromMemory({ code }: Actor, exprs: ExprCompiler, { west, north }: FeedBurst): boolean {
  const mark = code.mark();
  const stored = [west, north].every(({ element, lanes }) => accessOf(exprs, element, lanes) !== undefined);
  code.cut(mark);
  return stored;
}

/** The operands of a burst stand at fixed places, but for the counter. */
export function feedsFromFixed({ code }: Actor, exprs: ExprCompiler, { west, north }: FeedBurst): boolean {
  const mark = code.mark();
  const fixed = [west, north].every(({ element, lanes }) => {
    const access = accessOf(exprs, element, lanes);
    return access !== undefined && isFixed(access.leaf);
  });
  code.cut(mark);
  return fixed;
}

/** The products of a word of all waves, and nonzero on the stack if they are those of its first ones, of which there are `waves` (a local). */
export interface WordFeed {
  emit(): void;
  emitIsOf(waves: number): void;
}

/**
 * Feed waves while the counter (a local) is below its bound. `did` becomes 1 if any were fed; counter and clock have moved
 * on then. The clock may stand at the horizon. `elsewhere` says where the bytes of operands stand that were not moved; `word` does the
 * products of a word where its bytes stand.
 */
export function emitFeedBurst(
  actor: Actor,
  exprs: ExprCompiler,
  grid: GridCode,
  burst: FeedBurst,
  counter: number,
  did: number,
  elsewhere?: (at: number) => Elsewhere | undefined,
  word?: WordFeed,
): void {
  const { code, time, globals } = actor;
  const product = grid.product!;
  const [waves, resets, emits, at] = [code.local("i32"), code.local("i32"), code.local("i32"), code.local("i32")];
  code.i32(0).set(did);
  exprs.emit32(burst.bound);
  code.get(counter).op("i32.sub").set(waves);
  lower(waves, () => code.i32(BLOCK));
  lower(waves, () => code.globalGet(globals.horizon).get(time).op("i32.sub"));
  flag(burst.reset, resets);
  flag(burst.emitWhen, emits);
  // A wave that resets is the first of its block, one that lets results leave the last.
  code.get(resets).i32(0).op("i32.gt_s").if();
  lower(waves, () => code.get(resets));
  code.end();
  code.get(emits).i32(0).op("i32.ge_s").if();
  lower(waves, () => code.get(emits).i32(1).op("i32.add"));
  code.end();
  code.get(waves).i32(0).op("i32.gt_s");
  grid.emitRoom(code);
  code.op("i32.and").loadAt(grid.state.lastFeed).get(time).op("i32.ne").op("i32.and");
  for (const { limit, condition, strict } of burst.asserts) {
    if (!limit) exprs.emit32(condition);
    else {
      code.get(counter).get(waves).op("i32.add");
      exprs.emit32(limit);
      if (!strict) code.i32(1).op("i32.add");
      code.op("i32.le_s");
    }
    code.op("i32.and");
  }
  code.if();
  code.i32(1).set(did);
  grid.countFeeds(code, time, () => code.get(waves));
  grid.tellKnowledge(actor, () => code.get(waves));
  code.get(resets).op("i32.eqz").if();
  product.emitStart(code);
  code.end();
  if (word) {
    code.get(counter).if("i32");
    code.i32(0).else();
    code.get(waves).i32(BLOCK).op("i32.eq").if("i32");
    code.i32(1).else();
    word.emitIsOf(waves);
    code.end().end().if();
    word.emit();
    code.else();
  }
  emitBlock();
  if (word) code.end();
  code.get(time).get(waves).op("i32.add").set(time);
  code.get(counter).get(waves).op("i32.add").set(counter);
  code.get(emits).i32(1).op("i32.add").get(waves).op("i32.eq").if();
  code.get(time).i32(1).op("i32.sub");
  product.emitLast(code);
  grid.emitWakeLeaver(actor);
  code.else();
  product.emitMakeRoom(code);
  code.end();
  code.end();

  function lower(local: number, to: () => void): void {
    to();
    code.tee(at).get(local).get(at).get(local).op("i32.lt_s").op("select").set(local);
  }

  /** Waves from now until the flag is up; -1 if it has been, or will not be in this loop. */
  function flag(hot: OneHot | undefined, into: number): void {
    if (!hot) {
      code.i32(-1).set(into);
      return;
    }
    const conditions = [...hot.conditions];
    const emitAll = (): void => {
      const condition = conditions.shift();
      if (!condition) {
        exprs.emit32(hot.at);
        code.get(counter).op("i32.sub");
        return;
      }
      exprs.emit32(condition);
      code.if("i32");
      emitAll();
      code.else().i32(-1).end();
    };
    emitAll();
    code.set(into);
  }

  /** The waves as a block: eight bytes of each row and column; A is zero behind the last wave. */
  function emitBlock(): void {
    const block = product.emitBlock(code);
    const mask = code.local("v128");
    code.i64(-1).i32(BLOCK).get(waves).op("i32.sub").i32(3).op("i32.shl").op("i64.extend_i32_u").op("i64.shr_u");
    code.op("i64x2.splat").op("i16x8.extend_low_i8x16_s").set(mask);
    const panel = (
      operand: BurstOperand,
      base: number,
      { panel: start, leaf }: typeof product.a,
      masked: boolean,
    ): void => {
      const { leaf: from, offsets } = access(operand);
      const address = code.local("i32");
      emitBase(code, from);
      code.set(address);
      const others = new Map<number, number>();
      offsets.forEach((offset, row) => {
        const found = isFixed(from) ? elsewhere?.(from.offset + offset) : undefined;
        let at = address;
        if (found) {
          at = others.get(found.local) ?? code.local("i32");
          if (!others.has(found.local)) code.get(address).get(found.local).op("i32.add").set(at);
          others.set(found.local, at);
        }
        code.get(base).get(at);
        code.mem(leaf.signed ? "v128.load8x8_s" : "v128.load8x8_u", found?.offset ?? from.offset + offset);
        found?.mask?.();
        if (masked) code.get(mask).op("v128.and");
        code.mem("v128.store", start + row * ROW_BYTES);
      });
    };
    panel(burst.west, block.a, product.a, true);
    panel(burst.north, block.b, product.b, false);
  }

  function access({ element, lanes }: BurstOperand): Access {
    const found = accessOf(exprs, element, lanes);
    if (!found) throw new Error("the operands of a burst do not lie in memory");
    return found;
  }
}

/** Where a byte of an operand stands in the first of many blocks, and how many bytes further in the next. */
export interface Standing extends Elsewhere {
  readonly step: number;
}

/**
 * Feed as many blocks of eight waves as a local says, at least 1, the first wave in the clock in a local, without a break: none of them
 * resets or lets results leave. `emitMasked` leaves on the stack whether some bytes are masked.
 */
export function emitFeedMany(
  { code }: Actor,
  exprs: ExprCompiler,
  grid: GridCode,
  burst: FeedBurst,
  standing: (at: number) => Standing,
  emitMasked: () => void,
  blocks: number,
  time: number,
): void {
  const product = grid.product!;
  grid.countFeeds(code, time, () => code.get(blocks).i32(BLOCK).op("i32.mul"));
  const [rest, some, left] = [code.temp("i32"), code.temp("i32"), code.temp("i32")];
  const steps = new Map<number, number>();
  code.get(blocks).set(rest);
  // As many at a time as there is room for: at least one.
  const more = code.loop();
  product.emitBlocksLeft(code);
  code.tee(some).get(rest).get(some).get(rest).op("i32.lt_s").op("select").set(some);
  const block = product.emitBlock(code, () => code.get(some));
  code.get(some).set(left);
  const each = (masked: boolean): void => {
    const again = code.loop();
    for (const [operand, base, { panel, leaf, padded }] of [
      [burst.west, block.a, product.a],
      [burst.north, block.b, product.b],
    ] as const) {
      const { leaf: from, offsets } = accessOf(exprs, operand.element, operand.lanes)!;
      offsets.forEach((offset, row) => {
        const { local, offset: at, mask, step } = standing(from.offset + offset);
        steps.set(local, step);
        code.get(base).get(local);
        code.mem(leaf.signed ? "v128.load8x8_s" : "v128.load8x8_u", at);
        if (masked) mask?.();
        code.mem("v128.store", panel + row * ROW_BYTES);
      });
      steps.set(base, padded * ROW_BYTES);
    }
    for (const [local, step] of steps) code.get(local).i32(step).op("i32.add").set(local);
    code.get(left).i32(1).op("i32.sub").tee(left).brIf(again);
    code.end();
  };
  emitMasked();
  code.if();
  each(true);
  code.else();
  each(false);
  code.end();
  product.emitMakeRoom(code);
  code.get(rest).get(some).op("i32.sub").tee(rest).brIf(more);
  code.end();
  code.free("i32", rest, some, left);
}
