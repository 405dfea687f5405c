/**
 * Finds passes that take tokens of an outer input to memories and do nothing else that many passes at once would do otherwise: *ranges*
 * (range-code.ts). Bytes of each token, perhaps with bits flipped, go to words whose addresses, and banks, grow by the same number from
 * token to token; perhaps they are added up; all variables grow by a number, or come back to one. Where a loop goes the way round another
 * one, a step is a whole run of the inner loop, so that its tokens count too. Where several tokens make a word, a step is a word (range-words.ts).
 */
import type { Expr, Local, Ref, StateField, Stmt } from "../../hw/ir/ir.js";
import { sameExpr, someExpr } from "../../hw/ir/walk.js";
import type { MemoryPort } from "../../hw/memory.js";
import type { IntType, VecType } from "../../hw/types.js";
import { counted, pickLoop } from "./bank-code.js";
import { boundsOf } from "./expr.js";
import { all, assignedIn, goBehind, Induction, type Count, type Linear, type Variable } from "./induction.js";
import { Known, variableOf } from "./known.js";
import type { Layout } from "./layout.js";
import type { PortPlan } from "./memory-plan.js";
import { isLocal, numberOf } from "./pass-facts.js";
import {
  banksFit,
  bits,
  evenSteps,
  isPlain,
  onlyWrites,
  plus,
  sameImage,
  startOf,
  tripsOf,
  type Image,
  type Range,
  type RangeSum,
  type RangeWrite,
} from "./range-facts.js";
import { nestOf } from "./range-nest.js";
import { decided, partsOf, tokensOfWord, WordBytes } from "./range-words.js";
import type { Guard, Pass, PassStep } from "./rounds.js";

class NoRange extends Error {}
/** A variable does not come back to what it was in front of a step. */
class NotBack extends NoRange {
  readonly of: Local;

  constructor(of: Local) {
    super();
    this.of = of;
  }
}

/** What a step is: a pass, all passes of the loop and the way round the loop around it, or as many passes as make a word. */
export type StepOf = "pass" | "loop" | "word";

/** A pass as a range; undefined if it is none. `declared` are variables that live in a pass only. */
export function rangeOf(
  pass: Pass,
  stepOf: StepOf,
  layout: Layout,
  portPlan: (port: MemoryPort) => PortPlan,
  declared: ReadonlySet<Local>,
): Range | undefined {
  // Of what does not grow from pass to pass, some tells the parts of a word apart; the rest may grow from word to word.
  let parts = stepOf === "word" ? partsOf(pass, declared) : [];
  for (;;)
    try {
      return new RangeReader(pass, layout, portPlan, declared).read(stepOf, parts);
    } catch (error) {
      if (!(error instanceof NoRange)) throw error;
      if (stepOf !== "word" || !(error instanceof NotBack)) return undefined;
      parts = parts.filter(({ of }) => of !== error.of);
    }
}

/** A write as one token does it. */
interface OneWrite {
  readonly stmt: Stmt;
  readonly parts: readonly MemoryPort[];
  readonly image: Image;
  readonly address: Expr;
  readonly bank: Expr;
  readonly after: number;
}

class RangeReader {
  readonly #pass: Pass;
  readonly #layout: Layout;
  readonly #portPlan: (port: MemoryPort) => PortPlan;
  readonly #declared: ReadonlySet<Local>;
  #token: Local | undefined;
  readonly #images = new Map<Local, Image>();
  readonly #partial = new Map<Local, Image>();
  /** `taken`: without it not even the step's tokens are popped. */
  readonly #conditions: { readonly condition: Expr; readonly holds: boolean; taken: boolean }[] = [];
  readonly #writes: OneWrite[][] = [];
  readonly #sums: RangeSum[][] = [];
  #clocks = 0;
  /** Where a step is a word: what its tokens make; so many do. */
  #words: WordBytes | undefined;
  #perWord = 1;

  constructor(pass: Pass, layout: Layout, portPlan: (port: MemoryPort) => PortPlan, declared: ReadonlySet<Local>) {
    this.#pass = pass;
    this.#layout = layout;
    this.#portPlan = portPlan;
    this.#declared = declared;
  }

  /** `parts`: what tells the parts of a word apart, as it is in front of the first. */
  read(stepOf: StepOf, parts: Range["start"]): Range {
    const { guards, follows, again, outside, steps } = this.#pass;
    const around = stepOf === "loop" ? this.#pass.around : undefined;
    if (outside.length > 0 || steps.filter(({ kind }) => kind === "pop").length !== 1) throw new NoRange();
    if (stepOf === "word") {
      this.#words = new WordBytes(this.#layout);
      this.#perWord = known(tokensOfWord(this.#pass, this.#layout, this.#portPlan));
    }
    const start = around ? startOf(around.stmts) : parts;
    const trips = around && tripsOf(this.#pass, start);
    if (stepOf === "loop" && trips === undefined) throw new NoRange();
    const tokens = trips ?? this.#perWord;
    // Each pass of the step with its guards, then the way round.
    const given: PassStep[] = [];
    const guardsAt = new Map<PassStep, readonly Guard[]>();
    const begin = (list: readonly PassStep[], of: readonly Guard[]): void => {
      const copies = list.map((step) => ({ ...step }));
      if (copies[0]) guardsAt.set(copies[0], of);
      given.push(...copies);
    };
    for (const { of, value } of start) given.push({ kind: "count", counter: of, value });
    const always = guards.filter((guard) => !follows.includes(guard));
    for (let i = 0; i < tokens; i++) begin(steps, !this.#words ? guards : i === 0 ? always : [...always, again]);
    if (around)
      begin(
        around.stmts.map((stmt) => ({ kind: "plain", stmt })),
        around.guards,
      );
    const ends = new Set([...(around?.guards ?? []), ...follows]);
    let last = trips ?? 1;
    const behind = new Known();
    const whole = given.flatMap((step) => {
      const guards = guardsAt.get(step);
      if (guards) last--;
      for (const guard of guards ?? [])
        this.#condition(behind, guard.condition, guard.holds, last > 0 || !ends.has(guard));
      const done = this.#words ? decided(step, behind, (condition) => this.#require(condition, false)) : [step];
      for (const each of done) {
        this.#step(each, behind);
        goBehind(behind, each);
      }
      return done;
    });
    const induction = new Induction(whole);
    // Without the way round, a range ends where the loop would.
    if (!around) this.#condition(behind, again.condition, again.holds, false);
    const words = this.#words ? this.#wordsKept(whole) : [];
    const grow = this.#variables(whole, induction, behind, start, words);
    const counts = this.#conditions.map(({ condition, holds }) => known(induction.count(condition, holds)));
    const { writes, counts: within } = this.#allWrites(induction, tokens / this.#perWord);
    const sums = this.#allSums(tokens);
    const images = [...writes, ...sums, ...words].map(({ image }) => image);
    const masks = images.flatMap(({ mask }) => (mask ? [known(induction.linear(mask))] : []));
    if (masks.some(({ step }) => step !== 0)) throw new NoRange();
    if (this.#clocks < 1) throw new NoRange();
    const others = [...within, ...masks.flatMap((mask) => mask.while), ...grow.flatMap(({ linear }) => linear.while)];
    const taken = [...counts.filter((_, i) => this.#conditions[i]!.taken), ...others];
    const range = {
      tokens,
      perWord: this.#perWord,
      clocks: this.#clocks,
      start,
      follows: all(counts.filter((_, i) => !this.#conditions[i]!.taken)),
      grow: grow.map(({ of, linear }) => ({ of, step: linear.step })),
      writes,
      sums,
      words,
    };
    const { wayBehind } = this.#pass;
    const nested = this.#words && wayBehind && nestOf(wayBehind, { ...range, taken });
    return { ...range, taken: all(nested ? nested.taken : taken), nest: nested?.nest };
  }

  /** `taken`: without it not even the step's tokens are popped. */
  #condition(at: Known, condition: Expr, holds: boolean, taken = true): void {
    this.#require(at.at(condition), holds, taken);
  }

  /** As it stands before the step. */
  #require(condition: Expr | undefined, holds: boolean, taken = true): void {
    const now = known(condition);
    if (now.kind !== "const") {
      const before = this.#conditions.find((other) => other.holds === holds && sameExpr(other.condition, now));
      if (before) before.taken ||= taken;
      else this.#conditions.push({ condition: now, holds, taken });
    } else if (Boolean(now.value) !== holds) throw new NoRange();
  }

  #step(step: PassStep, at: Known): void {
    switch (step.kind) {
      case "pop":
        this.#token = step.into;
        this.#images.clear();
        this.#words?.pop(step.into);
        this.#clocks = 0;
        this.#writes.push([]);
        this.#sums.push([]);
        return;
      case "clocks": {
        const clocks = step.count === 1 ? 1 : at.number(step.count);
        if (clocks === undefined) throw new NoRange();
        this.#clocks += Math.max(0, clocks);
        return;
      }
      case "plain":
        this.#plain(step.stmt, at);
        return;
      case "count":
        return;
      default:
        throw new NoRange();
    }
  }

  #plain(stmt: Stmt, at: Known): void {
    if (this.#words && (stmt.kind === "let" || stmt.kind === "assign")) {
      this.#words.assign(stmt, at);
      return;
    }
    switch (stmt.kind) {
      case "let": {
        const image = this.#image(stmt.value, at);
        this.#images.delete(stmt.local);
        this.#partial.delete(stmt.local);
        if (image) this.#images.set(stmt.local, image);
        return;
      }
      case "assign":
        this.#assign(stmt);
        return;
      case "assert":
        this.#condition(at, stmt.condition, true);
        return;
      case "write":
        this.#write(stmt, stmt.port.index, at);
        return;
      case "if":
        // Nothing else in it may last longer than it.
        if (stmt.else.length > 0 || !stmt.then.every((one) => onlyWrites(one))) throw new NoRange();
        this.#condition(at, stmt.condition, true);
        for (const one of stmt.then) this.#plain(one, at);
        return;
      case "loop": {
        const pick = pickLoop(stmt);
        if (pick) {
          const picked = (index: Expr | undefined): Expr | undefined =>
            index && isLocal(index, pick.counter) ? pick.picked : index;
          // A number beyond the loop picks none.
          const { at: where, type } = pick.picked;
          const trips: Expr = { kind: "const", at: where, type, value: pick.trips };
          const least: Expr = { kind: "const", at: where, type, value: 0 };
          const bool = stmt.condition.type;
          const compare = (op: "<" | ">=", right: Expr): Expr => ({
            kind: "binary",
            at: where,
            type: bool,
            op,
            left: pick.picked,
            right,
          });
          this.#condition(at, compare("<", trips), true);
          this.#condition(at, compare(">=", least), true);
          for (const one of pick.then) {
            if (one.kind === "assert") this.#condition(at, one.condition, true);
            else if (one.kind === "write") this.#write(one, picked(one.port.index), at);
            else throw new NoRange();
          }
          return;
        }
        this.#adding(stmt, at);
        return;
      }
      default:
        throw new NoRange();
    }
  }

  /** `for (b = 0; b < n; b++) part = part + bytes[b]`, from 0. */
  #adding(loop: Extract<Stmt, { kind: "loop" }>, at: Known): void {
    const found = counted(loop);
    const [only, ...more] = found?.body ?? [];
    if (!found || more.length > 0 || only?.kind !== "assign" || only.target.kind !== "local") throw new NoRange();
    const part = only.target.local;
    const value = only.value.kind === "cast" ? only.value.operand : only.value;
    if (value.kind !== "binary" || value.op !== "+" || !isLocal(value.left, part)) throw new NoRange();
    const { right } = value;
    const zero = (of: Local): boolean => at.number({ kind: "local", at: loop.at, type: of.type, local: of }) === 0;
    const bytes = right.kind === "index" && isLocal(right.index, found.counter) ? right.base : undefined;
    const image = bytes?.kind === "local" ? this.#images.get(bytes.local) : bytes && this.#image(bytes, at);
    const leaf = image && this.#layout.leaves[image.leaf]!;
    if (!leaf || leaf.count !== found.trips || leaf.size !== 1 || !zero(part) || !zero(found.counter))
      throw new NoRange();
    // No partial sum wraps.
    const { lo, hi } = boundsOf(only.target);
    const [least, most] = image.signed ? [-128, 127] : [0, 255];
    if (least * found.trips < lo || most * found.trips > hi) throw new NoRange();
    this.#partial.set(part, image);
  }

  #assign({ target, value }: Extract<Stmt, { kind: "assign" }>): void {
    if (target.kind !== "local" && target.kind !== "field") throw new NoRange();
    const of: Local | StateField = target.kind === "local" ? target.local : target.field;
    if ("id" in of) {
      this.#images.delete(of);
      this.#partial.delete(of);
    }
    const sum = value.kind === "cast" ? value.operand : value;
    if (sum.kind !== "binary" || sum.op !== "+" || sum.right.kind !== "local" || !sameExpr(sum.left, target)) return;
    const image = this.#partial.get(sum.right.local);
    if (image && target.type.kind === "int" && (target.type as IntType).bits === 32)
      this.#sums.at(-1)?.push({ into: of, image });
  }

  /** Of an expression that is a token's bytes. */
  #image(expr: Expr, at: Known): Image | undefined {
    if (expr.kind === "cast" && expr.type.kind === "vec") {
      const { operand } = expr;
      const bytes = operand.kind === "map" && bits((expr.type as VecType).of) === 8;
      return bytes || operand.type === expr.type ? this.#image(operand, at) : undefined;
    }
    if (expr.kind === "local") return this.#images.get(expr.local) ?? this.#leaf(expr, undefined, undefined);
    if (expr.kind !== "map") return this.#leaf(expr, undefined, undefined);
    const { lane, body, length } = expr;
    if (body.kind !== "cast" || body.type.kind !== "int" || (body.type as IntType).bits !== 8) return undefined;
    const { operand } = body;
    const flipped = operand.kind === "call" && operand.helper === "xorU" ? operand.args : [operand];
    const [element, given] = flipped as readonly [Expr, Expr | undefined];
    if (element.kind !== "index" || !isLocal(element.index, lane)) return undefined;
    const mask = given && at.at(given);
    if (given && (!mask || someExpr(given, (e) => isLocal(e, lane)))) return undefined;
    const image = this.#leaf(element.base, mask, (body.type as IntType).signed);
    const leaf = image && this.#layout.leaves[image.leaf]!;
    return leaf?.count === length && leaf.size === 1 && boundsOf(element).hi - boundsOf(element).lo === 255
      ? image
      : undefined;
  }

  #leaf(expr: Expr, mask: Expr | undefined, signed: boolean | undefined): Image | undefined {
    const names: string[] = [];
    let root = expr;
    for (; root.kind === "member"; root = root.base) names.unshift(root.name);
    if (root.kind !== "local" || root.local !== this.#token) return undefined;
    const leaf = this.#layout.leaves.findIndex(
      ({ path }) =>
        names.every((name, i) => path[i] === name) && path.slice(names.length).every((step) => step === "*"),
    );
    return leaf < 0 ? undefined : { leaf, mask, signed: signed ?? this.#layout.leaves[leaf]!.signed };
  }

  #write(stmt: Extract<Stmt, { kind: "write" }>, index: Expr | undefined, at: Known): void {
    const image = this.#words ? this.#words.image(stmt.value, at, this.#perWord) : this.#image(stmt.value, at);
    const zero: Expr = { kind: "const", at: stmt.at, type: { kind: "exact", range: { lo: 0, hi: 0 } }, value: 0 };
    const { parts }: Ref<MemoryPort> = stmt.port;
    if (!image || (parts.length > 1 && !index)) throw new NoRange();
    const bank = parts.length === 1 ? zero : known(at.at(index!));
    this.#writes.at(-1)!.push({ stmt, parts, image, address: known(at.at(stmt.address)), bank, after: this.#clocks });
  }

  /** Vectors that live on, and are the last word then. */
  #wordsKept(whole: readonly PassStep[]): Range["words"] {
    return [...assignedIn(whole)].flatMap((of) => {
      if (of.type.kind !== "vec" || ("id" in of && this.#declared.has(of))) return [];
      return [{ of, image: known(this.#words!.imageOf(of, this.#perWord)) }];
    });
  }

  /** How each variable that lives on grows. */
  #variables(
    whole: readonly PassStep[],
    induction: Induction,
    behind: Known,
    start: Range["start"],
    words: Range["words"],
  ): { of: Variable; linear: Linear }[] {
    return [...assignedIn(whole)].flatMap((of) => {
      if ("id" in of && this.#declared.has(of)) return [];
      if (this.#sums.flat().some(({ into }) => into === of) || words.some((word) => word.of === of)) return [];
      const back = start.find((one) => one.of === of);
      if (back) {
        const at = { file: "", line: 0, column: 0 };
        if (behind.number({ kind: "local", at, type: back.of.type, local: back.of }) === back.value) return [];
        throw new NotBack(back.of);
      }
      const linear = induction.variable(of);
      if (linear) return [{ of, linear }];
      // Of 32 bits, a number may be added modulo 2^32.
      const at = { file: "", line: 0, column: 0 };
      const self: Expr =
        "id" in of ? { kind: "local", at, type: of.type, local: of } : { kind: "field", at, type: of.type, field: of };
      const next = of.type.kind === "int" && (of.type as IntType).bits === 32 ? behind.at(self) : undefined;
      const { rest, number } = plus(known(next));
      if (!rest || !sameExpr(rest, self)) throw new NoRange();
      return [{ of, linear: { step: number, while: [] } }];
    });
  }

  #allWrites(induction: Induction, words: number): { writes: RangeWrite[]; counts: Count[] } {
    // Of tokens that make a word, the last.
    const written = this.#writes.filter((_, i) => (i + 1) % this.#perWord === 0);
    const [first] = written;
    if (this.#writes.some((list, i) => (i + 1) % this.#perWord !== 0 && list.length > 0)) throw new NoRange();
    if (!first || written.length !== words || first.length === 0) throw new NoRange();
    const counts: Count[] = [];
    const used = new Set<unknown>();
    const writes = first.map((write, i): RangeWrite => {
      const each = written.map((list) => list[i]!);
      if (!written.every((list) => list.length === first.length)) throw new NoRange();
      if (!each.every(({ stmt, image }) => stmt === write.stmt && sameImage(image, write.image))) throw new NoRange();
      const ports = write.parts.map((part) => this.#portPlan(part));
      for (const { memory } of ports) {
        if (used.has(memory)) throw new NoRange();
        used.add(memory);
      }
      if (!isPlain(ports, this.#layout.leaves[write.image.leaf]!, this.#perWord)) throw new NoRange();
      const { depth } = ports[0]!.memory.memory;
      for (const { address, bank } of each) {
        counts.push(this.#between(induction, address, depth), this.#between(induction, bank, ports.length));
      }
      const steps = (of: (one: OneWrite) => Expr): readonly [number, number] => [
        known(evenSteps(each.map(of))),
        known(induction.linear(of(write))).step,
      ];
      const { image, address, bank, after } = write;
      const [addressSteps, bankSteps] = [steps((one) => one.address), steps((one) => one.bank)];
      if (!banksFit(bankSteps, words)) throw new NoRange();
      return { ports, image, address, bank, addressSteps, bankSteps, after };
    });
    return { writes, counts };
  }

  /** As long as `0 <= expr < below`. */
  #between(induction: Induction, expr: Expr, below: number): Count {
    const linear = known(induction.linear(expr));
    const limit = { expr, step: linear.step, least: 0, most: below - 1 };
    const value = numberOf(expr);
    const { lo, hi } = value === undefined ? boundsOf(expr) : { lo: value, hi: value };
    if (value !== undefined && (lo < 0 || hi >= below)) throw new NoRange();
    return all(lo >= 0 && hi < below ? linear.while : [...linear.while, { kind: "limit", limit }]);
  }

  #allSums(tokens: number): RangeSum[] {
    const [first = [], ...others] = this.#sums;
    const like = (list: readonly RangeSum[]): boolean =>
      list.length === first.length &&
      list.every(({ into, image }, i) => into === first[i]!.into && sameImage(image, first[i]!.image));
    if (this.#sums.length !== tokens || !others.every(like)) throw new NoRange();
    // Added to twice, or given another value besides: not this form.
    const targets = first.map(({ into }) => into);
    const assigned = this.#pass.steps.flatMap((step) =>
      step.kind === "plain" && step.stmt.kind === "assign" ? [variableOf(step.stmt.target)] : [],
    );
    for (const into of targets) if (assigned.filter((of) => of === into).length !== 1) throw new NoRange();
    return first;
  }
}

function known<T>(value: T | undefined): T {
  if (value === undefined) throw new NoRange();
  return value;
}
