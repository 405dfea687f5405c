/**
 * What joins a process to the parts that it uses, as bundles of wires: one side of a channel, a memory port, a signal read
 * or written, a grid fed. The same bundles are ports of the process's module and of every module that they pass through.
 */
import type { Channel } from "../channel.js";
import type { Grid } from "../grid.js";
import type { MemoryPort } from "../memory.js";
import type { Signal } from "../signal.js";
import { bitsFor } from "./expr.js";

export type Bundle =
  | { readonly kind: "pop"; readonly part: Channel }
  /** `staged`: the process may write a word before it pushes it. */
  | { readonly kind: "push"; readonly part: Channel; readonly staged?: boolean }
  | { readonly kind: "port"; readonly part: MemoryPort }
  | { readonly kind: "signalRead"; readonly part: Signal }
  | { readonly kind: "signalWrite"; readonly part: Signal }
  | { readonly kind: "grid"; readonly part: Grid };

export interface Wire {
  /** Appended to the bundle's name. */
  readonly suffix: string;
  readonly width: number;
  /** Driven by the process, not by the part. */
  readonly byProcess: boolean;
}

export const addressBits = (depth: number): number => bitsFor(depth);
/** Bits of a count of 0 to n. */
export const countBits = (n: number): number => bitsFor(n + 1);

/** Suffixes are the usual ones: data, valid and ready; with several lanes, how many tokens there are and are moved. */
export function wiresOf(bundle: Bundle): Wire[] {
  const wire = (suffix: string, width: number, byProcess: boolean): Wire => ({ suffix, width, byProcess });
  switch (bundle.kind) {
    case "pop": {
      const { lanes, type } = bundle.part;
      const bits = type.bits * lanes;
      if (lanes === 1) return [wire("_data", bits, false), wire("_valid", 1, false), wire("_ready", 1, true)];
      const n = countBits(lanes);
      return [wire("_data", bits, false), wire("_valid", n, false), wire("_ready", n, true)];
    }
    case "push": {
      const { lanes, type } = bundle.part;
      const n = lanes === 1 ? 1 : countBits(lanes);
      const stage = bundle.staged ? [wire("_stage", 1, true)] : [];
      return [wire("_data", type.bits * lanes, true), ...stage, wire("_valid", n, true), wire("_ready", n, false)];
    }
    case "port": {
      const { memory, canRead, canWrite } = bundle.part;
      const address = wire("_addr", addressBits(memory.depth), true);
      return [
        address,
        ...(canRead ? [wire("_re", 1, true), wire("_q", memory.type.bits, false)] : []),
        ...(canWrite ? [wire("_we", 1, true), wire("_d", memory.type.bits, true)] : []),
      ];
    }
    case "signalRead":
      return [wire("", bundle.part.type.bits, false)];
    case "signalWrite":
      return [wire("_d", bundle.part.type.bits, true), wire("_we", 1, true)];
    case "grid": {
      const { rows, cols, cell } = bundle.part;
      return [
        wire("_feed", 1, true),
        wire("_west", rows * cell.west.bits, true),
        wire("_north", cols * cell.north.bits, true),
      ];
    }
  }
}

/** The name of a bundle where no port of the module gives it one. */
export function defaultName(bundle: Bundle): string {
  const { part } = bundle;
  if (bundle.kind === "port")
    return `${bundle.part.memory.name}_${part.name || `port${bundle.part.memory.ports.indexOf(bundle.part)}`}`;
  return bundle.kind === "push" ? `${part.name}_in` : bundle.kind === "signalWrite" ? `${part.name}_next` : part.name;
}
