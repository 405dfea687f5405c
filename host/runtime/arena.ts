/**
 * Places the tensors that operators write in one block of memory, so that tensors whose lifetimes do not overlap share
 * bytes: the largest first, each at the lowest offset that is free for its whole life (Pisarchyk and Lee,
 * "Efficient Memory Management for Deep Neural Net Inference", arXiv 2001.03288, greedy by size).
 */
import { TandemError } from "../../hw/errors.js";
import type { Graph } from "../graph/graph.js";
import { byteLength } from "../graph/tensor.js";

/** Alignment of every tensor, in bytes; the widest vector load of the kernels. */
const ALIGNMENT = 16;
/** Largest arena, in bytes. */
const MAX_BYTES = 2 ** 30;

export interface Placement {
  readonly tensor: number;
  readonly offset: number;
  readonly bytes: number;
  /** First and last operator, by position, during which the tensor is alive; -1 is before the first one. */
  readonly first: number;
  readonly last: number;
}

export interface ArenaPlan {
  readonly bytes: number;
  /** By tensor index; constants have none. */
  readonly placements: ReadonlyMap<number, Placement>;
}

/** @throws TandemError if the network needs more than 1 GiB at once. */
export function planArena(graph: Graph): ArenaPlan {
  const pending = lifetimes(graph).sort((a, b) => b.bytes - a.bytes || a.first - b.first);
  const placed: Placement[] = [];
  let total = 0;
  for (const life of pending) {
    const offset = lowestGap(life, placed);
    // Kept in order of their offsets, so that gaps are found in one pass.
    const at = placed.findIndex((other) => other.offset > offset);
    placed.splice(at < 0 ? placed.length : at, 0, { ...life, offset });
    total = Math.max(total, offset + life.bytes);
    if (total > MAX_BYTES) {
      throw new TandemError(`${graph.source}: needs more than ${MAX_BYTES} bytes for its activations`, {
        hint: "Tandem runs networks for edge devices; use a smaller input.",
      });
    }
  }
  return { bytes: total, placements: new Map(placed.map((placement) => [placement.tensor, placement])) };
}

type Life = Omit<Placement, "offset">;

function lifetimes(graph: Graph): Life[] {
  const lives = new Map<number, { first: number; last: number }>();
  for (const index of graph.inputs) lives.set(index, { first: -1, last: -1 });
  graph.operators.forEach((operator, position) => {
    for (const index of operator.inputs) {
      const life = lives.get(index);
      if (life) life.last = position;
    }
    for (const index of operator.outputs) lives.set(index, { first: position, last: position });
  });
  for (const index of graph.outputs) {
    const life = lives.get(index);
    if (life) life.last = graph.operators.length;
  }
  return [...lives].map(([tensor, life]) => {
    const bytes = Math.ceil(byteLength(graph.tensors[tensor]!) / ALIGNMENT) * ALIGNMENT;
    return { tensor, bytes, ...life };
  });
}

/** `placed` is in order of offsets. */
function lowestGap(life: Life, placed: readonly Placement[]): number {
  let offset = 0;
  for (const other of placed) {
    if (other.last < life.first || other.first > life.last) continue;
    if (other.offset - offset >= life.bytes) break;
    offset = Math.max(offset, other.offset + other.bytes);
  }
  return offset;
}
