/** The code for stages in step (in-step.ts): one look at the clocks of all of them, then a pass of each, from the push of the token on. */
import type { Expr, Local, Stmt } from "../../hw/ir/ir.js";
import { emitHorizon, type Actor } from "./channel-code.js";
import { tokenOf } from "./chain-token.js";
import { release, type Taker } from "./chain-code.js";
import type { ExprCompiler } from "./expr.js";
import type { InStep, Once } from "./in-step.js";
import { countNews } from "./knowledge.js";
import { select, type Place } from "./place.js";
import type { ChannelPlan, Plan } from "./plan.js";
import { roundedProduct, type RoundedProduct } from "./rounded-product.js";
import type { Scope } from "./scope.js";
import { rules } from "./rules.js";
import { emitAnyNegative } from "./simd.js";
import { store } from "./store.js";
import { Code, type Label } from "./wasm.js";

const LANES = 4;

/** What a stage in step does with what it pushes. */
export interface Onward {
  /** The stage behind, if it is in step, too: what the token is called there, and what is done with it. */
  readonly into: Local | undefined;
  readonly rest: readonly Stmt[];
  take(token: Place, left: Left | undefined): void;
}

/** A product whose parts a stage has not made, as the one behind makes it in one (rounded-product.ts). */
export interface Left {
  readonly product: RoundedProduct;
  /** Of the stage that has left it. */
  readonly exprs: ExprCompiler;
  emitParts(): void;
}

export interface Stage extends Taker {
  readonly head: Extract<Stmt, { kind: "pop" }>;
  readonly rest: readonly Stmt[];
  /** Nonzero on the stack if such a loop goes round once. */
  emitOnce(once: Once): void;
  /** A pass; what it pushes is taken without a wait. */
  emitStep(token: Place, left: Left | undefined, onward: Onward): void;
}

type Teller = Pick<Actor, "actor" | "news">;

export interface Stages {
  readonly inStep: InStep;
  readonly stages: readonly Stage[];
  /** The function that lets them learn what has come to be known (`learningCode`). */
  readonly learning: number;
}

/** Clocks from the first push to each pop, and to the last thing that all but the last stage do. */
function delaysOf({ steps }: InStep): { readonly pops: readonly number[]; readonly last: number } {
  const { popAfterPush } = rules.chain;
  const pops = [popAfterPush];
  for (const { push } of steps) pops.push(pops.at(-1)! + push + popAfterPush);
  return { pops, last: Math.max(pops.at(-1)!, ...steps.map(({ clocks }, i) => pops[i]! + clocks)) };
}

const vectorOf = (words: readonly number[], first: number): number[] =>
  Array.from({ length: LANES }, (_, i) => words[first + i] ?? 0).flatMap((word) =>
    [0, 8, 16, 24].map((shift) => (word >> shift) & 255),
  );

/** Push a token that stages in step take, and go to `done`; goes on behind this code where they are not. */
export function emitInStep(actor: Actor, { inStep, stages, learning }: Stages, token: Place, done: Label): void {
  const { code, plan, time } = actor;
  const { lanes, channels, steps } = inStep;
  const { pops, last } = delaysOf(inStep);
  const otherwise = code.block();
  const groups = Array.from({ length: Math.ceil(channels.length / LANES) }, (_, i) => i * LANES);
  const clocks = groups.map((first) => {
    const [at, slack] = [code.temp("v128"), code.temp("v128")];
    code
      .get(time)
      .op("i32x4.splat")
      .loadAt(plan.constant(vectorOf(pops, first)), "v128.load")
      .op("i32x4.add")
      .set(at);
    code.get(at);
    code.loadAt(lanes.times + first * 4, "v128.load");
    code.op("i32x4.sub").set(slack);
    return { first, at, slack };
  });
  // All of them are ready: no lane is below zero.
  clocks.forEach(({ slack }, i) => {
    code.get(slack);
    if (rules.chain.stepFlow !== 0) code.i32(rules.chain.stepFlow).op("i32x4.splat").op("i32x4.add");
    if (i > 0) code.op("v128.or");
  });
  code.op("i32x4.bitmask").brIf(otherwise);
  code.get(time).i32(last).op("i32.add");
  emitHorizon(actor).op("i32.ge_s").brIf(otherwise);
  steps.forEach(({ once }, i) => {
    for (const loop of once) {
      stages[i]!.emitOnce(loop);
      code.op("i32.eqz").brIf(otherwise);
    }
  });
  for (const { first, at, slack } of clocks) {
    const [stalls, counts] = [lanes.stalls, lanes.counts].map((words) => words + first * 4) as [number, number];
    const v128 = (address: number, value: () => void): void => {
      code.storeAt(address, value, "v128.store");
    };
    v128(stalls, () => code.get(slack).loadAt(stalls, "v128.load").op("i32x4.add"));
    v128(counts, () =>
      code
        .loadAt(counts, "v128.load")
        .loadAt(plan.constant(vectorOf([1, 1, 1, 1], 0)), "v128.load")
        .op("i32x4.add"),
    );
    v128(lanes.lasts + first * 4, () => code.get(at));
    code.free("v128", at, slack);
  }
  learnAll(actor, inStep, stages, learning);
  const pass = (i: number, taken: Place, left: Left | undefined): void => {
    const stage = stages[i]!;
    release({ code, plan, actor: stages[i - 1]?.actor ?? actor.actor }, stage.channel);
    code.get(time).i32(pops[i]!).op("i32.add").set(stage.time);
    if (i === steps.length) {
      stage.emitPass(taken);
      return;
    }
    const { head, rest } = stages[i + 1]!;
    const into = i + 1 < steps.length ? head.into : undefined;
    stage.emitStep(taken, left, { into, rest, take: (next, parts) => pass(i + 1, next, parts) });
  };
  pass(0, token, undefined);
  code.br(done);
  code.end();
}

/**
 * As a rule nobody has heard anything new, and only the counts of those in step go up. What a stage tells of itself is the same until it pushes,
 * so all of it may be told at the front; the counts go up behind it, when each has used its memory.
 */
function learnAll(actor: Actor, { lanes, channels }: InStep, stages: readonly Stage[], learning: number): void {
  const { code, plan } = actor;
  const tells = (lane: number): boolean => (stages[lane]?.channel.told.length ?? 0) > 0;
  if (!stages.some((_, lane) => tells(lane))) return;
  const [head] = stages;
  if (tells(0)) code.loadAt(actor.news!).loadAt(head!.passing.learnt).op("i32.ne");
  else code.i32(0);
  for (let first = 0; first < channels.length; first += LANES) {
    const asked = Array.from({ length: LANES }, (_, i) => (first + i > 0 && tells(first + i) ? -1 : 0));
    if (!asked.includes(-1)) continue;
    code
      .loadAt(lanes.news + first * 4, "v128.load")
      .loadAt(lanes.learnt + first * 4, "v128.load")
      .op("v128.xor");
    if (asked.includes(0)) code.loadAt(plan.constant(vectorOf(asked, 0)), "v128.load").op("v128.and");
    code.op("v128.any_true").op("i32.or");
  }
  if (rules.chain.stepDeaf !== 0) code.op("drop").i32(0);
  code.if();
  code.call(learning).else();
  learnVarying(actor, stages);
  code.end();
}

function learnVarying({ code, plan, actor }: Actor, stages: readonly Stage[]): void {
  // What the stage before knows, by block, as far as it is in a register.
  let known = new Map<number, number>();
  let from = actor;
  for (const { channel, passing, actor: to } of stages) {
    const places = channel.told.length > 0 ? passing.varying : [];
    known = learnBlocks(code, plan, places, { actor: from, known }, to);
    from = to;
  }
}

/**
 * A function in which each of the stages learns all that it may be told; `first` pushes to the first of them. Some of it may be known to some of
 * them: who learns it again is none the wiser.
 */
export function learningCode(plan: Plan, first: Teller, stages: readonly Stage[]): Code {
  const code = new Code();
  let known = new Map<number, number>();
  stages.forEach((stage, i) => {
    const { actor, news } = stages[i - 1] ?? first;
    const { told } = stage.channel;
    known = learnBlocks(code, plan, told, { actor, known }, stage.actor);
    if (told.length === 0) return;
    code.storeAt(stage.passing.learnt, () => code.loadAt(news!));
    if (stage.news !== undefined) countNews(code, stage.news);
  });
  return code;
}

/** Blocks of counts go from one to another, as far as they are not in registers yet; those of the other, in registers. */
function learnBlocks(
  code: Code,
  plan: Plan,
  places: readonly number[],
  from: { readonly actor: number; readonly known: ReadonlyMap<number, number> },
  to: number,
): Map<number, number> {
  const learnt = new Map<number, number>();
  for (const block of new Set(places.map((place) => place >> 2))) {
    const [register, at] = [code.local("v128"), plan.known[to]! + block * 16];
    const before = from.known.get(block);
    if (before === undefined) code.loadAt(plan.known[from.actor]! + block * 16, "v128.load");
    else code.get(before);
    code.loadAt(at, "v128.load").op("i32x4.max_u").set(register);
    code.storeAt(at, () => code.get(register), "v128.store");
    learnt.set(block, register);
  }
  return learnt;
}

/** Push to the next in step: the parts of a product that it can make in one are left to it; `own` was left by the stage before. */
export function emitOnward(
  { exprs, plan }: Pick<Scope, "exprs" | "plan">,
  channel: ChannelPlan,
  value: Expr,
  own: Left | undefined,
  { into, rest, take }: Onward,
): void {
  const product = into && roundedProduct(value, into, rest);
  const isLater = (name: string): boolean => name === own?.product.name || Boolean(product?.parts.has(name));
  const token = tokenOf(exprs, plan, channel, value, isLater);
  if (own) emitProduct(exprs, own, select(token, { member: own.product.name }));
  const made = value.kind === "cast" ? value.operand : value;
  const emitParts = (): void => {
    for (const { name, value: part } of made.kind === "struct" ? made.fields : [])
      if (product?.parts.has(name)) store(exprs, select(token, { member: name }), part);
  };
  take(token, product && { product, exprs, emitParts });
}

/** A product in one, or of its parts where its second factor may be negative. */
function emitProduct(exprs: ExprCompiler, { product: of, exprs: before, emitParts }: Left, to: Place): void {
  const { code } = exprs;
  const { made, product, factor } = of;
  const inParts = (): void => {
    emitParts();
    store(exprs, to, made);
  };
  if (!emitAnyNegative(before, { ...product, body: factor })) {
    inParts();
    return;
  }
  if (rules.chain.stepSign !== 0) code.op("drop").i32(0);
  code.if();
  inParts();
  code.else();
  store(before, to, product);
  code.end();
}
