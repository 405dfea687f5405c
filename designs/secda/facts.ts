/**
 * What is known of SECDA's VM v5 and SA v4 (arXiv 2110.00478): sizes, and the clocks of their state machines. Each with its source: `facts`, the list of
 * facts beside the recorded profile (golden/secda in README of the shared files); `profile`, the meaning of a column of that
 * profile, where it is the same small number for every job of every layer. No figure here was chosen to meet a total.
 */

/** Facts: a job of VM is 4 rows by 4 channels, K in words of 4; four units. */
export const UNITS = 4;
export const BLOCK = 4;
/** Facts: K is filled up to a multiple of 16. */
export const DEPTH_STEP = 16;
/** Facts: bytes of inputs and of weights that are on the chip, and most rows and channels of a tile. */
export const INPUT_WORDS = 8192;
export const WEIGHT_WORDS = 2048;
export const TILE_MOST = 512;
/** Facts: the broadcast of a block of d words takes 3 d + 1 clocks, and does not overlap with products. */
export const BROADCAST_PER_WORD = 3;
export const BROADCAST_START = 1;
/** Facts: a job takes d + 7 clocks on its unit, and 54 in its post-processor. */
export const JOB_START = 7;
export const POST_PROCESS = 54;
/**
 * Profile: states of the scheduler that each job passes: T_shS_5 and T_shS_6 one clock each (they equal the number of jobs), then two of
 * the unit's own, T_shS_41 at least three clocks and T_shS_42 one.
 */
export const ISSUE = 6;
/** Profile: states of a unit beside the products: T_gmSB_2 two clocks a job, T_gmSB_4 and T_gmSB_6 one each. */
export const UNIT_BEFORE = 2;
export const UNIT_AFTER = 1;
/**
 * SA (facts: "takes 4 clocks per step, 64 of 256 multiply-accumulates per clock"; 16 x 16 by its name): blocks of a side of the array, clocks per step, and
 * the steps in which an array of that size fills and drains.
 */
export const ARRAY_BLOCKS = 4;
export const STEP_CLOCKS = 4;
export const FILL_STEPS = 2 * ARRAY_BLOCKS * BLOCK - 2;
/** Words that come with every channel: bias, multiplier, shift (TFLite's arithmetic needs them). */
export const PARAMETER_WORDS = 3;
