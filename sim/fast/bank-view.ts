/**
 * Words of banks that a leap (leap.ts) leaves where they are. A pass that reads all banks of a group once, at one address, and
 * pushes their words as one token, need copy them neither to the ports nor to the token: until the leap ends the token is the
 * place in the banks. What the ports and their counters would show is made up for then.
 */
import type { Expr } from "../../hw/ir/ir.js";
import { expressionsIn, expressionsWithin, statementsIn } from "../../hw/ir/walk.js";
import { emitGroupCopy, liesAlike, readsTogether } from "./bank-code.js";
import type { Actor } from "./channel-code.js";
import type { ExprCompiler } from "./expr.js";
import type { Layout } from "./layout.js";
import type { PortGroup } from "./memory-plan.js";
import { placeAt, type Place } from "./place.js";
import type { BankRead, Pass, PassStep } from "./rounds.js";

type Push = Extract<PassStep, { kind: "push" }>;

export class BankView {
  readonly read: BankRead;
  readonly push: Push;
  readonly #group: PortGroup;
  readonly #actor: Actor;
  readonly #layout: Layout;
  /** A local: the byte of the word in the banks. */
  readonly at: number;
  /** Locals: the same of the next read, the number of its word; the clock of the last read. */
  readonly #nextAt: number;
  readonly #next: number;
  readonly #time: number;

  /** `layout` is that of the token. */
  constructor(actor: Actor, group: PortGroup, read: BankRead, push: Push, layout: Layout) {
    this.read = read;
    this.push = push;
    this.#group = group;
    this.#actor = actor;
    this.#layout = layout;
    const local = (): number => actor.code.local("i32");
    [this.at, this.#nextAt, this.#next, this.#time] = [local(), local(), local(), local()];
  }

  get #memory(): PortGroup["ports"][number]["memory"] {
    return this.#group.ports[0]!.memory;
  }
  get #vectors(): readonly number[] {
    return Array.from({ length: Math.ceil(this.#group.ports.length / 4) }, (_, i) => i * 16);
  }

  /** Nonzero on the stack if the next read is an ordinary one: of all banks, of words that were written and handed over. */
  emitReady(exprs: ExprCompiler): void {
    const { code, plan, actor } = this.#actor;
    const { stride, epochStride, writeEpochs, shared, memory } = this.#memory;
    exprs.emit32(this.read.address);
    code.tee(this.#next).i32(stride).op("i32.mul").set(this.#nextAt);
    code.get(this.#next).i32(memory.depth).op("i32.lt_u");
    for (const used of [this.read.used, this.push.words!.used])
      if (used) {
        exprs.emit32(used);
        code.i32(this.#group.ports.length).op("i32.ge_s").op("i32.and");
      }
    const [written] = writeEpochs;
    if (!written) return;
    const [writer, array] = written;
    code.if("i32");
    const epochs = code.temp("i32");
    code.get(this.#next).i32(epochStride).op("i32.mul").set(epochs);
    for (const at of this.#vectors) {
      code.get(epochs).mem("v128.load", array + at);
      if (shared) code.loadAt(plan.known[actor]! + plan.observers.indexOf(writer) * 4);
      else code.i32(-2);
      code.op("i32x4.splat").op("i32x4.gt_u");
      if (at > 0) code.op("v128.or");
    }
    code.op("v128.any_true").op("i32.eqz");
    code.free("i32", epochs);
    code.else().i32(0).end();
  }

  /** The read: only its epoch and its clock are noted. */
  emitRead(): void {
    const { code, plan, actor, time } = this.#actor;
    code.get(this.#nextAt).set(this.at).get(time).set(this.#time);
    const { readEpochs, epochStride } = this.#memory;
    const mine = readEpochs.get(actor);
    if (mine === undefined) return;
    const [epochs, now] = [code.temp("i32"), code.temp("v128")];
    code.get(this.#next).i32(epochStride).op("i32.mul").set(epochs);
    code.loadAt(plan.known[actor]! + plan.observers.indexOf(actor) * 4).op("i32x4.splat");
    code.set(now);
    for (const at of this.#vectors)
      code
        .get(epochs)
        .get(now)
        .mem("v128.store", mine + at);
    code.free("i32", epochs);
    code.free("v128", now);
  }

  /** The token as it stands in the banks, at the byte in a local. */
  place(at: number): Place {
    return placeAt(this.#layout, this.#memory.words, at);
  }

  /** After a leap with so many reads (a local, at least 1), the last of them leaves its words at the ports. */
  emitSettle(passes: number): void {
    const { code } = this.#actor;
    const { reads, lastRead } = this.#group;
    emitGroupCopy(code, this.#group, this.at);
    for (const at of this.#vectors) {
      code
        .i32(0)
        .i32(0)
        .mem("v128.load", reads + at);
      code
        .get(passes)
        .op("i32x4.splat")
        .op("i32x4.add")
        .mem("v128.store", reads + at);
      code
        .i32(0)
        .get(this.#time)
        .op("i32x4.splat")
        .mem("v128.store", lastRead + at);
    }
  }
}

/** The views of a pass. */
export function bankViews(
  actor: Actor,
  pass: Pass,
  groups: readonly PortGroup[],
  layoutOf: (push: Push) => Layout,
): BankView[] {
  const within = [pass.loop, ...(pass.around?.stmts ?? [])];
  return groups.flatMap((group) => {
    const of = (parts: readonly unknown[]): boolean => group.ports.some(({ port }) => parts.includes(port));
    const all = (parts: readonly unknown[]): boolean =>
      parts.length === group.ports.length && group.ports.every(({ port }, i) => parts[i] === port);
    const reads = [...statementsIn(within)].filter((stmt) => stmt.kind === "read" && of(stmt.port.parts));
    const uses = [...expressionsWithin(within)].filter((expr) => expr.kind === "q" && of(expr.port.parts));
    const read = pass.bankReads.find(({ loop }) => all(loop.read.port.parts) && loop.trips === group.ports.length);
    const from = pass.steps.findIndex((step) => step.kind === "plain" && step.stmt === read?.stmt);
    const push = pass.steps.find(
      (step, i): step is Push =>
        i > from &&
        step.kind === "push" &&
        step.words !== undefined &&
        all(step.words.parts) &&
        isOnly(uses, step.value),
    );
    if (!read || !push || from < 0 || reads.length !== 1 || uses.length !== 1 || !readsTogether(actor, group))
      return [];
    const layout = layoutOf(push);
    return liesAlike(group, layout.leaves) ? [new BankView(actor, group, read, push, layout)] : [];
  });
}

const isOnly = (uses: readonly Expr[], value: Expr): boolean => {
  const within = [...expressionsIn(value)];
  return uses.every((use) => within.includes(use));
};
