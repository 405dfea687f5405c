/**
 * A WebAssembly assembler: function bodies with named instructions and symbolic labels, and the sections of a module
 * around them (WebAssembly core specification 2.0 with SIMD). Only what the fast engine emits.
 */
import { memoryOps, opcodes, type MemoryOp, type Op } from "./opcodes.js";

export type { MemoryOp, Op };

export type ValType = "i32" | "i64" | "f64" | "v128";
const valTypes = { i32: 0x7f, i64: 0x7e, f64: 0x7c, v128: 0x7b } as const;

const unsigned = (out: number[], value: number): void => {
  let v = value;
  do {
    const low = v % 128;
    v = Math.floor(v / 128);
    out.push(v > 0 ? low | 0x80 : low);
  } while (v > 0);
};
const signed = (out: number[], value: bigint): void => {
  let v = value;
  for (;;) {
    const low = Number(v & 0x7fn);
    v >>= 7n;
    if ((v === 0n && (low & 0x40) === 0) || (v === -1n && (low & 0x40) !== 0)) {
      out.push(low);
      return;
    }
    out.push(low | 0x80);
  }
};

/** A branch target: the depth of its block. */
export interface Label {
  readonly depth: number;
}

/** So many numbers of locals. */
type Locals<Count extends number, Some extends number[] = []> = Some["length"] extends Count
  ? Some
  : Locals<Count, [...Some, number]>;

/** The body of one function. */
export class Code {
  readonly parameters: readonly ValType[];
  readonly results: readonly ValType[];
  readonly #bytes: number[] = [];
  readonly #locals: ValType[] = [];
  readonly #free: Record<ValType, number[]> = { i32: [], i64: [], f64: [], v128: [] };
  #depth = 0;

  constructor(parameters: readonly ValType[] = [], results: readonly ValType[] = []) {
    this.parameters = parameters;
    this.results = results;
  }

  local(type: ValType): number {
    return this.parameters.length + this.#locals.push(type) - 1;
  }
  locals<Count extends number>(type: ValType, count: Count): Locals<Count> {
    return Array.from({ length: count }, () => this.local(type)) as Locals<Count>;
  }
  /** A local for a short while; give it back with `free`. */
  temp(type: ValType): number {
    return this.#free[type].pop() ?? this.local(type);
  }
  free(type: ValType, ...indices: number[]): void {
    this.#free[type].push(...indices);
  }

  op(name: Op): this {
    return this.#opcode(opcodes[name]);
  }
  #opcode(code: number): this {
    if (code > 0xff) {
      this.#bytes.push(code >> 8);
      unsigned(this.#bytes, code & 0xff);
    } else this.#bytes.push(code);
    return this;
  }
  /** Load or store; the address (and the value) stand on the stack. */
  /** A load may lie below its address, as a lane does that is not taken; an instruction's own offset cannot be negative. */
  mem(name: MemoryOp, offset = 0): this {
    if (offset < 0 && name.includes("load")) return this.i32(offset).op("i32.add").mem(name);
    this.#opcode(memoryOps[name]);
    this.#bytes.push(0);
    unsigned(this.#bytes, offset);
    return this;
  }
  /** Load from a fixed address. */
  loadAt(address: number, name: MemoryOp = "i32.load"): this {
    return this.i32(0).mem(name, address);
  }
  /** Store to a fixed address what `value` leaves on the stack. */
  storeAt(address: number, value: () => void, name: MemoryOp = "i32.store"): this {
    this.i32(0);
    value();
    return this.mem(name, address);
  }
  i32(value: number): this {
    this.#bytes.push(0x41);
    signed(this.#bytes, BigInt(value | 0));
    return this;
  }
  i64(value: number | bigint): this {
    this.#bytes.push(0x42);
    signed(this.#bytes, BigInt.asIntN(64, BigInt(value)));
    return this;
  }
  f64(value: number): this {
    this.#bytes.push(0x44, ...new Uint8Array(new Float64Array([value]).buffer));
    return this;
  }
  v128(bytes: readonly number[]): this {
    this.#opcode(0xfd0c);
    this.#bytes.push(...bytes);
    return this;
  }
  shuffle(lanes: readonly number[]): this {
    this.#opcode(0xfd0d);
    this.#bytes.push(...lanes);
    return this;
  }
  /** `v128.store8_lane` to `store64_lane`, by size in bytes. */
  storeLane(bytes: 1 | 2 | 4 | 8, offset: number, lane: number): this {
    this.#opcode({ 1: 0xfd58, 2: 0xfd59, 4: 0xfd5a, 8: 0xfd5b }[bytes]);
    this.#bytes.push(0);
    unsigned(this.#bytes, offset);
    this.#bytes.push(lane);
    return this;
  }
  /** `v128.load8_lane` and so on; address and vector stand on the stack. */
  loadLane(bytes: 1 | 2 | 4 | 8, offset: number, lane: number): this {
    this.#opcode({ 1: 0xfd54, 2: 0xfd55, 4: 0xfd56, 8: 0xfd57 }[bytes]);
    this.#bytes.push(0);
    unsigned(this.#bytes, offset);
    this.#bytes.push(lane);
    return this;
  }
  extractI32(lane: number): this {
    this.#opcode(0xfd1b);
    this.#bytes.push(lane);
    return this;
  }
  /** Vector and number stand on the stack. */
  replaceI32(lane: number): this {
    this.#opcode(0xfd1c);
    this.#bytes.push(lane);
    return this;
  }
  get(local: number): this {
    return this.#indexed(0x20, local);
  }
  set(local: number): this {
    return this.#indexed(0x21, local);
  }
  tee(local: number): this {
    return this.#indexed(0x22, local);
  }
  globalGet(global: number): this {
    return this.#indexed(0x23, global);
  }
  globalSet(global: number): this {
    return this.#indexed(0x24, global);
  }
  call(fn: number): this {
    return this.#indexed(0x10, fn);
  }
  /** Through table 0; the index stands on the stack. */
  callIndirect(type: number): this {
    this.#indexed(0x11, type);
    this.#bytes.push(0);
    return this;
  }
  /** Address, byte and count stand on the stack. */
  memoryFill(): this {
    this.#opcode(0xfc0b);
    this.#bytes.push(0);
    return this;
  }
  memoryCopy(): this {
    this.#opcode(0xfc0a);
    this.#bytes.push(0, 0);
    return this;
  }
  #indexed(code: number, index: number): this {
    this.#bytes.push(code);
    unsigned(this.#bytes, index);
    return this;
  }

  block(): Label {
    return this.#open(0x02, 0x40);
  }
  loop(): Label {
    return this.#open(0x03, 0x40);
  }
  if(result?: ValType): Label {
    return this.#open(0x04, result ? valTypes[result] : 0x40);
  }
  else(): this {
    this.#bytes.push(0x05);
    return this;
  }
  end(): this {
    this.#depth--;
    this.#bytes.push(0x0b);
    return this;
  }
  #open(code: number, type: number): Label {
    this.#bytes.push(code, type);
    return { depth: ++this.#depth };
  }
  br(label: Label): this {
    return this.#indexed(0x0c, this.#depth - label.depth);
  }
  brIf(label: Label): this {
    return this.#indexed(0x0d, this.#depth - label.depth);
  }
  brTable(labels: readonly Label[], otherwise: Label): this {
    this.#bytes.push(0x0e);
    unsigned(this.#bytes, labels.length);
    for (const label of labels) unsigned(this.#bytes, this.#depth - label.depth);
    unsigned(this.#bytes, this.#depth - otherwise.depth);
    return this;
  }

  /** A position to come back to with `insertAt`. */
  mark(): number {
    return this.#bytes.length;
  }
  /** Drop what was emitted since a mark. */
  cut(mark: number): void {
    this.#bytes.length = mark;
  }
  /** Emit at a mark, outside any block that was opened since. */
  insertAt(mark: number, emit: () => void): void {
    const rest = this.#bytes.splice(mark);
    emit();
    for (const byte of rest) this.#bytes.push(byte);
  }

  /** The function as it stands in the code section. */
  encode(): number[] {
    const head: number[] = [];
    const runs: { type: ValType; count: number }[] = [];
    for (const type of this.#locals) {
      const last = runs.at(-1);
      if (last?.type === type) last.count++;
      else runs.push({ type, count: 1 });
    }
    unsigned(head, runs.length);
    for (const { type, count } of runs) {
      unsigned(head, count);
      head.push(valTypes[type]);
    }
    const out: number[] = [];
    unsigned(out, head.length + this.#bytes.length + 1);
    // No spread here: a body may be longer than the engine's limit on arguments.
    return out.concat(head, this.#bytes, [0x0b]);
  }
}

/** A module with one memory, one table of functions without parameters, and mutable i32 globals. */
export class WasmModule {
  readonly #types: string[] = [];
  readonly #typeBytes: number[][] = [];
  readonly #functions: { type: number; code: Code | undefined; readonly name: string }[] = [];
  readonly #exports: { name: string; kind: number; index: number }[] = [];
  #globals = 0;
  #table: readonly number[] = [];

  type(parameters: readonly ValType[], results: readonly ValType[]): number {
    const key = `${parameters.join()}>${results.join()}`;
    const known = this.#types.indexOf(key);
    if (known >= 0) return known;
    const bytes = [0x60, parameters.length, ...parameters.map((p) => valTypes[p])];
    bytes.push(results.length, ...results.map((r) => valTypes[r]));
    this.#typeBytes.push(bytes);
    return this.#types.push(key) - 1;
  }
  /** Reserve a function's number, to call it before it is written. */
  declare(name: string): number {
    return this.#functions.push({ type: -1, code: undefined, name }) - 1;
  }
  define(index: number, code: Code): void {
    const declared = this.#functions[index]!;
    declared.type = this.type(code.parameters, code.results);
    declared.code = code;
  }
  add(name: string, code: Code): number {
    const index = this.declare(name);
    this.define(index, code);
    return index;
  }
  global(): number {
    return this.#globals++;
  }
  exportFunction(name: string, index: number): void {
    this.#exports.push({ name, kind: 0, index });
  }
  exportGlobal(name: string, index: number): void {
    this.#exports.push({ name, kind: 3, index });
  }
  table(functions: readonly number[]): void {
    this.#table = functions;
  }

  /** The module's bytes; its memory of `pages` times 64 KiB is imported as `env.memory`. */
  encode(pages: number): Uint8Array<ArrayBuffer> {
    const sections: number[][] = [];
    const section = (id: number, items: readonly (readonly number[])[]): void => {
      if (items.length === 0) return;
      const count: number[] = [];
      unsigned(count, items.length);
      const body = count.concat(...items);
      const head = [id];
      unsigned(head, body.length);
      sections.push(head.concat(body));
    };
    const bytes = (name: string): number[] => Array.from(name, (c) => c.charCodeAt(0) & 0xff);
    const text = (name: string): number[] => [name.length, ...bytes(name)];
    const long = (name: string): number[] => [...number(name.length), ...bytes(name)];
    const number = (value: number): number[] => {
      const out: number[] = [];
      unsigned(out, value);
      return out;
    };
    section(1, this.#typeBytes);
    section(2, [[...text("env"), ...text("memory"), 2, 0, ...number(pages)]]);
    section(
      3,
      this.#functions.map(({ type }) => number(type)),
    );
    if (this.#table.length > 0) section(4, [[0x70, 0, ...number(this.#table.length)]]);
    section(
      6,
      Array.from({ length: this.#globals }, () => [valTypes.i32, 1, 0x41, 0, 0x0b]),
    );
    section(
      7,
      this.#exports.map(({ name, kind, index }) => [...text(name), kind, ...number(index)]),
    );
    if (this.#table.length > 0)
      section(9, [[0, 0x41, 0, 0x0b, ...number(this.#table.length), ...this.#table.flatMap(number)]]);
    section(
      10,
      this.#functions.map(({ code }) => code!.encode()),
    );
    // Names of functions (custom section "name"), which profilers show.
    const names = this.#functions.map(({ name }, i) => [...number(i), ...long(name)]);
    const map = number(names.length).concat(...names);
    const custom = [...text("name"), 1, ...number(map.length)].concat(map);
    sections.push([0, ...number(custom.length)].concat(custom));
    const total = sections.reduce((sum, { length }) => sum + length, 8);
    const out = new Uint8Array(total);
    out.set([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    let at = 8;
    for (const bytes of sections) {
      out.set(bytes, at);
      at += bytes.length;
    }
    return out;
  }
}
