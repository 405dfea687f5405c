/** What ranges (range-match.ts) are, and what can be told of single expressions, ports and loops on the way to one. */
import type { Expr, Local, Stmt } from "../../hw/ir/ir.js";
import { sameExpr } from "../../hw/ir/walk.js";
import type { Type } from "../../hw/types.js";
import { pickLoop } from "./bank-code.js";
import { assignedIn, followPass, type Count, type Variable } from "./induction.js";
import { columnBytes, type Layout } from "./layout.js";
import type { PortPlan } from "./memory-plan.js";
import { numberOf } from "./pass-facts.js";
import type { Pass, PassStep } from "./rounds.js";

/** Bytes of a token: a vector of 8-bit elements, or anything that is moved as it is; the low byte of `mask` flips bits of each element. */
export interface Image {
  /** The leaf of the token's layout. */
  readonly leaf: number;
  readonly mask: Expr | undefined;
  /** The elements after the flip are signed. */
  readonly signed: boolean;
}

/** A write that each word of a step does; addresses and banks are those of the first, as known before the step. */
export interface RangeWrite {
  readonly ports: readonly PortPlan[];
  readonly image: Image;
  readonly address: Expr;
  readonly bank: Expr;
  /** From word to word in a step, and from step to step. */
  readonly addressSteps: readonly [word: number, step: number];
  readonly bankSteps: readonly [word: number, step: number];
  /** Clocks behind the pop. */
  readonly after: number;
}

/** A 32-bit variable to which all bytes of the tokens are added. */
export interface RangeSum {
  readonly into: Variable;
  readonly image: Image;
}

/**
 * The loop around the one whose passes these are, where its way round takes no time: steps go on over it. The last step of the inner loop ends
 * where that does.
 */
export interface Nest {
  /** What counts the inner loop: a number behind the way round, and by how much it grows in a step. */
  readonly inner: readonly { readonly of: Local; readonly value: number; readonly step: number }[];
  /** What else grows, from way round to way round. */
  readonly outer: readonly { readonly of: Variable; readonly step: number }[];
  /** For how many steps the conditions on `inner` hold; the same behind each way round. */
  readonly taken: Count;
  /** How often the way round can be gone. */
  readonly around: Count;
}

export interface Range {
  /** Tokens of a step, one a pass. */
  readonly tokens: number;
  /** So many make a word; all of a step, or one. */
  readonly perWord: number;
  /** Each token takes so many clocks behind its pop. */
  readonly clocks: number;
  /** What variables have to be before a step. */
  readonly start: readonly { readonly of: Local; readonly value: number }[];
  /** For how many steps all is done like this, whatever comes behind the last pass of the last of them. */
  readonly taken: Count;
  /** For how many steps another pass follows. */
  readonly follows: Count;
  readonly grow: readonly { readonly of: Variable; readonly step: number }[];
  readonly writes: readonly RangeWrite[];
  readonly sums: readonly RangeSum[];
  /** Vectors that are the last step's word. */
  readonly words: readonly { readonly of: Variable; readonly image: Image }[];
  readonly nest: Nest | undefined;
}

/** Inner loops of so many passes at most are one step. */
const MOST_TOKENS = 64;

export const onlyWrites = (stmt: Stmt): boolean =>
  stmt.kind === "write" || stmt.kind === "assert" || stmt.kind === "let" || (stmt.kind === "loop" && !!pickLoop(stmt));

export const bits = (type: Type): number => (type.kind === "int" ? type.bits : 0);

export const sameImage = (a: Image, b: Image): boolean =>
  a.leaf === b.leaf && a.signed === b.signed && (a.mask ? !!b.mask && sameExpr(a.mask, b.mask) : !b.mask);

/** Variables that the way round sets to numbers, with which the inner loop begins again. */
export function startOf(stmts: readonly Stmt[]): Range["start"] {
  const known = followPass(stmts.map((stmt) => ({ kind: "plain", stmt })));
  return [...assignedIn(stmts.map((stmt) => ({ kind: "plain", stmt })))].flatMap((of) => {
    if (!("id" in of) || of.type.kind !== "int") return [];
    const value = known.number({ kind: "local", at: { file: "", line: 0, column: 0 }, type: of.type, local: of });
    return value === undefined ? [] : [{ of, value }];
  });
}

/** Passes of the inner loop from its start to its end, if that is always the same number. */
export function tripsOf({ steps, again }: Pass, start: Range["start"]): number | undefined {
  const whole: PassStep[] = start.map(({ of, value }) => ({ kind: "count", counter: of, value }));
  for (let trips = 1; trips <= MOST_TOKENS; trips++) {
    whole.push(...steps);
    const goesOn = followPass(whole).number(again.condition);
    if (goesOn === undefined) return undefined;
    if (Boolean(goesOn) !== again.holds) return trips;
  }
  return undefined;
}

/** By how much expressions grow from one to the next, if they are numbers added to the same thing, and it is always as much. */
export function evenSteps(exprs: readonly Expr[]): number | undefined {
  const parts = exprs.map((expr) => plus(expr));
  const [first, second] = parts;
  const step = second ? second.number - first!.number : 0;
  const even = parts.every(
    ({ rest, number }, i) =>
      number === first!.number + i * step && (rest ? !!first!.rest && sameExpr(rest, first!.rest) : !first!.rest),
  );
  return even ? step : undefined;
}

/** An expression as something plus a number; casts are the identity here, which their conditions see to. */
export function plus(expr: Expr): { rest: Expr | undefined; number: number } {
  const value = numberOf(expr);
  if (expr.kind === "const" && value !== undefined) return { rest: undefined, number: value };
  if (expr.kind === "cast") return plus(expr.operand);
  if (expr.kind === "binary" && expr.op === "+" && expr.right.kind === "const") {
    const { rest, number } = plus(expr.left);
    return { rest, number: number + Number(expr.right.value) };
  }
  return { rest: expr, number: 0 };
}

/** One bank for all, one after the other in each step, or one after the other where a step is one token. */
export const banksFit = ([word, step]: readonly [number, number], words: number): boolean =>
  (word === 0 && step === 0) || (step === 0 && words > 1) || words === 1;

/** Ports that only write, each alone in its process, side by side; the bytes of so many tokens are a whole word. */
export function isPlain(ports: readonly PortPlan[], leaf: Layout["leaves"][number], tokens: number): boolean {
  const [first] = ports as readonly [PortPlan];
  const { layout, shared } = first.memory;
  const [word, ...more] = layout.leaves;
  if (!word || more.length > 0 || word.size !== leaf.size || columnBytes(word) !== tokens * columnBytes(leaf))
    return false;
  return ports.every(({ port, memory, actor, lastWrite, writes }, i) => {
    const alone = memory.ports.every((other) => other.port === port || other.actor !== actor);
    const writers = [...memory.writeEpochs.keys()];
    const beside = (of: "writeEpochs" | "readEpochs"): boolean =>
      [...memory[of]].every(([user, at]) => first.memory[of].get(user) === at - 4 * i);
    return (
      !port.canRead &&
      alone &&
      writers.every((writer) => writer === actor) &&
      memory.shared === shared &&
      memory.words === first.memory.words + i * layout.bytes &&
      memory.stride === first.memory.stride &&
      memory.epochStride === first.memory.epochStride &&
      memory.memory.depth === first.memory.memory.depth &&
      beside("writeEpochs") &&
      beside("readEpochs") &&
      lastWrite === first.lastWrite + 4 * i &&
      writes === first.writes + 4 * i
    );
  });
}
