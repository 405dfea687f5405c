/**
 * Memory accesses of the fast engine, with the kernel's checks: address, word written, one access per port and clock,
 * and, where processes share the memory, the happens-before order of accesses (vector clocks with epochs per word,
 * as in sim/kernel/handover.ts). Since processes run ahead here, an unordered access would give wrong data: it must stop.
 */
import { TandemError } from "../../hw/errors.js";
import type { Actor } from "./channel-code.js";
import type { Code } from "./wasm.js";
import { emitCopy, placeAt, type Place } from "./place.js";
import type { MemoryPlan, PortPlan } from "./memory-plan.js";
import { rules } from "./rules.js";

type Message = (clock: number, value: number) => TandemError;

/** Stop the simulation with an error; `value` is an i32 local that the message shows. */
export function emitError(actor: Pick<Actor, "code" | "plan" | "time">, message: Message, value: number): void {
  const { code, plan } = actor;
  const number = plan.errors.push(message);
  code.storeAt(plan.error, () => code.i32(number));
  code.storeAt(plan.error + 8, () => code.get(actor.time));
  code.storeAt(plan.error + 12, () => code.get(value));
  code.op("unreachable");
}

function noWord({ port, memory }: PortPlan, verb: string): Message {
  const { depth } = memory.memory;
  return (_clock, address) =>
    new TandemError(
      address >= 0 && address < depth
        ? `${port.path}: word ${address} is read, but was never written`
        : `${port.path}: ${verb} of address ${address}, outside 0..${depth - 1}`,
    );
}

const twice =
  ({ port }: PortPlan, verb: string): Message =>
  (clock) =>
    new TandemError(`${port.path} ${verb} twice in clock ${clock}`, {
      hint: "A port does one access a clock: put a yield between them or add a port.",
    });

const twoAddresses =
  ({ port }: PortPlan): Message =>
  (clock) =>
    new TandemError(`${port.path} reads and writes two addresses in clock ${clock}`, {
      hint: "One port has one address a clock: use a read port and a write port.",
    });

const clash =
  (port: PortPlan, other: PortPlan): Message =>
  (clock, address) =>
    new TandemError(
      `${port.port.path} and ${other.port.path} meet at address ${address} in clock ${clock}, and one of them writes`,
      { hint: "Hand the word over: let a token on a channel order the two accesses." },
    );

function handover(actor: Actor, port: PortPlan, other: number, what: string): Message {
  const path = (id: number): string => actor.plan.ir.processes[id]!.node.path;
  return (_clock, address) =>
    new TandemError(
      `${port.port.path}: ${path(actor.actor)} uses word ${address}, which ${path(other)} has ${what} without handing it over`,
      {
        hint: `Let ${path(other)} push a token after its access, and ${path(actor.actor)} pop it before this one.`,
      },
    );
}

/** Ports of the same memory and process: those of other processes are held apart by the order of hand-over. */
const siblings = (port: PortPlan): PortPlan[] =>
  port.memory.ports.filter((other) => other !== port && other.actor === port.actor);

/** Stop if `cell` is this clock (and the address in `addressCell` is, or is not, `address`). */
function refuseSameClock(
  actor: Actor,
  cell: number,
  addressCell: number | undefined,
  same: boolean,
  address: number,
  message: Message,
): void {
  const { code } = actor;
  code.loadAt(cell).get(actor.time).op("i32.eq");
  if (addressCell !== undefined) {
    code.loadAt(addressCell).get(address);
    code.op(same ? "i32.eq" : "i32.ne").op("i32.and");
  }
  code.if();
  emitError(actor, message, address);
  code.end();
}

/** The known epoch of `other`, on the stack. */
function knownEpoch(actor: Actor, other: number): void {
  const { code, plan } = actor;
  code.loadAt(plan.known[actor.actor]! + plan.observers.indexOf(other) * 4);
}

/** Stop if the word was never written, or was written without having been handed over to this process. */
function checkWritten(actor: Actor, port: PortPlan, address: number, reading: boolean): void {
  const { code } = actor;
  const { writeEpochs, shared } = port.memory;
  const epoch = (array: number): void => {
    epochAt(actor, port.memory, address).mem("i32.load", array);
  };
  if (!shared) {
    const [array] = writeEpochs.values();
    if (!reading || array === undefined) return;
    epoch(array);
    code.i32(-1).op("i32.eq").if();
    emitError(actor, noWord(port, "read"), address);
    code.end();
    return;
  }
  const [only] = writeEpochs;
  if (reading && writeEpochs.size === 1 && only![0] !== actor.actor) {
    // Unwritten is all ones, above any count: one comparison tells both.
    const e = code.temp("i32");
    epoch(only![1]);
    code.tee(e);
    knownEpoch(actor, only![0]);
    code.op("i32.gt_u").if();
    code.get(e).i32(-1).op("i32.eq").if();
    emitError(actor, noWord(port, "read"), address);
    code.end();
    emitError(actor, handover(actor, port, only![0], "written"), address);
    code.end();
    code.free("i32", e);
    return;
  }
  if (reading) {
    [...writeEpochs.values()].forEach((array, i) => {
      epoch(array);
      if (i > 0) code.op("i32.and");
    });
    code.i32(-1).op("i32.eq").if();
    emitError(actor, noWord(port, "read"), address);
    code.end();
  }
  for (const [writer, array] of writeEpochs) {
    if (writer === actor.actor) continue;
    // Unwritten is all ones, and -1 + 1 = 0 is below any count.
    epoch(array);
    code.i32(1).op("i32.add");
    knownEpoch(actor, writer);
    code.i32(1).op("i32.add").op("i32.gt_u").if();
    emitError(actor, handover(actor, port, writer, "written"), address);
    code.end();
  }
}

/** The address of a word's epoch on the stack, less the array's. */
function epochAt({ code }: Actor, { epochStride }: MemoryPlan, address: number): Code {
  return code.get(address).i32(epochStride).op("i32.mul");
}

function setEpoch(actor: Actor, { memory }: PortPlan, array: number, address: number): void {
  const { code } = actor;
  epochAt(actor, memory, address);
  if (memory.shared) knownEpoch(actor, actor.actor);
  else code.i32(0);
  code.mem("i32.store", array);
}

function wordAt(actor: Actor, port: PortPlan, address: number): Place {
  const { code } = actor;
  const at = code.temp("i32");
  const place = emitWordAt(actor, port, address, at);
  code.free("i32", at);
  return place;
}

/** Where the word stands whose address is in a local; another local keeps what is worked out for it. */
export function emitWordAt({ code }: Pick<Actor, "code">, { memory }: PortPlan, address: number, at: number): Place {
  code.get(address).i32(memory.stride).op("i32.mul").set(at);
  return placeAt(memory.layout, memory.words, at);
}

const count = ({ code }: Actor, cell: number): void => {
  code.storeAt(cell, () => code.loadAt(cell).i32(1).op("i32.add"));
};

function bounds(actor: Actor, port: PortPlan, address: number, verb: string): void {
  const { code } = actor;
  code.get(address).i32(port.memory.memory.depth).op("i32.ge_u").if();
  emitError(actor, noWord(port, verb), address);
  code.end();
}

/**
 * Issue a read of the word whose address stands in the local. `stays`: what `q` gives is seen to by the caller, of a port that
 * only reads and keeps one word.
 */
export function emitRead(actor: Actor, port: PortPlan, address: number, stays = false): void {
  const { code, time } = actor;
  const { layout, readEpochs } = port.memory;
  bounds(actor, port, address, "read");
  checkWritten(actor, port, address, true);
  refuseSameClock(actor, port.lastRead, undefined, true, address, twice(port, "reads"));
  const { canWrite } = port.port;
  if (canWrite) refuseSameClock(actor, port.lastWrite, port.writeAddress, false, address, twoAddresses(port));
  for (const other of siblings(port))
    if (other.port.canWrite)
      refuseSameClock(actor, other.lastWrite, other.writeAddress, true, address, clash(port, other));
  const reads = code.local("i32");
  code.loadAt(port.reads).set(reads);
  if (!stays) {
    // The words of the last two reads stand side by side, in turn.
    const slot = code.local("i32");
    code.get(reads).i32(1).op("i32.and").i32(port.wordStride).op("i32.mul").set(slot);
    const next = placeAt(layout, port.words, slot);
    const word = wordAt(actor, port, address);
    if (canWrite) {
      code.loadAt(port.lastWrite).get(time).op("i32.eq").if();
      emitCopy(code, next, placeAt(layout, port.overwritten));
      code.else();
    }
    emitCopy(code, next, word);
    if (canWrite) code.end();
  }
  code.storeAt(port.lastRead, () => code.get(time));
  if (canWrite || siblings(port).some((other) => other.port.canWrite))
    code.storeAt(port.readAddress, () => code.get(address));
  const epochs = readEpochs.get(actor.actor);
  if (epochs !== undefined) setEpoch(actor, port, epochs, address);
  const row = port.memory.rows.get(actor.actor);
  if (row) code.storeAt(row.partly, () => code.i32(1));
  code.storeAt(port.reads, () => code.get(reads).i32(1).op("i32.add"));
}

/** A local with the address of the word that `q` gives in this clock (memory-plan.ts says where one word is enough). */
export function emitQ(actor: Actor, port: PortPlan): number {
  const { code, time } = actor;
  const at = code.local("i32");
  // Reads before this clock: the last of them counts.
  code.loadAt(port.reads);
  if (port.wordStride > 0) code.loadAt(port.lastRead).get(time).op("i32.ge_s").op("i32.sub");
  code.tee(at).i32(1).op("i32.lt_s").if();
  emitError(
    actor,
    () =>
      new TandemError(`${port.port.path}: q is used before any read`, {
        hint: "A read issued in one clock gives q in the next: put a yield between them.",
      }),
    at,
  );
  code.end();
  if (port.wordStride === 0) code.i32(port.words).set(at);
  else {
    code.get(at).i32(1).op("i32.sub").i32(1).op("i32.and").i32(port.wordStride).op("i32.mul");
    code.i32(port.words).op("i32.add").set(at);
  }
  return at;
}

/** Write the word whose address stands in the local; `put` evaluates the value into the word. */
export function emitWrite(actor: Actor, port: PortPlan, address: number, put: (word: Place) => void): void {
  const { code, time } = actor;
  const { layout, writeEpochs, readEpochs } = port.memory;
  bounds(actor, port, address, "write");
  refuseSameClock(actor, port.lastWrite, undefined, true, address, twice(port, "writes"));
  const { canRead } = port.port;
  if (canRead) refuseSameClock(actor, port.lastRead, port.readAddress, false, address, twoAddresses(port));
  for (const other of siblings(port)) {
    if (other.port.canRead)
      refuseSameClock(actor, other.lastRead, other.readAddress, true, address, clash(port, other));
    if (other.port.canWrite)
      refuseSameClock(actor, other.lastWrite, other.writeAddress, true, address, clash(port, other));
  }
  checkWritten(actor, port, address, false);
  for (const [reader, array] of readEpochs) {
    if (reader === actor.actor) continue;
    epochAt(actor, port.memory, address).mem("i32.load", array);
    knownEpoch(actor, reader);
    code.op("i32.gt_u");
    const row = port.memory.rows.get(reader);
    if (row && rules.round.rowDeaf === 0) {
      code.get(address).i32(2).op("i32.shl").mem("i32.load", row.epochs);
      knownEpoch(actor, reader);
      code.op("i32.gt_u").op("i32.or");
    }
    code.if();
    emitError(actor, handover(actor, port, reader, "read"), address);
    code.end();
  }
  const at = code.local("i32");
  code.get(address).i32(port.memory.stride).op("i32.mul").set(at);
  const word = placeAt(layout, port.memory.words, at);
  if (canRead) emitCopy(code, placeAt(layout, port.overwritten), word);
  put(word);
  code.storeAt(port.lastWrite, () => code.get(time));
  if (canRead || siblings(port).length > 0) code.storeAt(port.writeAddress, () => code.get(address));
  const epochs = writeEpochs.get(actor.actor);
  if (epochs !== undefined) setEpoch(actor, port, epochs, address);
  emitRewritten(code, port.memory, address, address);
  count(actor, port.writes);
}

/** Words from `low` to `high` (locals) have been written: they were not checked, nor do they stand extended as they are. */
export function emitRewritten(code: Code, { checked, extended }: MemoryPlan, low: number, high: number): void {
  if (rules.round.jointStale === 0) for (const row of checked.values()) emitCut(code, row, low, high);
  if (rules.round.extendedStale === 0 && extended !== undefined) emitCut(code, extended, low, high);
}

/** Of a row of words (its first, and the one behind its last), what lies on one side of those from `low` to `high` (locals) is left. */
function emitCut(code: Code, row: number, low: number, high: number): void {
  code.get(high).loadAt(row).op("i32.ge_s");
  code
    .get(low)
    .loadAt(row + 4)
    .op("i32.lt_s")
    .op("i32.and")
    .if();
  code.get(low).loadAt(row).op("i32.gt_s").if();
  code.storeAt(row + 4, () => code.get(low));
  code.else();
  code.storeAt(row, () => code.get(high).i32(1).op("i32.add"));
  code.get(high).i32(1).op("i32.add");
  code
    .loadAt(row + 4)
    .op("i32.gt_s")
    .if();
  code.storeAt(row + 4, () => code.loadAt(row));
  code.end().end().end();
}
