/**
 * Checked access to a flatbuffer. The `flatbuffers` runtime reads scalars but follows any offset it is given; here every
 * table, vtable, offset, vector and string is held against the end of the file before it is read, and the total of what is
 * read is bounded, so that no file can make the reader crash, loop or take memory out of proportion to its size.
 */
import { ByteBuffer } from "flatbuffers";
import { TandemError } from "../../hw/errors.js";
import { SCALAR_BYTES, type OffsetField, type ScalarField, type ScalarsField, type ScalarType } from "./schema.js";

/** Longest name that is read; longer ones are cut. */
const MAX_STRING = 1024;

type OffsetOf<K extends OffsetField["kind"]> = OffsetField & { readonly kind: K };

export class Flatbuffer {
  readonly file: string;
  private readonly bytes: ByteBuffer;
  private readonly size: number;
  /** Elements that may still be read. Vectors may be shared, so a file can describe far more than it holds. */
  private budget: number;

  /** @throws TandemError if the file is too short or its identifier is another. */
  constructor(data: Uint8Array, file: string, identifier: string) {
    this.file = file;
    this.bytes = new ByteBuffer(data);
    this.size = data.length;
    this.budget = 8 * data.length + 4096;
    const found = String.fromCharCode(...data.subarray(4, 8));
    if (data.length < 16 || found !== identifier) {
      throw new TandemError(`${file}: not a TFLite model (no ${identifier} identifier in bytes 4 to 7)`, {
        hint: "Give a .tflite file; other formats have to be converted first.",
      });
    }
  }

  root(): Table {
    return new Table(this, this.target(0, "root table"), "root table");
  }

  fail(what: string, problem: string): never {
    throw new TandemError(`${this.file}: ${what} ${problem}`, {
      hint: "The file is damaged; fetch or convert it again.",
    });
  }

  /** @throws TandemError if bytes `position` to `position + length - 1` are not all in the file. */
  within(position: number, length: number, what: string): void {
    if (position < 0 || length < 0 || position + length > this.size) {
      this.fail(what, `lies outside the file (byte ${position}, length ${length}, of ${this.size})`);
    }
  }

  spend(count: number, what: string): void {
    this.budget -= count;
    if (this.budget < 0) this.fail(what, "repeats more data than the file can hold");
  }

  u16(position: number, what: string): number {
    this.within(position, 2, what);
    return this.bytes.readUint16(position);
  }

  u32(position: number, what: string): number {
    this.within(position, 4, what);
    return this.bytes.readUint32(position);
  }

  i32(position: number, what: string): number {
    this.within(position, 4, what);
    return this.bytes.readInt32(position);
  }

  /** Where the offset stored at `position` points. */
  target(position: number, what: string): number {
    const target = position + this.u32(position, what);
    if (target === position) this.fail(what, "has an offset of zero");
    this.within(target, 4, what);
    return target;
  }

  /** Position of the first element and number of elements of the vector at `position`. */
  vector(position: number, elementBytes: number, what: string): { start: number; length: number } {
    const length = this.u32(position, what);
    this.within(position + 4, length * elementBytes, what);
    return { start: position + 4, length };
  }

  scalar(position: number, type: ScalarType): number {
    switch (type) {
      case "bool":
      case "uint8":
        return this.bytes.readUint8(position);
      case "int8":
        return this.bytes.readInt8(position);
      case "int32":
        return this.bytes.readInt32(position);
      case "uint32":
        return this.bytes.readUint32(position);
      case "float32":
        return this.bytes.readFloat32(position);
      case "int64":
        return Number(this.bytes.readInt64(position));
      case "uint64":
        return Number(this.bytes.readUint64(position));
    }
  }

  view(start: number, length: number): Uint8Array {
    return this.bytes.bytes().subarray(start, start + length);
  }
}

/** One table. `what` says in messages which one it is. */
export class Table {
  readonly what: string;
  private readonly buffer: Flatbuffer;
  private readonly position: number;
  private readonly vtable: number;
  private readonly vtableBytes: number;
  private readonly tableBytes: number;

  constructor(buffer: Flatbuffer, position: number, what: string) {
    this.buffer = buffer;
    this.position = position;
    this.what = what;
    this.vtable = position - buffer.i32(position, what);
    this.vtableBytes = buffer.u16(this.vtable, what);
    this.tableBytes = buffer.u16(this.vtable + 2, what);
    if (this.vtableBytes < 4 || this.tableBytes < 4) buffer.fail(what, "has a vtable that is too short");
    buffer.within(this.vtable, this.vtableBytes, what);
    buffer.within(position, this.tableBytes, what);
  }

  /** @throws TandemError with the file and this table's name in front. */
  fail(problem: string): never {
    return this.buffer.fail(this.what, problem);
  }

  scalar(field: ScalarField): number {
    const position = this.field(field.slot, SCALAR_BYTES[field.type]);
    return position === undefined ? field.preset : this.buffer.scalar(position, field.type);
  }

  has(field: { readonly slot: number }): boolean {
    return this.field(field.slot, 1) !== undefined;
  }

  /** A vector of numbers; undefined where the field is absent. @throws TandemError if it has more than `limit`. */
  scalars(field: ScalarsField, limit: number): number[] | undefined {
    const found = this.vector(field.slot, SCALAR_BYTES[field.type]);
    if (found === undefined) return undefined;
    if (found.length > limit) this.fail(`has a vector of ${found.length} elements where ${limit} is the most`);
    this.buffer.spend(found.length, this.what);
    const step = SCALAR_BYTES[field.type];
    return Array.from({ length: found.length }, (_, i) => this.buffer.scalar(found.start + i * step, field.type));
  }

  /** A vector of bytes as a view of the file; undefined where the field is absent. */
  bytes(field: ScalarsField): Uint8Array | undefined {
    const found = this.vector(field.slot, 1);
    return found && this.buffer.view(found.start, found.length);
  }

  table(field: OffsetOf<"table">, what: string): Table | undefined {
    const position = this.field(field.slot, 4);
    if (position === undefined) return undefined;
    this.buffer.spend(1, what);
    return new Table(this.buffer, this.buffer.target(position, what), what);
  }

  /** A vector of tables, named `what 0`, `what 1`, ...; empty where the field is absent. */
  tables(field: OffsetOf<"tables">, what: string, limit: number): Table[] {
    const found = this.vector(field.slot, 4);
    if (found === undefined) return [];
    if (found.length > limit) this.fail(`has ${found.length} ${what}s where ${limit} is the most`);
    this.buffer.spend(found.length, this.what);
    return Array.from({ length: found.length }, (_, i) => {
      const name = `${what} ${i}`;
      return new Table(this.buffer, this.buffer.target(found.start + 4 * i, name), name);
    });
  }

  /** A string without control characters (names go to terminals), cut to a sane length; "" where absent. */
  string(field: OffsetOf<"string">): string {
    const found = this.vector(field.slot, 1);
    if (found === undefined) return "";
    const bytes = this.buffer.view(found.start, Math.min(found.length, MAX_STRING));
    this.buffer.spend(bytes.length >> 2, this.what);
    return new TextDecoder().decode(bytes).replace(/\p{Cc}/gu, "?");
  }

  private vector(slot: number, elementBytes: number): { start: number; length: number } | undefined {
    const position = this.field(slot, 4);
    if (position === undefined) return undefined;
    return this.buffer.vector(this.buffer.target(position, this.what), elementBytes, this.what);
  }

  /** Position of a field of `length` bytes, or undefined where the table does not store it. */
  private field(slot: number, length: number): number | undefined {
    const entry = 4 + 2 * slot;
    if (entry + 2 > this.vtableBytes) return undefined;
    const offset = this.buffer.u16(this.vtable + entry, this.what);
    if (offset === 0) return undefined;
    if (offset < 4 || offset + length > this.tableBytes) this.fail(`stores field ${slot} outside itself`);
    return this.position + offset;
  }
}
