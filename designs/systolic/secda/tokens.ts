/** The tokens of SECDA's SA: what the scheduler tells the array, and a tile's results. */
import { bool, struct, u16, vec } from "../../../hw/index.js";
import { ARRAY_BLOCKS, BLOCK } from "../../secda/facts.js";
import { Four } from "../../secda/loader.js";
import { Ending, Parameters } from "../../secda/tokens.js";

export const SquareBlock = vec(Four, BLOCK);
export const BlockRow = vec(SquareBlock, ARRAY_BLOCKS);
/** By block of rows, block of channels, row, channel. */
export const Sums = vec(BlockRow, ARRAY_BLOCKS);

/** A tile of 16 x 16 by its first blocks, among so many blocks; `last`: of a COMPUTE. */
export const Command = struct({
  row: u16,
  column: u16,
  rows: u16,
  columns: u16,
  depth: u16,
  ending: Ending,
  last: bool,
});

/** Its results; `rows` and `columns`: blocks from its first one to the end, of which it holds four at most. */
export const Tile = struct({
  sums: Sums,
  parameters: vec(Parameters, ARRAY_BLOCKS),
  terms: vec(Four, ARRAY_BLOCKS),
  ending: Ending,
  rows: u16,
  columns: u16,
  last: bool,
});
