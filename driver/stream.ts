/**
 * The outer streams of an accelerator: AXI4-Stream (ARM IHI 0051A) with TDATA of a whole number of bytes and TLAST; TKEEP
 * and TSTRB are not used, a transfer is always whole beats. Byte 0 of a beat stands at the lowest address in memory.
 */
import { bool, struct, u8, vec, type Channel, type Elaborated, type StructType, type U8 } from "../hw/index.js";
import { TandemError } from "../hw/errors.js";
import type { StreamPort } from "./program.js";

export interface Beat {
  readonly data: U8[];
  /** TLAST: this beat ends a transfer. */
  readonly last: boolean;
}

/** The type of a stream's tokens, `bytes` bytes a beat. */
export function beatType(bytes: number): StructType<Beat> {
  return struct({ data: vec(u8, bytes), last: bool });
}

/** The streams among the outer ports of a design: those whose tokens are beats. */
export function streamPorts(design: Elaborated): StreamPort[] {
  const ports = (list: Readonly<Record<string, Channel>>, direction: "in" | "out"): StreamPort[] =>
    Object.entries(list).map(([name, { type, path }]) => {
      const bytes =
        type.kind === "struct" && type.name === beatType((type.bits - 1) / 8).name ? (type.bits - 1) / 8 : 0;
      if (bytes === 0) throw new TandemError(`${path} is an outer port, but no stream of bytes: ${type.name}`);
      return { name, direction, bytes };
    });
  return [...ports(design.inputs, "in"), ...ports(design.outputs, "out")];
}
