/** One process's part in rounds that are done many at once (joint-range-code.ts). */
import type { Expr, Local, StateField } from "../../hw/ir/ir.js";
import { matchBurst, type FeedBurst, type FeedLoop } from "./feed-burst.js";
import type { BankView } from "./bank-view.js";
import type { Extended } from "./extended-words.js";
import { emitFeedMany, type Standing, type WordFeed } from "./grid-feed.js";
import { productsOf, type Products, type Repeat } from "./joint-products.js";
import type { Part } from "./joint-range.js";
import { accessOf } from "./lanes.js";
import { MemberCode, type SeenToken } from "./member-code.js";
import type { Elsewhere } from "./moves.js";
import type { Place } from "./place.js";
import { BLOCK } from "./product-kernel.js";
import { wordsProduct, type Spot } from "./product-words.js";
import type { PassStep } from "./rounds.js";
import { store } from "./store.js";

type Feed = Extract<PassStep, { kind: "feed" }>;

/** The function that takes products of words, and where each view's words stand for that. */
interface Words {
  readonly run: number;
  /** Whether all products of a word are those of its first waves, of which the last parameter says how many. */
  readonly isOf: number;
  readonly extended: ReadonlyMap<BankView, Extended>;
}

export class JointMember extends MemberCode {
  /** How words are fed where they stand; null where they cannot be, undefined before that is known. */
  #fed: Words | null | undefined;

  get canRange(): boolean {
    return this.source === undefined && this.leaps;
  }
  /** The only step that feeds a grid. */
  get feeds(): Feed | undefined {
    return this.pass.steps.find((step) => step.kind === "feed");
  }
  get part(): Part {
    const { pass, views } = this;
    return {
      pass,
      leaves: (stmt) => this.left.has(stmt),
      isMoved: (of) => "id" in of && this.moves.has(of),
      reads: views.map(({ read, depth }) => ({ address: read.address, depth, used: read.used })),
      isView: (channel) => views.some(({ push }) => push.channel === channel),
      flags: (feed) => {
        const burst = this.#burst(feed);
        const mark = this.code.mark();
        const found = [burst.west, burst.north].every(({ element, lanes }) => {
          const access = accessOf(this.exprs, element, lanes);
          return access?.offsets.every((offset) => this.#standing(access.leaf.offset + offset) !== undefined);
        });
        this.code.cut(mark);
        return found ? [burst.reset, burst.emitWhen] : undefined;
      },
      products: (step) => this.#products(step),
      adds: (stmt) => this.plan.sums.adds(stmt),
    };
  }
  /** Pointers to the words stand in the order of `seen`. */
  #products(step: Repeat): Products | undefined {
    return productsOf(this.exprs, this.plan.sums, step, (byte) => {
      const standing = this.#standing(byte);
      if (!standing) return undefined;
      const { view } = standing.seen;
      const { offset } = standing.from;
      const { banks } = view.rows;
      const most = banks === undefined ? undefined : banks - view.bankAt(offset);
      return { pointer: this.seen.indexOf(standing.seen), offset, most };
    });
  }
  /** The only step that adds products. */
  get adds(): Repeat | undefined {
    return this.pass.steps.find((step) => step.kind === "repeat");
  }
  /** Add the products of so many passes (a local). `stepOf` tells by how many words a view goes on. */
  emitAddMany(step: Repeat, passes: number, stepOf: (view: BankView) => number): void {
    const { variable, factors } = this.#products(step)!;
    const pointers = this.seen.map(({ view }) => view.emitPointer(stepOf(view)));
    const leftOut = this.seen.map(({ view }) => () => {
      if (view.whole) this.code.i32(0);
      else view.emitLeftOut();
    });
    this.plan.sums.codeOf(variable).emitBlocks(this.code, factors, { pointers, leftOut }, passes);
  }
  #burst(feed: Feed): FeedBurst {
    return matchBurst(feed.loop, this.grid(feed.loop.feed).product!.form)!;
  }
  #standing(byte: number): { seen: SeenToken; from: Elsewhere } | undefined {
    const from = this.elsewhere(byte);
    const seen = this.seen.find(({ at }) => at === from?.local);
    return from && seen && { seen, from };
  }

  stepOfRead(view: BankView): number {
    return this.pass.steps.findIndex((step) => step.kind === "plain" && step.stmt === view.read.stmt);
  }
  emitToken(to: Place, value: Expr): void {
    store(this.exprs, to, value);
  }
  localOf(of: Local | StateField): number {
    const binding = this.binding(of);
    if ("place" in binding || binding.type !== "i32") throw new Error(`${of.name} grows in memory`);
    return binding.local;
  }
  emitGrow(of: Local | StateField, by: () => void): void {
    const local = this.localOf(of);
    this.code.get(local);
    by();
    this.code.op("i32.add").set(local);
  }
  /** Tokens that stand among the words of banks are the last that were pushed. */
  emitSeen(): void {
    for (const { view, at } of this.seen) this.code.get(view.at).set(at);
  }
  /** Nonzero on the stack if waves can be fed. */
  emitCanFeed(feed: Feed): void {
    const { code } = this;
    const grid = this.grid(feed.loop.feed);
    grid.emitRoom(code);
    code.loadAt(grid.state.lastFeed).get(this.time).op("i32.lt_s").op("i32.and");
  }
  /** Feed so many blocks (a local), the first in the clock in a local. `stepOf` tells by how many words a view goes on. */
  emitFeedMany(feed: Feed, blocks: number, time: number, stepOf: (view: BankView) => number): void {
    if (this.#emitFeedWords(feed, blocks, time, stepOf)) return;
    const pointers = new Map<BankView, { readonly at: number; readonly step: number }>();
    const standing = (byte: number): Standing => {
      const { seen, from } = this.#standing(byte)!;
      const pointer = pointers.get(seen.view)!;
      return { ...from, local: pointer.at, step: pointer.step };
    };
    for (const { view } of this.seen) pointers.set(view, view.emitPointer(stepOf(view)));
    const masked = (): void => {
      this.code.i32(0);
      for (const { view } of this.seen) view.emitOrLeft();
    };
    emitFeedMany(this, this.exprs, this.grid(feed.loop.feed), this.#burst(feed), standing, masked, blocks, time);
  }
  /** The products of words that stand extended; false, and nothing emitted, where they do not. */
  #emitFeedWords(feed: Feed, blocks: number, time: number, stepOf: (view: BankView) => number): boolean {
    const { code } = this;
    const words = this.#words(feed.loop);
    if (!words || this.seen.some(({ view }) => stepOf(view) !== 1)) return false;
    this.grid(feed.loop.feed).countFeeds(code, time, () => code.get(blocks).i32(BLOCK).op("i32.mul"));
    this.#emitWords(words, blocks);
    return true;
  }
  protected override wordFeed(feeds: FeedLoop): WordFeed | undefined {
    const words = this.#words(feeds);
    const { code } = this;
    const one = (emit: (words: number) => void): void => {
      const count = code.temp("i32");
      code.i32(1).set(count);
      emit(count);
      code.free("i32", count);
    };
    return (
      words && {
        emit: () => {
          one((count) => {
            this.#emitWords(words, count);
          });
        },
        emitIsOf: (waves) => {
          one((count) => {
            this.#emitPointers(words, count);
          });
          code.get(waves).call(words.isOf);
        },
      }
    );
  }
  /** So many words (a local) from the one that is read next. */
  #emitWords(words: Words, count: number): void {
    this.#emitPointers(words, count);
    for (const { view } of this.seen) view.emitLeftOut();
    this.code.get(count).call(words.run);
  }
  /** On the stack: where they stand extended, for each view. */
  #emitPointers({ extended }: Words, count: number): void {
    const views = this.seen.map(({ view }) => view);
    for (const view of views) view.emitBring(extended.get(view)!, count);
    for (const view of views) view.emitExtendedPointer(extended.get(view)!);
  }
  /** What a grid is fed with stands extended, if it is words, whose bytes are one wave each. */
  #words(feeds: FeedLoop): Words | undefined {
    if (this.#fed !== undefined) return this.#fed ?? undefined;
    this.#fed = null;
    const { code } = this;
    const product = this.grid(feeds.feed).product!;
    const { west, north } = matchBurst(feeds, product.form)!;
    const views = this.seen.map(({ view }) => view);
    const extended = new Map<BankView, Extended>();
    const mark = code.mark();
    const [a, b] = [
      { operand: west, panel: product.a },
      { operand: north, panel: product.b },
    ].map(({ operand, panel }) => {
      const access = accessOf(this.exprs, operand.element, operand.lanes)!;
      return access.offsets.map((offset): Spot | undefined => {
        const standing = this.#standing(access.leaf.offset + offset);
        const found = standing?.seen.view.extended(panel.leaf.signed);
        if (!standing || !found) return undefined;
        const { view } = standing.seen;
        extended.set(view, found);
        return { pointer: views.indexOf(view), offset: 2 * view.byteOf(standing.from.offset) };
      });
    });
    code.cut(mark);
    const isFound = (spot: Spot | undefined): spot is Spot => spot !== undefined;
    if (!a!.every(isFound) || !b!.every(isFound) || !views.every((view) => extended.has(view))) return undefined;
    const form = wordsProduct(
      a,
      b,
      views.map((view) => view.rows),
    );
    if (!form) return undefined;
    this.#fed = { run: product.wordsFunction(form), isOf: product.isOfFunction(form.pointers.length, b), extended };
    return this.#fed;
  }
  emitTellMany(feed: Feed, blocks: number): void {
    this.grid(feed.loop.feed).tellKnowledge(this, () => this.code.get(blocks).i32(BLOCK).op("i32.mul"));
  }
}
