/**
 * What only the next pass of a loop reads need not be done in the last one. A process that lets the rows of a tile go, and moves the others up behind each,
 *
 *     let sums = tile;
 *     for (r = 0; r < rows; r++) { ...sums[0]...; sums = vec((i) => sums[i + 1 < n ? i + 1 : i]); }
 *
 * moves them up where a row follows. Tiles of one row, as of a depthwise convolution, are not moved at all.
 */
import type { Expr, Local, Loop, ProcessIr, Stmt } from "../../hw/ir/ir.js";
import { expressionsWithin, someExpr, statementsIn } from "../../hw/ir/walk.js";
import { layoutOf } from "./layout.js";
import { movesUp } from "./move-up.js";
import { rules } from "./rules.js";
import { simplify } from "./simplify.js";

/** Bytes from which on a comparison costs less than the move. */
const WORTH = 32;

/** A process that does the same; `moveUp` has been there. */
export function withoutLastMove(process: ProcessIr): ProcessIr {
  const body = list(process.body);
  return body === process.body ? process : { ...process, body };
}

function list(given: readonly Stmt[]): readonly Stmt[] {
  const declared = new Set<Local>();
  const out = given.map((each, i) => {
    const stmt = within(each);
    if (stmt.kind === "let") declared.add(stmt.local);
    if (stmt.kind !== "loop") return stmt;
    const rest = given.slice(i + 1);
    return guarded(stmt, (local) => declared.has(local) && !mentions(rest, local));
  });
  return out.every((stmt, i) => stmt === given[i]) ? given : out;
}

function within(stmt: Stmt): Stmt {
  if (stmt.kind === "if") {
    const [then, other] = [list(stmt.then), list(stmt.else)];
    return then === stmt.then && other === stmt.else ? stmt : { ...stmt, then, else: other };
  }
  if (stmt.kind !== "loop" && stmt.kind !== "block") return stmt;
  const body = list(stmt.body);
  return body === stmt.body ? stmt : { ...stmt, body };
}

/** The loop, whose moves of variables that are over with it ask whether it goes on. */
function guarded(loop: Loop, isOver: (local: Local) => boolean): Loop {
  const again = goesOn(loop);
  if (!again) return loop;
  const body = loop.body.map((stmt): Stmt => {
    if (stmt.kind !== "assign" || stmt.target.kind !== "local") return stmt;
    const { local } = stmt.target;
    if (!isOver(local) || !movesUp(stmt.value, local) || layoutOf(local.type as never).bytes < WORTH) return stmt;
    return { kind: "if", at: stmt.at, condition: again, then: [stmt], else: [] };
  });
  return body.every((stmt, i) => stmt === loop.body[i]) ? loop : { ...loop, body };
}

/** Anywhere in the body: whether another pass follows, if that depends only on a counter and on what never changes. */
function goesOn({ condition, update: [step, ...more], body }: Loop): Expr | undefined {
  if (step?.kind !== "assign" || step.target.kind !== "local" || more.length > 0) return undefined;
  const { local: counter } = step.target;
  const stays = (expr: Expr): boolean =>
    !someExpr(
      expr,
      (e) =>
        e.kind === "field" ||
        e.kind === "q" ||
        e.kind === "signal" ||
        (e.kind === "local" && e.local !== counter && e.local.mutable),
    );
  if (!stays(condition) || !stays(step.value)) return undefined;
  const changes = (stmt: Stmt): boolean =>
    (stmt.kind === "assign" && stmt.target.kind === "local" && stmt.target.local === counter) ||
    (stmt.kind === "let" && stmt.local === counter);
  if ([...statementsIn(body)].some(changes)) return undefined;
  const next = (expr: Expr): Expr => simplify(expr, { values: new Map([[counter, step.value]]) });
  return rules.round.lastMove === 0 ? next(condition) : next(next(condition));
}

const mentions = (stmts: readonly Stmt[], local: Local): boolean =>
  [...expressionsWithin(stmts)].some((e) => e.kind === "local" && e.local === local);
