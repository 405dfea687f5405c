/** The tokens of SECDA's designs: blocks are 4 rows of inputs or 4 output channels. */
import { bool, i32, i8, struct, u16, u8, uint, vec, type ValueOf } from "../../hw/index.js";
import { BLOCK } from "./facts.js";

/** Four rows or channels, four bytes of K each. */
export const Word = vec(vec(i8, BLOCK), BLOCK);
export type Word = ValueOf<typeof Word>;

/** To a unit's memories; `last`: the block of inputs is complete. */
export const Fill = struct({ weights: bool, address: u16, word: Word, last: bool });

/** By channel of a block. */
export const Parameters = struct({
  bias: vec(i32, BLOCK),
  multiplier: vec(i32, BLOCK),
  left: vec(uint(5), BLOCK),
  right: vec(uint(5), BLOCK),
});

/** What a layer does to all its sums. */
export const Ending = struct({ zero: i8, min: i8, max: i8, flip: u8 });
export type Ending = ValueOf<typeof Ending>;
export type Parameters = ValueOf<typeof Parameters>;

const rest = {
  parameters: Parameters,
  /** By row: zero point of the weights times the sum of the inputs. */
  terms: vec(i32, BLOCK),
  ending: Ending,
  /** The unit's last job of a COMPUTE. */
  last: bool,
};

/** A job of a unit; `waits`: blocks of inputs that have been broadcast since its last one. */
export const Job = struct({ waits: u8, weights: u16, depth: u16, ...rest });
/** Its results, by row and channel. */
export const Result = struct({ sums: vec(vec(i32, BLOCK), BLOCK), ...rest });
