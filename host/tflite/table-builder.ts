/**
 * Builds flatbuffers tables from the field lists of `schema.ts`, on the Builder of the `flatbuffers` runtime: values go in by field name,
 * vectors and strings are laid down before their table, and scalars that equal their default are left out, as the format wants it.
 */
import { Builder } from "flatbuffers";
import { BUFFER_ALIGNMENT, type Field, SCALAR_BYTES, type ScalarField, type ScalarType } from "./schema.js";

/** Where a table that was built lies; only good as a value of another table of the same builder. */
export interface TableOffset {
  readonly offset: number;
}

type ValueOf<F extends Field> = F["kind"] extends "scalar"
  ? number
  : F["kind"] extends "scalars"
    ? readonly number[] | Uint8Array
    : F["kind"] extends "table"
      ? TableOffset
      : F["kind"] extends "tables"
        ? readonly TableOffset[]
        : string;

/** Values of a table's fields by name; a field that is absent is not written. */
export type Values<T extends Readonly<Record<string, Field>>> = { readonly [K in keyof T]?: ValueOf<T[K]> | undefined };

type AnyValue = number | string | Uint8Array | TableOffset | readonly number[] | readonly TableOffset[];

export class TableBuilder {
  private readonly builder = new Builder(1 << 16);

  /** Lays down one table. */
  table<T extends Readonly<Record<string, Field>>>(fields: T, values: Values<T>): TableOffset {
    const { builder } = this;
    const present = Object.entries(fields).flatMap(([name, field]) => {
      const value = (values as Readonly<Record<string, AnyValue | undefined>>)[name];
      return value === undefined ? [] : [{ field, value: field.kind === "scalar" ? value : this.lay(field, value) }];
    });
    builder.startObject(1 + Math.max(-1, ...Object.values(fields).map(({ slot }) => slot)));
    for (const { field, value } of present) {
      if (field.kind === "scalar") addScalar(builder, field, value as number);
      else builder.addFieldOffset(field.slot, value as number, 0);
    }
    return { offset: builder.endObject() };
  }

  /** The finished file, `root` its root table. */
  finish(root: TableOffset, identifier: string): Uint8Array {
    this.builder.finish(root.offset, identifier);
    return this.builder.asUint8Array().slice();
  }

  /** Lays down what a field points to, and returns its place. */
  private lay(field: Exclude<Field, ScalarField>, value: AnyValue): number {
    const { builder } = this;
    switch (field.kind) {
      case "string":
        return builder.createString(value as string);
      case "table":
        return (value as TableOffset).offset;
      case "tables": {
        const offsets = (value as readonly TableOffset[]).map(({ offset }) => offset);
        builder.startVector(4, offsets.length, 4);
        for (const offset of offsets.toReversed()) builder.addOffset(offset);
        return builder.endVector();
      }
      case "scalars": {
        if (value instanceof Uint8Array) {
          builder.prep(BUFFER_ALIGNMENT, value.length);
          return builder.createByteVector(value);
        }
        const numbers = value as readonly number[];
        const bytes = SCALAR_BYTES[field.type];
        builder.startVector(bytes, numbers.length, bytes);
        for (const number of numbers.toReversed()) addElement(builder, field.type, number);
        return builder.endVector();
      }
    }
  }
}

function addScalar(builder: Builder, { slot, type, preset }: ScalarField, value: number): void {
  if (value === preset) return;
  builder.prep(SCALAR_BYTES[type], 0);
  addElement(builder, type, value);
  builder.slot(slot);
}

function addElement(builder: Builder, type: ScalarType, value: number): void {
  switch (type) {
    case "bool":
    case "int8":
    case "uint8":
      builder.addInt8(value);
      break;
    case "int32":
    case "uint32":
      builder.addInt32(value);
      break;
    case "int64":
    case "uint64":
      builder.addInt64(BigInt(value));
      break;
    case "float32":
      builder.addFloat32(value);
      break;
  }
}
