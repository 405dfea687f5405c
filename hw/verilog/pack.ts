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
      if (isByte(of)) return BigInt(`0x${bytesToHex(value as number[])}`);
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
      if (isByte(of)) return hexToBytes(bits, length);
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

// Streams are vectors of bytes, and long.
const isByte = (type: Type): boolean => type.kind === "int" && type.bits === 8 && !(type as unknown as IntType).signed;
const digits = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0"));

function bytesToHex(lanes: readonly number[]): string {
  let hex = "";
  for (const lane of lanes) hex = digits[lane & 255]! + hex;
  return hex;
}

function hexToBytes(bits: bigint, length: number): number[] {
  const hex = bits.toString(16).padStart(2 * length, "0");
  return Array.from({ length }, (_, lane) => parseInt(hex.slice(hex.length - 2 * lane - 2, hex.length - 2 * lane), 16));
}

/** A value of a type as a sized literal. */
export function packed(type: Type, value: unknown): string {
  const bits = toBits(type, value);
  return type.bits <= 53 ? `${type.bits}'d${bits}` : `${type.bits}'h${bits.toString(16)}`;
}
