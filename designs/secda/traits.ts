/** What tells SECDA's two designs apart, as their driver sees it. */
import type { LeastClocks } from "../../driver/design.js";
import {
  ARRAY_BLOCKS,
  POST_AGAIN,
  POST_PROCESS,
  POST_READY,
  SA_POST_AFTER,
  SA_POST_BEFORE,
  SA_SIZES,
  STEP_CLOCKS,
  UNITS,
  BLOCK,
  VM_SIZES,
  type SecdaSizes,
} from "./facts.js";

export interface SecdaTraits {
  /** Name of the design, for messages. */
  readonly name: string;
  readonly sizes: SecdaSizes;
  /** How outputs leave: a stream for each unit, which has jobs in turn, or a stream for each row of a block, of so many blocks at a time. */
  readonly outputs: "unit" | "row";
  readonly span: number;
  /** Of blocks of rows and channels and words of K: products and post-processing alone. */
  least(rowBlocks: number, columnBlocks: number, depth: number): LeastClocks;
}

/** Four units take a word a clock; each has a post-processor of its own. */
export const vmTraits: SecdaTraits = {
  name: "SECDA's VM",
  sizes: VM_SIZES,
  outputs: "unit",
  span: 1,
  least: (rowBlocks, columnBlocks, depth) => {
    const jobs = Math.ceil((rowBlocks * columnBlocks) / UNITS);
    return { tiles: jobs * depth, lanes: jobs * (POST_PROCESS + POST_READY + POST_AGAIN - 1) };
  },
};

/** An array of 16 x 16 takes four clocks a step; there is one post-processor. */
export const saTraits: SecdaTraits = {
  name: "SECDA's SA",
  sizes: SA_SIZES,
  outputs: "row",
  span: ARRAY_BLOCKS,
  least: (rowBlocks, columnBlocks, depth) => {
    const tiles = Math.ceil(rowBlocks / ARRAY_BLOCKS) * Math.ceil(columnBlocks / ARRAY_BLOCKS);
    return { tiles: tiles * depth * BLOCK * STEP_CLOCKS, lanes: tiles * (SA_POST_BEFORE + SA_POST_AFTER) };
  },
};
