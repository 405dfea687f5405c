/**
 * What is known of SECDA's VM v5 and SA v4 (arXiv 2110.00478): sizes, the clocks of their state machines and which of them follow
 * each other. All of it is read off the published SystemC (github.com/gicLAB/SECDA-TFLite, src/secda_delegates: `vm_delegate/v5`,
 * `sa_delegate/v4`; a file that is the same as a neighbouring version's is named by that), off its waits and not off what it
 * prints. No figure here comes from a measured or simulated total.
 */

/** A job is 4 rows by 4 channels, K in words of 4; VM has four units. Four streams of 32 bits in, four out. */
export const UNITS = 4;
export const BLOCK_BITS = 2;
export const BLOCK = 2 ** BLOCK_BITS;
/** K is filled up to a multiple of 16 (driver). */
export const DEPTH_STEP = 16;

/** Sizes of the memories in words of 4 rows (channels) by 4 bytes of K, and most rows and channels of a tile (driver/gemm_driver.h). */
export interface SecdaSizes {
  readonly inputWords: number;
  readonly weightWords: number;
  readonly mostRows: number;
  readonly mostColumns: number;
}
export const VM_SIZES: SecdaSizes = { inputWords: 8192, weightWords: 2048, mostRows: 512, mostColumns: 512 };
export const SA_SIZES: SecdaSizes = { inputWords: 8192, weightWords: 4096, mostRows: 8192, mostColumns: 4096 };

/** First words of the packets (acc_config.sc.h); every packet has three words before its data, on stream 0. */
export const CONFIG = 8;
export const LOAD_INPUTS = 2;
export const LOAD_WEIGHTS = 1;
export const COMPUTE = 4;
export const PACKET_WORDS = 3;

/**
 * Loading (data_in.sc.h; of VM that of v14): from the first word of a packet to the data 1 clock to the loader, its own start and, of inputs, 1
 * more; in that time the other two words come. Of VM's weights 1 and 3 to open the units' memories. After the data a clock to hand back, and of weights 1 more.
 */
export const VM_LOAD_START = 1;
export const VM_OPEN_WEIGHTS = 1 + 3;
export const SA_LOAD_START = 3;
export const SA_OPEN_WEIGHTS = 0;
export const LOAD_END = 1;

/** VM, scheduler.sc.h of v14: after COMPUTE 1; a block of d words is broadcast in 1 + 3 d clocks, after all units are ready, 1 clock each. */
export const COMPUTE_START = 1;
export const BROADCAST_PER_WORD = 3;
export const BROADCAST_START = 1;
/** VM, the same: for each job 1, then 1 before the wait for its unit; 2 until the unit has taken it, then 1 and 1. */
export const ISSUE_BEFORE = 1 + 1;
export const ISSUE_AFTER = 2 + 1 + 1;
/** VM, vmm_modules.sc.h and vm_gemm.sc.h: a unit takes a job in 2, multiplies in d + 5 + 2, then 1, waits for its post-processor, then 1. */
export const UNIT_BEFORE = 2;
export const JOB_START = 5 + 2;
export const UNIT_AFTER = 1;
export const UNIT_READY = 1;
/** VM, the same: a job takes 1 + 9 + 44 in its post-processor; 1 until the unit may give it another, which it takes 2 later at the earliest. */
export const POST_PROCESS = 1 + 9 + 44;
export const POST_READY = 1;
export const POST_AGAIN = 2;
/** VM, write_sync.sc.h: the word that ends a COMPUTE passes post-processor and arranger, 1 each. The DMA takes 2 more to end (axi4s_engine). */
export const VM_END = 1 + 1 + 2;

/** SA, scheduler.sc.h: for each block of 16 rows 7; for each tile 8 before the wait for the array, then 1 and 15 of skew before the first operands. */
export const ARRAY_BLOCKS = 4;
export const ROW_BLOCK = 7;
export const TILE_BEFORE = 8;
export const SKEW = 1 + 15;
/** SA, the same: it feeds into queues that hold a tile and goes on: 8 for 4 of K, 30 of drain, 1 + 6, four times 7, 1; after a tile 1 + 2. */
export const FEED_PER_WORD = 8;
export const FEED_AFTER = 30 + 1 + 6 + 4 * 7 + 1 + 1 + 2;
/** SA, w1.sc.h: 4 clocks a step, K + 30 steps; then 8, waits for the one result buffer, and 1. */
export const STEP_CLOCKS = 4;
export const FILL_STEPS = 30;
export const RESULT_WAIT = 8;
export const RESULT_WRITE = 1;
/** SA, post1.sc.h: parameters 6 + 16, results 3, scaling 1 + 85, order 192 + 1, a clock; then the outputs in 3 and 77, of which a stream's 16 words take 16. */
export const SA_POST_BEFORE = 6 + 16 + 3 + (1 + 85) + (192 + 1) + 1;
export const SA_POST_AFTER = 3 + 77;
/** SA, out.sc.h: whoever ends a COMPUTE looks every 5 clocks, so 2 on average; its last word 1, the DMA 2. */
export const SA_END = 2 + 1 + 2;
