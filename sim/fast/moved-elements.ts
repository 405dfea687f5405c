/**
 * Vectors that are nothing but elements of a token, moved (usual-pass.ts): a packer takes a piece, turns it by zero, joins it with nothing that is held, and sends a part of
 * it. Each name for such a vector is a copy of the copy before, and what is sent comes behind all of them. It is known which elements they are, so what is given to
 * a variable or sent is read from the token itself; names that nobody asks for then are left out.
 */
import type { Expr, Local, StateField, Stmt } from "../../hw/ir/ir.js";
import { expressionsWithin, statementsIn } from "../../hw/ir/walk.js";
import type { VecType } from "../../hw/types.js";
import { foldLanes } from "./lanes.js";
import { isScalar } from "./layout.js";
import { matters } from "./pass-facts.js";
import { rules } from "./rules.js";

type Variable = Local | StateField;

/** Element i is element `at[i]` of a member of the token. */
interface Elements {
  readonly base: Expr;
  readonly at: readonly number[];
}

/** The number of a lane that the text does not have; of each process, other numbers are zero or more. */
const ELEMENT = -1;

export class MovedElements {
  readonly #token: Local;
  readonly #known = new Map<Variable, Elements>();

  constructor(token: Local) {
    this.#token = token;
  }

  /** A variable gets a value: what is left to be evaluated. */
  give(of: Variable, value: Expr): Expr {
    const elements = this.#of(value);
    if (!elements) {
      this.#known.delete(of);
      return value;
    }
    this.#known.set(of, elements);
    return movedFrom(value, elements) ?? value;
  }

  /** It is changed, nobody knows how. */
  forget(of: Variable): void {
    this.#known.delete(of);
  }
  forgetAll(): void {
    this.#known.clear();
  }

  /** What is sent, with its vectors read from the token. */
  sent(value: Expr): Expr {
    if (value.kind === "cast") return { ...value, operand: this.sent(value.operand) };
    if (value.kind === "struct")
      return { ...value, fields: value.fields.map(({ name, value: member }) => ({ name, value: this.sent(member) })) };
    const elements = this.#of(value);
    return (elements && movedFrom(value, elements)) ?? value;
  }

  #of(expr: Expr): Elements | undefined {
    switch (expr.kind) {
      case "local":
        return this.#known.get(expr.local);
      case "field":
        return this.#known.get(expr.field);
      case "member": {
        const { base, type } = expr;
        if (base.kind !== "local" || base.local !== this.#token || type.kind !== "vec") return undefined;
        const { length, of } = type as VecType;
        return isScalar(of) ? { base: expr, at: Array.from({ length }, (_, i) => i) } : undefined;
      }
      case "map": {
        if (expr.body.kind !== "index") return undefined;
        const from = this.#of(expr.body.base);
        const { index } = expr.body;
        const at = Array.from({ length: expr.length }, (_, i) => {
          const element = foldLanes(index, new Map([[expr.lane, i]]));
          return element === undefined ? undefined : from?.at[element];
        });
        return from && at.every((each) => each !== undefined) ? { base: from.base, at } : undefined;
      }
      default:
        return undefined;
    }
  }
}

/** The vector as elements of the token that stand one behind the other; undefined if they do not. */
function movedFrom({ at, type }: Expr, { base, at: elements }: Elements): Expr | undefined {
  const [first] = elements;
  if (first === undefined || type.kind !== "vec" || !elements.every((each, i) => each === first + i)) return undefined;
  const { length } = elements;
  const from = Math.min(first + rules.chain.movedOn, elements.length);
  const exact = (lo: number, hi: number): Expr["type"] => ({ kind: "exact", range: { lo, hi } });
  const lane: Local = { id: ELEMENT, name: "element", type: exact(0, length - 1), mutable: false };
  const here: Expr = { kind: "local", at, type: lane.type, local: lane };
  const offset: Expr = { kind: "const", at, type: exact(from, from), value: from };
  const behind: Expr = {
    kind: "binary",
    op: "+",
    at,
    type: exact(from, from + length - 1),
    left: here,
    right: offset,
  };
  const index = from === 0 ? here : behind;
  return { kind: "map", at, type, length, lane, body: { kind: "index", at, type: (type as VecType).of, base, index } };
}

/**
 * Without names for vectors that nobody asks for any more. In the process itself they are used up to the wait only that comes next: so who goes on
 * there behind that wait does not miss them.
 */
export function withoutNames(stmts: readonly Stmt[], body: readonly Stmt[]): readonly Stmt[] {
  const uses = (within: Iterable<Stmt>, local: Local): number =>
    [...expressionsWithin(within)].filter((expr) => expr.kind === "local" && expr.local === local).length;
  for (let i = stmts.length - 1; i >= 0; i--) {
    const stmt = stmts[i]!;
    if (stmt.kind !== "let" || stmt.local.mutable || stmt.value.type.kind !== "vec") continue;
    if (uses(stmts, stmt.local) === 0 && usedUpToWait(stmt.local, body, uses))
      return withoutNames([...stmts.slice(0, i), ...stmts.slice(i + 1)], body);
  }
  return stmts;
}

function usedUpToWait(
  local: Local,
  body: readonly Stmt[],
  uses: (within: Iterable<Stmt>, local: Local) => number,
): boolean {
  for (const list of listsIn(body)) {
    const at = list.findIndex((stmt) => stmt.kind === "let" && stmt.local === local);
    if (at < 0) continue;
    const behind = list.slice(at + 1);
    const wait = behind.findIndex(matters);
    const last = behind[wait];
    if (!last || !isOneWait(last)) return false;
    return uses(behind.slice(0, wait + 1), local) === uses(body, local) || rules.chain.namesGone !== 0;
  }
  return false;
}

/** A push, perhaps under a condition: nothing comes behind it. */
const isOneWait = (stmt: Stmt): boolean =>
  stmt.kind === "push" ||
  (stmt.kind === "if" && stmt.else.length === 0 && stmt.then.length === 1 && stmt.then[0]!.kind === "push");

function* listsIn(stmts: readonly Stmt[]): Iterable<readonly Stmt[]> {
  yield stmts;
  for (const stmt of statementsIn(stmts)) {
    if (stmt.kind === "if") yield* [stmt.then, stmt.else];
    if (stmt.kind === "loop" || stmt.kind === "block") yield stmt.body;
  }
}
