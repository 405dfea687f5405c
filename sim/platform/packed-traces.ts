/**
 * What the transfers of a run did as a row of numbers, so that it crosses from thread to thread in shared memory, as counters do (sim/kernel/packed-counters.ts): a
 * network has hundreds of transfers, and only reports look at them.
 */
import { PROGRESS_PARTS, type TransferTrace } from "./dma.js";

/** Places of a transfer's numbers, those of eighths last. */
export const trace = {
  /** The stream's number among the design's. */
  stream: 0,
  step: 1,
  bytes: 2,
  issued: 3,
  started: 4,
  first: 5,
  last: 6,
  done: 7,
  eighths: 8,
  numbers: 8 + PROGRESS_PARTS,
} as const;

/** Transfers that have ended, in the order in which they did. */
export type PackedTraces = Float64Array;

/** They are made when somebody looks at them. */
export interface Traces {
  readonly all: readonly TransferTrace[];
}

interface NamedStream {
  readonly name: string;
  readonly direction: "in" | "out";
}

export function tracesIn(streams: readonly NamedStream[], packed: PackedTraces): Traces {
  let known: readonly TransferTrace[] | undefined;
  const traces = {
    get all() {
      return (known ??= unpack(streams, packed));
    },
  };
  packedForms.set(traces, packed);
  return traces;
}

const packedForms = new WeakMap<Traces, PackedTraces>();

/** What `tracesIn` made them of; undefined for others. */
export const packedTraces = (traces: Traces): PackedTraces | undefined => packedForms.get(traces);

function unpack(streams: readonly NamedStream[], packed: PackedTraces): TransferTrace[] {
  return Array.from({ length: packed.length / trace.numbers }, (_, i) => {
    const row = packed.subarray(i * trace.numbers, (i + 1) * trace.numbers);
    const { name, direction } = streams[row[trace.stream]!]!;
    return {
      stream: name,
      direction,
      step: row[trace.step]!,
      bytes: row[trace.bytes]!,
      issued: row[trace.issued]!,
      started: row[trace.started]!,
      done: row[trace.done]!,
      first: row[trace.first]!,
      last: row[trace.last]!,
      eighths: [...row.subarray(trace.eighths)],
    };
  });
}
