/**
 * A WebAssembly assembler: function bodies with named instructions and symbolic labels, and the sections of a module
 * around them (WebAssembly core specification 2.0 with SIMD). Only what the fast engine emits.
 */

/** Opcodes; two-byte ones as prefix * 256 + number (0xfc: bulk memory, 0xfd: SIMD). */
const opcodes = {
  unreachable: 0x00,
  return: 0x0f,
  drop: 0x1a,
  select: 0x1b,
  "i32.eqz": 0x45,
  "i32.eq": 0x46,
  "i32.ne": 0x47,
  "i32.lt_s": 0x48,
  "i32.lt_u": 0x49,
  "i32.gt_s": 0x4a,
  "i32.gt_u": 0x4b,
  "i32.le_s": 0x4c,
  "i32.le_u": 0x4d,
  "i32.ge_s": 0x4e,
  "i32.ge_u": 0x4f,
  "i64.eqz": 0x50,
  "i64.eq": 0x51,
  "i64.ne": 0x52,
  "i64.lt_s": 0x53,
  "i64.gt_s": 0x55,
  "i64.le_s": 0x57,
  "i64.ge_s": 0x59,
  "i32.add": 0x6a,
  "i32.sub": 0x6b,
  "i32.mul": 0x6c,
  "i32.div_u": 0x6e,
  "i32.rem_s": 0x6f,
  "i32.rem_u": 0x70,
  "i32.and": 0x71,
  "i32.or": 0x72,
  "i32.xor": 0x73,
  "i32.shl": 0x74,
  "i32.shr_s": 0x75,
  "i32.shr_u": 0x76,
  "i64.add": 0x7c,
  "i64.sub": 0x7d,
  "i64.mul": 0x7e,
  "i64.rem_s": 0x81,
  "i64.and": 0x83,
  "i64.or": 0x84,
  "i64.shl": 0x86,
  "i64.shr_s": 0x87,
  "i64.shr_u": 0x88,
  "f64.lt": 0x63,
  "f64.gt": 0x64,
  "f64.le": 0x65,
  "f64.ge": 0x66,
  "f64.ceil": 0x9b,
  "f64.add": 0xa0,
  "f64.sub": 0xa1,
  "f64.mul": 0xa2,
  "f64.max": 0xa5,
  "i32.wrap_i64": 0xa7,
  "i64.extend_i32_s": 0xac,
  "i64.extend_i32_u": 0xad,
  "f64.convert_i32_s": 0xb7,
  "i32.extend8_s": 0xc0,
  "i32.extend16_s": 0xc1,
  "i32.trunc_sat_f64_s": 0xfc02,
  "i8x16.splat": 0xfd0f,
  "i16x8.splat": 0xfd10,
  "i32x4.splat": 0xfd11,
  "i64x2.splat": 0xfd12,
  "i8x16.eq": 0xfd23,
  "i32x4.eq": 0xfd37,
  "i32x4.ne": 0xfd38,
  "i32x4.lt_s": 0xfd39,
  "i32x4.lt_u": 0xfd3a,
  "i32x4.gt_s": 0xfd3b,
  "i32x4.gt_u": 0xfd3c,
  "i32x4.le_s": 0xfd3d,
  "i32x4.le_u": 0xfd3e,
  "i32x4.ge_s": 0xfd3f,
  "i32x4.ge_u": 0xfd40,
  "v128.not": 0xfd4d,
  "v128.and": 0xfd4e,
  "v128.or": 0xfd50,
  "v128.xor": 0xfd51,
  "v128.bitselect": 0xfd52,
  "v128.any_true": 0xfd53,
  "i8x16.all_true": 0xfd63,
  "i8x16.min_s": 0xfd76,
  "i8x16.min_u": 0xfd77,
  "i8x16.max_s": 0xfd78,
  "i8x16.max_u": 0xfd79,
  "i8x16.narrow_i16x8_s": 0xfd65,
  "i8x16.narrow_i16x8_u": 0xfd66,
  "i16x8.narrow_i32x4_s": 0xfd85,
  "i16x8.narrow_i32x4_u": 0xfd86,
  "i16x8.extend_low_i8x16_s": 0xfd87,
  "i16x8.extend_high_i8x16_s": 0xfd88,
  "i16x8.extend_low_i8x16_u": 0xfd89,
  "i16x8.extend_high_i8x16_u": 0xfd8a,
  "i32x4.abs": 0xfda0,
  "i32x4.neg": 0xfda1,
  "i32x4.all_true": 0xfda3,
  "i32x4.extend_low_i16x8_s": 0xfda7,
  "i32x4.extend_high_i16x8_s": 0xfda8,
  "i32x4.extend_low_i16x8_u": 0xfda9,
  "i32x4.extend_high_i16x8_u": 0xfdaa,
  "i32x4.shl": 0xfdab,
  "i32x4.shr_s": 0xfdac,
  "i32x4.shr_u": 0xfdad,
  "i32x4.add": 0xfdae,
  "i32x4.sub": 0xfdb1,
  "i32x4.mul": 0xfdb5,
  "i32x4.min_s": 0xfdb6,
  "i32x4.max_s": 0xfdb8,
  "i32x4.max_u": 0xfdb9,
  "i32x4.dot_i16x8_s": 0xfdba,
  "i64x2.extend_low_i32x4_s": 0xfdc7,
  "i64x2.extend_high_i32x4_s": 0xfdc8,
  "i64x2.extend_low_i32x4_u": 0xfdc9,
  "i64x2.extend_high_i32x4_u": 0xfdca,
  "i64x2.shl": 0xfdcb,
  "i64x2.shr_s": 0xfdcc,
  "i64x2.sub": 0xfdd1,
  "i64x2.mul": 0xfdd5,
  "i64x2.add": 0xfdce,
  "i16x8.add": 0xfd8e,
  "i16x8.sub": 0xfd91,
  "i32x4.extmul_low_i16x8_s": 0xfdbc,
  "i32x4.extmul_high_i16x8_s": 0xfdbd,
  "i64x2.extmul_low_i32x4_s": 0xfddc,
  "i64x2.extmul_high_i32x4_s": 0xfddd,
  "i32x4.trunc_sat_f32x4_u": 0xfdf9,
} as const;
export type Op = keyof typeof opcodes;

const memoryOps = {
  "i32.load": 0x28,
  "i64.load": 0x29,
  "f64.load": 0x2b,
  "i32.load8_s": 0x2c,
  "i32.load8_u": 0x2d,
  "i32.load16_s": 0x2e,
  "i32.load16_u": 0x2f,
  "i64.load32_s": 0x34,
  "i64.load32_u": 0x35,
  "i32.store": 0x36,
  "i64.store": 0x37,
  "f64.store": 0x39,
  "i32.store8": 0x3a,
  "i32.store16": 0x3b,
  "v128.load": 0xfd00,
  "v128.load8x8_s": 0xfd01,
  "v128.load8x8_u": 0xfd02,
  "v128.load16x4_s": 0xfd03,
  "v128.load16x4_u": 0xfd04,
  "v128.load32_splat": 0xfd09,
  "v128.store": 0xfd0b,
  "v128.load32_zero": 0xfd5c,
  "v128.load64_zero": 0xfd5d,
} as const;
export type MemoryOp = keyof typeof memoryOps;

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
