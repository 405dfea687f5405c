/** Bytes of many tokens in one piece, for ranges (range-code.ts): copied, with bits flipped, and added up. */
import type { ExprCompiler } from "./expr.js";
import type { Image } from "./range-facts.js";
import type { Code, MemoryOp } from "./wasm.js";

const CHUNKS: readonly (readonly [bytes: number, load: MemoryOp, store: MemoryOp])[] = [
  [16, "v128.load", "v128.store"],
  [8, "i64.load", "i64.store"],
  [4, "i32.load", "i32.store"],
  [2, "i32.load16_u", "i32.store16"],
  [1, "i32.load8_u", "i32.store8"],
];

export class TokenBytes {
  readonly #code: Code;
  /** Locals with the mask of an image that has one, in all of the sizes. */
  readonly #masks = new Map<Image, { readonly i32: number; readonly i64: number; readonly v128: number }>();

  constructor(code: Code, images: readonly Image[]) {
    this.#code = code;
    for (const image of images)
      if (image.mask && !this.#masks.has(image))
        this.#masks.set(image, { i32: code.local("i32"), i64: code.local("i64"), v128: code.local("v128") });
  }

  /** In front of the other parts: what flips bits, as it stands. */
  emitMasks(exprs: ExprCompiler): void {
    const code = this.#code;
    for (const [{ mask }, locals] of this.#masks) {
      exprs.emit32(mask!);
      code.i32(255).op("i32.and").i32(0x01010101).op("i32.mul").tee(locals.i32);
      code.op("i32x4.splat").set(locals.v128);
      code.get(locals.i32).op("i64.extend_i32_u").get(locals.i32).op("i64.extend_i32_u");
      code.i64(32).op("i64.shl").op("i64.or").set(locals.i64);
    }
  }

  /** Copy the bytes of `count` tokens (a local, used up) that lie `apart` from each other at the other end, bits flipped. */
  emitCopy(from: number, to: number, apart: number, bytes: number, image: Image, count: number): void {
    const code = this.#code;
    const chunk = ([size, load, store]: (typeof CHUNKS)[number], offset: number): void => {
      code.get(to).get(from).mem(load, offset);
      this.#flip(image, size);
      code.mem(store, offset);
    };
    const on = (local: number, by: number): Code => code.get(local).i32(by).op("i32.add").set(local);
    if (apart === bytes) {
      code.get(count).i32(bytes).op("i32.mul").set(count);
      emitWhile(code, count, 64, () => {
        for (let offset = 0; offset < 64; offset += 16) chunk(CHUNKS[0]!, offset);
        on(from, 64);
        on(to, 64);
      });
      for (const each of CHUNKS)
        if (each[0] === 16 || bytes % (each[0] * 2) !== 0)
          emitWhile(code, count, each[0], () => {
            chunk(each, 0);
            on(from, each[0]);
            on(to, each[0]);
          });
      return;
    }
    emitWhile(code, count, 1, () => {
      let done = 0;
      for (const each of CHUNKS) for (; bytes - done >= each[0]; done += each[0]) chunk(each, done);
      on(from, bytes);
      on(to, apart);
    });
  }

  /** Flip bits of so many bytes on the stack. */
  #flip(image: Image, size: number): void {
    const mask = this.#masks.get(image);
    if (!mask) return;
    if (size === 16) this.#code.get(mask.v128).op("v128.xor");
    else if (size === 8) this.#code.get(mask.i64).op("i64.xor");
    else this.#code.get(mask.i32).op("i32.xor");
  }

  /** Add `count` bytes (a local, used up) from the address `from` (another, moved on) to a local, modulo 2^32. Where `even`, they are 16 by 16. */
  emitSum(into: number, image: Image, from: number, count: number, even: boolean): void {
    const code = this.#code;
    const sum = code.temp("v128");
    const sign = image.signed ? "s" : "u";
    code.i32(0).op("i32x4.splat").set(sum);
    const on = (by: number): Code => code.get(from).i32(by).op("i32.add").set(from);
    emitWhile(code, count, 16, () => {
      code.get(from).mem("v128.load");
      this.#flip(image, 16);
      code.op(`i16x8.extadd_pairwise_i8x16_${sign}`).op(`i32x4.extadd_pairwise_i16x8_${sign}`);
      code.get(sum).op("i32x4.add").set(sum);
      on(16);
    });
    for (let lane = 0; lane < 4; lane++) {
      if (lane === 0) code.get(into);
      code.get(sum).extractI32(lane).op("i32.add");
    }
    code.set(into);
    if (!even)
      emitWhile(code, count, 1, () => {
        code.get(from).mem("i32.load8_u");
        this.#flip(image, 1);
        if (image.signed) code.op("i32.extend8_s");
        else code.i32(255).op("i32.and");
        code.get(into).op("i32.add").set(into);
        on(1);
      });
    code.free("v128", sum);
  }
}

/** Numbers at a local, `apart` bytes from each other: `four` at once, at an offset, where they are neighbours. `count`, a local, is used up. */
export function emitInFours(
  code: Code,
  at: number,
  apart: number,
  count: number,
  four: (offset: number) => void,
  one: () => void,
): void {
  for (const vectors of apart === 4 ? [4, 1] : [])
    emitWhile(code, count, 4 * vectors, () => {
      for (let i = 0; i < vectors; i++) four(16 * i);
      code
        .get(at)
        .i32(16 * vectors)
        .op("i32.add")
        .set(at);
    });
  emitWhile(code, count, 1, () => {
    one();
    code.get(at).i32(apart).op("i32.add").set(at);
  });
}

/** As long as `count`, a local, is so many or more: do it, and take them off. */
export function emitWhile(code: Code, count: number, many: number, body: () => void): void {
  const out = code.block();
  const loop = code.loop();
  code.get(count).i32(many).op("i32.lt_s").brIf(out);
  body();
  code.get(count).i32(many).op("i32.sub").set(count).br(loop);
  code.end();
  code.end();
}
