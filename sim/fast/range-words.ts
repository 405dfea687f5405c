/**
 * Words that several tokens of an outer input make (range-match.ts): a loader keeps what has come in a vector, puts each token's bytes into
 * its part of it, and writes the whole with the last. Followed lane by lane from token to token, such a vector is bytes of tokens.
 */
import type { Expr, Local, Stmt } from "../../hw/ir/ir.js";
import { sameExpr, someExpr, statementsIn } from "../../hw/ir/walk.js";
import type { MemoryPort } from "../../hw/memory.js";
import type { IntType, VecType } from "../../hw/types.js";
import { assignedIn, Induction, type Variable } from "./induction.js";
import { variableOf, type Known } from "./known.js";
import { foldLanes } from "./lanes.js";
import { columnBytes, type Layout } from "./layout.js";
import type { PortPlan } from "./memory-plan.js";
import { isLocal } from "./pass-facts.js";
import { bits, startOf, type Image, type Range } from "./range-facts.js";
import type { Pass, PassStep } from "./rounds.js";

/** More tokens do not make a word. */
const MOST_TOKENS = 16;

/** A byte of a token of the step; its bits may be flipped. */
interface TokenByte {
  readonly token: number;
  readonly leaf: number;
  readonly index: number;
  readonly mask: Expr | undefined;
  readonly signed: boolean;
}
type Bytes = readonly (TokenByte | undefined)[];
type Lanes = ReadonlyMap<Local, number>;

/** How many tokens make a word that the pass writes; undefined if none do. */
export function tokensOfWord(
  { steps }: Pass,
  layout: Layout,
  portPlan: (port: MemoryPort) => PortPlan,
): number | undefined {
  const data = Math.max(...layout.leaves.map((leaf) => (leaf.size === 1 ? columnBytes(leaf) : 0)));
  const stmts = steps.flatMap((step) => (step.kind === "plain" ? [step.stmt] : []));
  for (const stmt of statementsIn(stmts)) {
    if (stmt.kind !== "write") continue;
    const [word] = portPlan(stmt.port.parts[0]!).memory.layout.leaves;
    const tokens = word && data > 0 ? columnBytes(word) / data : 0;
    return Number.isInteger(tokens) && tokens > 1 && tokens <= MOST_TOKENS ? tokens : undefined;
  }
  return undefined;
}

/** Variables that tell the parts of a word apart, and what they are in front of the first: they do not grow evenly from pass to pass. */
export function partsOf({ steps, wayBehind }: Pass, declared: ReadonlySet<Local>): Range["start"] {
  const induction = new Induction(steps);
  const starts = startOf(wayBehind?.stmts ?? []);
  return [...assignedIn(steps)].flatMap((of) => {
    if (!("id" in of) || declared.has(of) || of.type.kind !== "int" || induction.variable(of)) return [];
    return [starts.find((start) => start.of === of) ?? { of, value: 0 }];
  });
}

/**
 * A step as it is where each branch that is not decided is left out, and so is the first side of each choice: `unless` gets what they ask, as it
 * stands before all of this; undefined if that is not to be told.
 */
export function decided(step: PassStep, at: Known, unless: (condition: Expr | undefined) => void): PassStep[] {
  if (step.kind !== "plain") return [step];
  const known = at.copy();
  const stmts = (list: readonly Stmt[]): Stmt[] =>
    list.flatMap((stmt) => {
      const [of] = stmt.kind === "if" ? [stmt] : [];
      const found = of ? stmts(chosen(of.condition) ? of.then : of.else) : [own(stmt)];
      if (!of) for (const each of found) known.after(each);
      return found;
    });
  const chosen = (condition: Expr): boolean => {
    const value = known.number(condition);
    if (value === undefined) unless(known.at(condition));
    return value !== undefined && value !== 0;
  };
  const expr = (e: Expr): Expr => {
    if (e.kind === "select") return expr(chosen(e.condition) ? e.then : e.else);
    if (e.kind === "cast" || e.kind === "unary") return { ...e, operand: expr(e.operand) };
    return e.kind === "binary" ? { ...e, left: expr(e.left), right: expr(e.right) } : e;
  };
  const own = (stmt: Stmt): Stmt =>
    (stmt.kind === "let" || stmt.kind === "assign") && stmt.value.type.kind !== "vec"
      ? { ...stmt, value: expr(stmt.value) }
      : stmt;
  return stmts([step.stmt]).map((stmt) => ({ kind: "plain", stmt }));
}

/** Vectors of bytes in the course of a step. */
export class WordBytes {
  readonly #layout: Layout;
  readonly #values = new Map<Variable, Bytes>();
  #token: Local | undefined;
  #number = -1;

  constructor(layout: Layout) {
    this.#layout = layout;
  }

  /** The next token is popped. */
  pop(into: Local | undefined): void {
    this.#token = into;
    this.#number++;
  }

  /** A statement gives a variable, or a part of it, a value. */
  assign(stmt: Extract<Stmt, { kind: "let" | "assign" }>, at: Known): void {
    const of = stmt.kind === "let" ? stmt.local : variableOf(stmt.target);
    const whole = stmt.kind === "let" || stmt.target.kind === "local" || stmt.target.kind === "field";
    const value = whole ? this.#bytes(stmt.value, at, new Map()) : undefined;
    if (value) this.#values.set(of, value);
    else this.#values.delete(of);
  }

  /** The expression as the bytes of so many tokens, one behind the other. */
  image(expr: Expr, at: Known, tokens: number): Image | undefined {
    const bytes = this.#bytes(expr, at, new Map());
    return bytes && this.#image(bytes, tokens);
  }
  imageOf(of: Variable, tokens: number): Image | undefined {
    const bytes = this.#values.get(of);
    return bytes && this.#image(bytes, tokens);
  }

  #image(bytes: Bytes, tokens: number): Image | undefined {
    const [first] = bytes;
    const leaf = first && this.#layout.leaves[first.leaf]!;
    if (!leaf || bytes.length !== tokens * leaf.count) return undefined;
    const { mask, signed } = first;
    const isNext = (byte: TokenByte | undefined, i: number): boolean =>
      byte !== undefined &&
      byte.token === Math.floor(i / leaf.count) &&
      byte.leaf === first.leaf &&
      byte.index === i % leaf.count &&
      byte.signed === signed &&
      (mask ? byte.mask !== undefined && sameExpr(byte.mask, mask) : byte.mask === undefined);
    return bytes.every(isNext) ? { leaf: first.leaf, mask, signed } : undefined;
  }

  #bytes(expr: Expr, at: Known, lanes: Lanes): Bytes | undefined {
    if (expr.kind === "cast" && expr.type.kind === "vec") {
      const { operand } = expr;
      const isMade = operand.kind === "map" && bits((expr.type as VecType).of) === 8;
      return isMade || operand.type === expr.type ? this.#bytes(operand, at, lanes) : undefined;
    }
    if (expr.kind === "map")
      return Array.from({ length: expr.length }, (_, i) =>
        this.#byte(expr.body, at, new Map([...lanes, [expr.lane, i]])),
      );
    const known = expr.kind === "local" ? expr.local : expr.kind === "field" ? expr.field : undefined;
    return (known && this.#values.get(known)) ?? this.#ofToken(expr);
  }

  #byte(expr: Expr, at: Known, lanes: Lanes): TokenByte | undefined {
    if (expr.kind === "cast" && expr.type.kind === "int") {
      const { bits, signed } = expr.type as IntType;
      const of = bits === 8 ? this.#byte(expr.operand, at, lanes) : undefined;
      return of && { ...of, signed };
    }
    if (expr.kind === "select") {
      const condition = at.at(expr.condition);
      const value = condition && foldLanes(condition, lanes);
      return value === undefined ? undefined : this.#byte(value !== 0 ? expr.then : expr.else, at, lanes);
    }
    if (expr.kind === "call" && expr.helper === "xorU") {
      const [of, given] = expr.args;
      const [byte, mask] = [this.#byte(of!, at, lanes), at.at(given!)];
      const isSame = mask && ![...lanes.keys()].some((lane) => someExpr(mask, (e) => isLocal(e, lane)));
      return byte && !byte.mask && isSame ? { ...byte, mask } : undefined;
    }
    if (expr.kind !== "index") return undefined;
    const index = foldLanes(at.at(expr.index) ?? expr.index, lanes);
    return index === undefined ? undefined : this.#bytes(expr.base, at, lanes)?.[index];
  }

  /** A member of the token at hand that is a vector of bytes. */
  #ofToken(expr: Expr): Bytes | undefined {
    const names: string[] = [];
    let root = expr;
    for (; root.kind === "member"; root = root.base) names.unshift(root.name);
    if (root.kind !== "local" || root.local !== this.#token || expr.type.kind !== "vec") return undefined;
    const at = this.#layout.leaves.findIndex(({ path }) => path.join() === [...names, "*"].join());
    const leaf = this.#layout.leaves[at];
    const { of } = expr.type as VecType;
    if (leaf?.size !== 1 || of.kind !== "int" || (of as IntType).bits !== 8) return undefined;
    const { signed } = of as IntType;
    return Array.from({ length: leaf.count }, (_, index) => ({
      token: this.#number,
      leaf: at,
      index,
      mask: undefined,
      signed,
    }));
  }
}
