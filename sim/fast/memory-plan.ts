/**
 * Where memories and the state of their ports lie. Memories that the text picks by number (the banks of a buffer) and that
 * are alike lie *interleaved*: word a of all banks, then word a + 1, so that all banks are read in one piece; so do the
 * states of their ports, number by number.
 */
import type { ProcessIr, Stmt } from "../../hw/ir/ir.js";
import type { Memory, MemoryPort } from "../../hw/memory.js";
import { layoutOf, writeValue, type Heap, type Layout } from "./layout.js";
import { expressionsOf, expressionsWithin, someExpr, statementsIn } from "../../hw/ir/walk.js";

/** Like ports of like memories, in the order in which the text names them. */
export interface PortGroup {
  readonly ports: readonly PortPlan[];
  /** The first port's numbers; the others' stand behind, 4 bytes each, filled up to a multiple of 16. */
  readonly lastRead: number;
  readonly reads: number;
  /** The first port's word; the others' stand behind. */
  readonly words: number;
  readonly bytes: number;
}

export interface PortPlan {
  readonly port: MemoryPort;
  readonly memory: MemoryPlan;
  readonly actor: number;
  readonly lastRead: number;
  readonly readAddress: number;
  readonly lastWrite: number;
  readonly writeAddress: number;
  readonly reads: number;
  readonly writes: number;
  /** The words of the last two reads, `wordStride` bytes apart: read i stands at i mod 2. */
  readonly words: number;
  /** 0: one word is enough, since `q` is never used in the clock of a read after it. */
  readonly wordStride: number;
  /** What the last write replaced. */
  readonly overwritten: number;
}

export interface MemoryPlan {
  readonly memory: Memory;
  readonly layout: Layout;
  /** Word 0, and the bytes from one word to the next. */
  readonly words: number;
  readonly stride: number;
  readonly ports: PortPlan[];
  /** Used by more than one process: then accesses are checked for their order. */
  readonly shared: boolean;
  /** By actor that writes: the epoch of the last write of word 0, the next `epochStride` bytes on; all ones while unwritten. */
  readonly writeEpochs: ReadonlyMap<number, number>;
  /** By actor that reads while another writes: the epoch of its last read. */
  readonly readEpochs: ReadonlyMap<number, number>;
  readonly epochStride: number;
  /**
   * Of banks that lie interleaved, by such a reader: the epochs of reads of all banks at once, one for each word, of all banks; the later of
   * the two counts. A number is 0 as long as no bank's word was ever read without the others, so that there are no other epochs.
   */
  readonly rows: ReadonlyMap<number, { readonly epochs: number; readonly partly: number }>;
  /**
   * By actor that reads what one other writes: the first of a row of words that it may read, and the one behind them (two numbers). It
   * knows that all banks' words there were handed over to it, and none was written since.
   */
  readonly checked: ReadonlyMap<number, number>;
  /**
   * Of banks that some process reads and another writes: the same of the row of words that stand extended (extended-words.ts) as they are
   * in the banks.
   */
  readonly extended: number | undefined;
}

export interface MemoryPlans {
  readonly memories: readonly MemoryPlan[];
  readonly ports: ReadonlyMap<MemoryPort, PortPlan>;
  readonly groups: readonly PortGroup[];
  /** Where words stand that are not there after reset: nobody reads a word that was not written, so what is there does not matter. In the order of their addresses. */
  readonly any: readonly (readonly [start: number, end: number])[];
}

type Initially = (write: (view: DataView) => void) => void;

/** Bytes of a number for each of `n` ports: whole vectors of four, where it is more than one. */
const numbers = (n: number): number => (n === 1 ? 4 : Math.ceil(n / 4) * 16);

export function planMemories(
  memories: readonly Memory[],
  processes: readonly ProcessIr[],
  users: ReadonlyMap<MemoryPort, number>,
  heap: Heap,
  initially: Initially,
): MemoryPlans {
  const plans = new Map<Memory, MemoryPlan>();
  const ports = new Map<MemoryPort, PortPlan>();
  const groups: PortGroup[] = [];
  const any: [number, number][] = [];
  const twoWords = new Set(processes.flatMap((process) => [...portsUsedAtOnce(process)]));
  const { banks, rows } = alike(processes, users);
  for (const list of [...banks, ...memories.filter((memory) => !banks.flat().includes(memory)).map((one) => [one])])
    planBanks(list, users, heap, initially, any).forEach((plan) => plans.set(plan.memory, plan));
  const all = memories.flatMap((memory) => memory.ports);
  for (const list of [...rows, ...all.filter((port) => !rows.flat().includes(port)).map((one) => [one])]) {
    const group = planPorts(list, plans, users, twoWords, heap, initially);
    for (const plan of group.ports) {
      ports.set(plan.port, plan);
      plan.memory.ports.push(plan);
    }
    if (list.length > 1) groups.push(group);
  }
  return { memories: memories.map((memory) => plans.get(memory)!), ports, groups, any };
}

/** Memories to interleave, and ports whose state does. */
function alike(
  processes: readonly ProcessIr[],
  users: ReadonlyMap<MemoryPort, number>,
): { banks: Memory[][]; rows: MemoryPort[][] } {
  const banks: Memory[][] = [];
  const rows: MemoryPort[][] = [];
  const same = <T>(a: readonly T[], b: readonly T[]): boolean => a.length === b.length && a.every((x, i) => x === b[i]);
  const role = (memory: Memory): string =>
    memory.ports.map((port) => [users.get(port) ?? -1, port.canRead, port.canWrite].join(":")).join();
  const look = (parts: readonly MemoryPort[]): void => {
    if (parts.length < 2 || rows.some((row) => same(row, parts))) return;
    const memories = parts.map(({ memory }) => memory);
    const [first] = memories;
    if (new Set(memories).size < memories.length || rows.flat().some((port) => parts.includes(port))) return;
    const equal = memories.every(
      (memory) => memory.depth === first!.depth && memory.type === first!.type && role(memory) === role(first!),
    );
    if (!equal) return;
    if (!banks.some((list) => same(list, memories))) {
      if (banks.flat().some((memory) => memories.includes(memory))) return;
      banks.push(memories);
    }
    rows.push([...parts]);
  };
  for (const { body } of processes) {
    for (const stmt of statementsIn(body)) if (stmt.kind === "read" || stmt.kind === "write") look(stmt.port.parts);
    for (const expr of expressionsWithin(body)) if (expr.kind === "q") look(expr.port.parts);
  }
  return { banks, rows };
}

function planBanks(
  banks: readonly Memory[],
  portUsers: ReadonlyMap<MemoryPort, number>,
  heap: Heap,
  initially: Initially,
  any: [start: number, end: number][],
): MemoryPlan[] {
  const [first] = banks;
  const { depth, ports, type } = first!;
  const layout = layoutOf(type);
  const stride = banks.length * layout.bytes;
  const words = heap.take(depth * stride);
  const epochStride = numbers(banks.length);
  if (banks.every(({ init }) => (init ?? []).length === 0)) any.push([words, words + depth * stride]);
  const actorOf = (port: MemoryPort): number => portUsers.get(port) ?? -1;
  const users = new Set(ports.map(actorOf).filter((user) => user >= 0));
  const shared = users.size > 1;
  const epochs = (actors: Iterable<number>): Map<number, number> =>
    new Map([...actors].map((actor) => [actor, heap.take(depth * epochStride)]));
  const writers = new Set(ports.filter(({ canWrite }) => canWrite).map(actorOf));
  writers.delete(-1);
  const readers = new Set(ports.filter(({ canRead }) => canRead).map(actorOf));
  readers.delete(-1);
  // A memory of one process, too, must know which words were written.
  const written = epochs(writers.size > 0 ? writers : [...users].slice(0, 1));
  const read = shared ? epochs([...readers].filter((reader) => [...writers].some((w) => w !== reader))) : new Map();
  const rows = new Map(
    [...(banks.length > 1 ? read.keys() : [])].map((reader) => [
      reader,
      { epochs: heap.take(depth * 4), partly: heap.take(4) },
    ]),
  );
  const checked = new Map([...read.keys()].map((reader) => [reader, heap.take(8)]));
  const extended = banks.length > 1 && checked.size > 0 ? heap.take(8) : undefined;
  const shift = (of: ReadonlyMap<number, number>, bytes: number): Map<number, number> =>
    new Map([...of].map(([actor, at]) => [actor, at + bytes]));
  return banks.map((memory, bank) => {
    const plan: MemoryPlan = {
      memory,
      layout,
      words: words + bank * layout.bytes,
      stride,
      ports: [],
      shared,
      writeEpochs: shift(written, bank * 4),
      readEpochs: shift(read, bank * 4),
      epochStride,
      rows,
      checked,
      extended,
    };
    initially((view) => {
      const init = memory.init ?? [];
      init.forEach((word, i) => writeValue(view, plan.words + i * stride, layout, word));
      for (const at of plan.writeEpochs.values())
        for (let i = init.length; i < depth; i++) view.setInt32(at + i * epochStride, -1, true);
    });
    return plan;
  });
}

function planPorts(
  row: readonly MemoryPort[],
  memories: ReadonlyMap<Memory, MemoryPlan>,
  users: ReadonlyMap<MemoryPort, number>,
  twoWords: ReadonlySet<MemoryPort>,
  heap: Heap,
  initially: Initially,
): PortGroup {
  const each = (): number => heap.take(numbers(row.length));
  const [lastRead, readAddress, lastWrite, writeAddress, reads, writes] = [
    each(),
    each(),
    each(),
    each(),
    each(),
    each(),
  ];
  const { layout } = memories.get(row[0]!.memory)!;
  const bytes = row.length * layout.bytes;
  const wordStride = row.some((port) => twoWords.has(port)) ? Math.ceil(bytes / 16) * 16 : 0;
  const words = heap.take(wordStride + Math.ceil(bytes / 16) * 16);
  const overwritten = heap.take(bytes);
  const ports = row.map((port, i): PortPlan => {
    const own = (at: number): number => at + i * 4;
    initially((view) => {
      for (const cell of [lastRead, readAddress, lastWrite, writeAddress]) view.setInt32(own(cell), -1, true);
    });
    return {
      port,
      memory: memories.get(port.memory)!,
      actor: users.get(port) ?? -1,
      lastRead: own(lastRead),
      readAddress: own(readAddress),
      lastWrite: own(lastWrite),
      writeAddress: own(writeAddress),
      reads: own(reads),
      writes: own(writes),
      words: words + i * layout.bytes,
      wordStride,
      overwritten: overwritten + i * layout.bytes,
    };
  });
  return { ports, lastRead, reads, words, bytes };
}

/** Ports of which `q` may be used in the clock of a read that comes before it in the text: they keep two words. */
export function portsUsedAtOnce({ body }: ProcessIr): Set<MemoryPort> {
  type State = ReadonlySet<MemoryPort>;
  const found = new Set<MemoryPort>();
  const leaving = new Map<string, Set<MemoryPort>>();
  const join = (a: State, b: State | undefined): State => (b ? new Set([...a, ...b]) : a);
  const leave = (label: string, state: State): void => {
    leaving.set(label, new Set([...(leaving.get(label) ?? []), ...state]));
  };
  const uses = (stmt: Stmt, state: State): void => {
    for (const expr of expressionsOf(stmt))
      someExpr(expr, (e) => {
        if (e.kind === "q") for (const port of e.port.parts) if (state.has(port)) found.add(port);
        return false;
      });
  };
  const list = (stmts: readonly Stmt[], before: State): State => stmts.reduce(one, before);
  function one(before: State, stmt: Stmt): State {
    if (stmt.kind !== "loop") uses(stmt, before);
    switch (stmt.kind) {
      case "read":
        return join(before, new Set(stmt.port.parts));
      case "edge":
        return new Set();
      case "clocks":
        return stmt.count.kind === "const" && Number(stmt.count.value) > 0 ? new Set() : before;
      case "if":
        return join(list(stmt.then, before), list(stmt.else, before));
      case "block":
        return join(list(stmt.body, before), leaving.get(`break ${stmt.label}`));
      case "break":
      case "continue":
        leave(`${stmt.kind} ${stmt.label}`, before);
        return new Set();
      case "end":
        return new Set();
      case "loop": {
        let start = before;
        for (let size = -1; size !== start.size;) {
          size = start.size;
          uses(stmt, start);
          const after = join(list(stmt.body, start), leaving.get(`continue ${stmt.label}`));
          start = join(start, list(stmt.update, after));
        }
        uses(stmt, start);
        return join(start, leaving.get(`break ${stmt.label}`));
      }
      default:
        return before;
    }
  }
  list(body, new Set());
  return found;
}
