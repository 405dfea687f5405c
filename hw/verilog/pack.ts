/** Values of the language as bit vectors, in the layout of hw/types.ts: lane 0 lowest, the first field highest. */
import type { StructType, Type, VecType, IntType } from "../types.js";

export function toBits(type: Type, value: unknown): bigint {
  switch (type.kind) {
    case "bool":
      return value ? 1n : 0n;
    case "int":
      return BigInt.asUintN(type.bits, BigInt(value as number));
    case "vec": {
      const { of, length } = type as VecType;
      let bits = 0n;
      for (let lane = length - 1; lane >= 0; lane--)
        bits = (bits << BigInt(of.bits)) | toBits(of, (value as unknown[])[lane]);
      return bits;
    }
    case "struct": {
      let bits = 0n;
      for (const [name, of] of Object.entries((type as StructType).fields))
        bits = (bits << BigInt(of.bits)) | toBits(of, (value as Record<string, unknown>)[name]);
      return bits;
    }
  }
}

export function fromBits(type: Type, bits: bigint): unknown {
  switch (type.kind) {
    case "bool":
      return (bits & 1n) === 1n;
    case "int":
      return Number(
        (type as unknown as IntType).signed ? BigInt.asIntN(type.bits, bits) : BigInt.asUintN(type.bits, bits),
      );
    case "vec": {
      const { of, length } = type as VecType;
      return Array.from({ length }, (_, lane) => fromBits(of, BigInt.asUintN(of.bits, bits >> BigInt(lane * of.bits))));
    }
    case "struct": {
      const out: Record<string, unknown> = {};
      let low = type.bits;
      for (const [name, of] of Object.entries((type as StructType).fields)) {
        low -= of.bits;
        out[name] = fromBits(of, BigInt.asUintN(of.bits, bits >> BigInt(low)));
      }
      return out;
    }
  }
}

/** A value of a type as a sized literal. */
export function packed(type: Type, value: unknown): string {
  const bits = toBits(type, value);
  return type.bits <= 53 ? `${type.bits}'d${bits}` : `${type.bits}'h${bits.toString(16)}`;
}
