/**
 * Banks used side by side, as the text writes them in combinational loops: one read of all banks at one address, their
 * words as one vector, and a statement for the one bank that a number picks. Each has a short way for the ordinary case;
 * the loop as it stands remains for all others, with its checks and errors.
 */
import type { Expr, Local, Loop, Stmt } from "../../hw/ir/ir.js";
import type { MemoryPort } from "../../hw/memory.js";
import { emitRowRead } from "./bank-epochs.js";
import type { Actor } from "./channel-code.js";
import { boundsOf, fitsSigned, type ExprCompiler } from "./expr.js";
import type { Leaf } from "./layout.js";
import type { PortGroup } from "./memory-plan.js";
import { emitCopyLeaf, type Place } from "./place.js";
import { someExpr } from "../../hw/ir/walk.js";
import type { Code } from "./wasm.js";

const WRITTEN_OUT = 16;
/** Reads of banks that are written out. */
const BANKS_WRITTEN_OUT = 8;

type MapExpr = Extract<Expr, { kind: "map" }>;

/** A combinational loop over 0..trips-1. */
export interface Counted {
  readonly counter: Local;
  readonly trips: number;
  readonly body: readonly Stmt[];
}

/** `for (r = 0; r < trips; r++) if (r === picked) then`. */
export interface PickLoop extends Counted {
  readonly picked: Expr;
  readonly then: readonly Stmt[];
}

/** `for (r = 0; r < trips; r++) if (r < used) read bank r`; all banks where `used` is undefined. */
export interface BankLoop extends Counted {
  readonly used: Expr | undefined;
  readonly read: Extract<Stmt, { kind: "read" }>;
}

const isLocal = (expr: Expr | undefined, local: Local): boolean => expr?.kind === "local" && expr.local === local;
const names = (expr: Expr, local: Local): boolean => someExpr(expr, (e) => isLocal(e, local));
const isNumber = (expr: Expr, value: number): boolean => expr.kind === "const" && Number(expr.value) === value;

export function counted({ combinational, condition, update, body }: Loop): Counted | undefined {
  const [step, ...more] = update;
  if (!combinational || more.length > 0 || step?.kind !== "assign" || step.target.kind !== "local") return undefined;
  const counter = step.target.local;
  const next = step.value.kind === "cast" ? step.value.operand : step.value;
  if (next.kind !== "binary" || next.op !== "+" || !isLocal(next.left, counter) || !isNumber(next.right, 1))
    return undefined;
  if (condition.kind !== "binary" || condition.op !== "<" || !isLocal(condition.left, counter)) return undefined;
  if (condition.right.kind !== "const") return undefined;
  return { counter, trips: Number(condition.right.value), body };
}

export function pickLoop(loop: Loop): PickLoop | undefined {
  const found = counted(loop);
  const [only, ...more] = found?.body ?? [];
  if (!found || more.length > 0 || only?.kind !== "if" || only.else.length > 0) return undefined;
  const { condition, then } = only;
  if (condition.kind !== "binary" || condition.op !== "===") return undefined;
  const { left, right } = condition;
  const picked = isLocal(left, found.counter) ? right : isLocal(right, found.counter) ? left : undefined;
  const stays = (stmt: Stmt): boolean => stmt.kind === "read" || stmt.kind === "write" || stmt.kind === "assert";
  if (!picked || names(picked, found.counter) || !then.every(stays) || !fitsSigned(boundsOf(picked))) return undefined;
  return { ...found, picked, then };
}

export function bankLoop(loop: Loop): BankLoop | undefined {
  const found = counted(loop);
  const [only, ...more] = found?.body ?? [];
  if (!found || !only || more.length > 0) return undefined;
  const conditional = only.kind === "if" && only.else.length === 0 && only.then.length === 1;
  const read = conditional ? only.then[0]! : only;
  if (read.kind !== "read" || !isLocal(read.port.index, found.counter) || names(read.address, found.counter))
    return undefined;
  if (!conditional) return { ...found, used: undefined, read };
  const used = lessThan(only.condition, found.counter);
  return used && { ...found, used, read };
}

/** A loop that only moves elements of vectors, over a few numbers: it is written out, since numbers make fixed addresses. */
export function movingLoop(loop: Loop): Counted | undefined {
  const found = counted(loop);
  const moves = found?.body.every(
    ({ kind, ...stmt }) =>
      kind === "assign" && "target" in stmt && stmt.target.kind === "index" && !isLocal(stmt.target, found.counter),
  );
  return moves && found!.trips <= WRITTEN_OUT && found!.body.length <= 2 ? found : undefined;
}

/**
 * A loop that reads banks, each where it likes: `for (b = 0; b < trips; b++) if (...) read bank b at f(b)`. It is written out, too: in the loop
 * V8 works out anew for each bank what all of them share, and chooses the bank by a table of jumps.
 */
export function readingLoop(loop: Loop): Counted | undefined {
  const found = counted(loop);
  if (!found || found.trips > BANKS_WRITTEN_OUT) return undefined;
  const reads = (stmt: Stmt): boolean => stmt.kind === "read" && isLocal(stmt.port.index, found.counter);
  const stays = (stmt: Stmt): boolean => stmt.kind === "let" || stmt.kind === "assert" || reads(stmt);
  const inner = (stmt: Stmt): readonly Stmt[] => (stmt.kind === "if" ? [...stmt.then, ...stmt.else] : [stmt]);
  const all = found.body.flatMap(inner);
  return all.some(reads) && all.every(stays) ? found : undefined;
}

/** E of `lane < E`, where E does not name the lane. */
function lessThan(condition: Expr, lane: Local): Expr | undefined {
  if (condition.kind !== "binary" || condition.op !== "<" || !isLocal(condition.left, lane)) return undefined;
  const { right } = condition;
  return names(right, lane) || !fitsSigned(boundsOf(right)) ? undefined : right;
}

/** A group can be read in one piece: its banks are only read by this process, and written by one other, or by none. */
export function readsTogether(actor: Actor, group: PortGroup): boolean {
  return group.ports.every(({ port, memory }) => {
    const alone = memory.ports.every((other) => other.actor !== actor.actor || other.port === port);
    return !port.canWrite && alone && (!memory.shared || memory.writeEpochs.size === 1);
  });
}

/** Read all banks at the address in a local, if nothing is amiss; `done` says so. */
export function emitGroupRead(actor: Actor, group: PortGroup, address: number, done: number): void {
  const { code, time, plan } = actor;
  const [{ memory }] = group.ports as [PortGroup["ports"][number]];
  const n = group.ports.length;
  const vectors = Array.from({ length: Math.ceil(n / 4) }, (_, i) => i * 16);
  const [epochs, from, now] = [code.temp("i32"), code.temp("i32"), code.temp("v128")];
  code.i32(0).set(done);
  code.get(address).i32(memory.memory.depth).op("i32.lt_u").if();
  code.get(address).i32(memory.epochStride).op("i32.mul").set(epochs);
  code.get(time).op("i32x4.splat").set(now);
  for (const at of vectors) {
    code
      .i32(0)
      .mem("v128.load", group.lastRead + at)
      .get(now)
      .op("i32x4.eq");
    if (at > 0) code.op("v128.or");
  }
  const [written] = memory.writeEpochs;
  if (written) {
    const [writer, array] = written;
    for (const at of vectors) {
      code.get(epochs).mem("v128.load", array + at);
      if (memory.shared) code.loadAt(plan.known[actor.actor]! + plan.observers.indexOf(writer) * 4);
      else code.i32(-2);
      code.op("i32x4.splat").op("i32x4.gt_u").op("v128.or");
    }
  }
  code.op("v128.any_true").op("i32.eqz").tee(done).if();
  code.get(address).i32(memory.stride).op("i32.mul").set(from);
  emitGroupCopy(code, group, from);
  for (const at of vectors) {
    code
      .i32(0)
      .get(now)
      .mem("v128.store", group.lastRead + at);
    const count = group.reads + at;
    code.i32(0).i32(0).mem("v128.load", count).v128(ones).op("i32x4.add").mem("v128.store", count);
  }
  const mine = memory.readEpochs.get(actor.actor);
  const row = memory.rows.get(actor.actor);
  if (row)
    emitRowRead(code, row, address, () =>
      code.loadAt(plan.known[actor.actor]! + plan.observers.indexOf(actor.actor) * 4),
    );
  else if (mine !== undefined)
    for (const at of vectors) {
      code.get(epochs).loadAt(plan.known[actor.actor]! + plan.observers.indexOf(actor.actor) * 4);
      code.op("i32x4.splat").mem("v128.store", mine + at);
    }
  code.end().end();
  code.free("i32", epochs, from);
  code.free("v128", now);
}

/** Copy the words of all banks to the ports; `from` is a local with the byte of the first, counted from the first word. */
export function emitGroupCopy(code: Code, { ports, bytes }: PortGroup, from: number): void {
  const [{ memory, words }] = ports as [PortGroup["ports"][number]];
  copyBytes(code, bytes, words, { local: from, at: memory.words });
}

const ones = Array.from({ length: 16 }, (_, i) => (i % 4 === 0 ? 1 : 0));

function copyBytes(code: Code, bytes: number, to: number, from: { local: number; at: number }): void {
  let done = 0;
  for (const [size, load, put] of [
    [16, "v128.load", "v128.store"],
    [8, "i64.load", "i64.store"],
    [4, "i32.load", "i32.store"],
    [2, "i32.load16_u", "i32.store16"],
    [1, "i32.load8_u", "i32.store8"],
  ] as const)
    for (; bytes - done >= size; done += size)
      code
        .i32(0)
        .get(from.local)
        .mem(load, from.at + done)
        .mem(put, to + done);
}

/** `q` of all banks of a group, one after the other, perhaps only of the first `used` (then `fill` is the rest). */
export interface BankWords {
  readonly parts: readonly MemoryPort[];
  readonly used: Expr | undefined;
  readonly fill: Expr | undefined;
}

export function bankWords(expr: Expr): BankWords | undefined {
  if (expr.kind === "cast" && expr.operand.kind === "map") return bankWords(expr.operand);
  if (expr.kind !== "map") return undefined;
  const { lane, length, body } = expr;
  const word = body.kind === "select" ? body.then : body;
  if (word.kind !== "q" || !isLocal(word.port.index, lane) || word.port.parts.length !== length) return undefined;
  if (body.kind !== "select") return { parts: word.port.parts, used: undefined, fill: undefined };
  const used = lessThan(body.condition, lane);
  return used && { parts: word.port.parts, used, fill: body.else };
}

/** A value that is the words of all banks lies in memory as they do. */
export function liesAlike(group: PortGroup, leaves: readonly Leaf[]): boolean {
  const [leaf, ...others] = leaves;
  const [{ memory, wordStride }] = group.ports as [PortGroup["ports"][number]];
  const [word, ...more] = memory.layout.leaves;
  if (!leaf || others.length > 0 || wordStride > 0 || more.length > 0 || word?.size !== leaf.size) return false;
  return leaf.count * leaf.size === group.bytes && word.count * word.size === memory.layout.bytes;
}

/**
 * `to` = the words of all banks of a group, in one piece, where all were read before and all are used; `otherwise` emits
 * the ordinary way. Returns whether it did.
 */
export function emitBankWords(compiler: ExprCompiler, to: Place, expr: MapExpr, otherwise: () => void): boolean {
  const found = bankWords(expr);
  const group = found && compiler.around.portGroup(found.parts);
  const [leaf] = to;
  if (!found || !group || !leaf || !liesAlike(group, to)) return false;
  const { code } = compiler;
  for (let at = 0; at < group.ports.length; at += 4) {
    code.i32(0).mem("v128.load", group.reads + at * 4);
    code.op("i32x4.all_true");
    if (at > 0) code.op("i32.and");
  }
  if (found.used) {
    compiler.emit32(found.used);
    code.i32(group.ports.length).op("i32.ge_s").op("i32.and");
  }
  code.if();
  emitCopyLeaf(code, leaf, { ...leaf, offset: group.words, terms: [] });
  code.else();
  otherwise();
  code.end();
  return true;
}
