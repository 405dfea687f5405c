/**
 * How a layer is cut for the buffers. Either the weights stay in their buffer and the inputs pass once, or blocks of input
 * rows stay while the weights pass again for each block: what moves fewer bytes.
 */
import { gemmShape } from "../im2col.js";
import type { ConvLayer } from "../layer.js";
import { MAX_TRANSFER } from "../program.js";
import type { GemmConfig } from "./config.js";
import { PARAMETER_BYTES } from "./pack.js";

export interface Tiling {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Words of K in a row. */
  readonly words: number;
  /** Rows of each part (the last ones may have fewer or none), and row tiles of the layer. */
  readonly partRows: number;
  readonly rowTiles: number;
  readonly columnTiles: number;
  readonly blockTiles: number;
  readonly chunkTiles: number;
  readonly segmentWords: number;
  /** Segments of a column tile. */
  readonly segments: number;
  readonly inputSlots: number;
  readonly weightSlots: number;
  readonly outputSlots: number;
  readonly outputSlotWords: number;
  /** Bytes of a row of the output: its channels, or four planes of whole words for sums. */
  readonly outputRowBytes: number;
  /** True if the weights come for every block. */
  readonly streamed: boolean;
  readonly passes: number;
}

/** Planes of bytes that an int32 has. */
export const PLANES = 4;
/** Segments shorter than this gain nothing at the start of a layer. */
const SHORTEST_SEGMENT = 8;

/** The tiling, or the reason why there is none. */
export function tile(layer: ConvLayer, config: GemmConfig): Tiling | string {
  const { m, n, k } = gemmShape(layer);
  const words = Math.ceil(k / config.streamBytes);
  const columnTiles = Math.ceil(n / config.cols);
  if (columnTiles * config.groups > config.parameterDepth)
    return `${n} output channels, at most ${Math.floor(config.parameterDepth / config.groups) * config.cols}`;
  if (words > config.inputDepth)
    return `K = ${k}, at most ${config.inputDepth * config.streamBytes} fit the input buffer`;
  const outputRowBytes = layer.sums ? PLANES * columnTiles * config.cols : n;
  const outputSlotWords = config.partRows * columnTiles * config.groups * (layer.sums ? PLANES : 1);
  if (outputSlotWords > config.outputDepth) return `${n} output channels do not fit the output buffer`;
  const inputSlots = Math.min(config.slots, Math.floor(config.inputDepth / words));
  const outputSlots = Math.min(config.slots, Math.floor(config.outputDepth / outputSlotWords));
  const { partRows, rowTiles } = split(m, outputRowBytes, config);
  if (rowTiles >= 2 ** 24 || m >= 2 ** 24) return `${m} rows, at most ${2 ** 24 - 1}`;
  if (partRows * words * config.streamBytes > MAX_TRANSFER || partRows * outputRowBytes > MAX_TRANSFER)
    return `a transfer of more than ${MAX_TRANSFER} bytes`;
  const slots = { inputSlots, outputSlots, outputSlotWords, outputRowBytes };
  const common = { m, n, k, words, partRows, rowTiles, columnTiles, ...slots };

  const resident = residentSegments(words, columnTiles, config);
  const streamed = stream(words, rowTiles, Math.min(inputSlots, outputSlots), config);
  if (resident && (!streamed || streamed.passes >= 1))
    return { ...common, ...resident, blockTiles: 1, chunkTiles: columnTiles, streamed: false, passes: 1 };
  if (!streamed) return `K = ${k} does not fit the weight buffer`;
  const passBytes = columnTiles * config.partCols * (PARAMETER_BYTES + words * config.streamBytes);
  if (passBytes > MAX_TRANSFER) return `weights of more than ${MAX_TRANSFER} bytes in a stream`;
  return { ...common, ...streamed, streamed: true };
}

/** All column tiles at once, in segments as short as is useful, so that the first tile can start early. */
function residentSegments(
  words: number,
  columnTiles: number,
  config: GemmConfig,
): { segmentWords: number; segments: number; weightSlots: number } | undefined {
  const most = Math.min(Math.floor(config.slots / columnTiles), Math.max(1, Math.floor(words / SHORTEST_SEGMENT)));
  for (let segments = most; segments >= 1; segments--) {
    const segmentWords = Math.ceil(words / segments);
    const used = Math.ceil(words / segmentWords);
    if (used * columnTiles * segmentWords <= config.weightDepth)
      return { segmentWords, segments: used, weightSlots: used * columnTiles };
  }
  return undefined;
}

/** Blocks of row tiles as large as the buffers allow; chunks that leave room for the next one to be loaded. */
function stream(
  words: number,
  rowTiles: number,
  mostTiles: number,
  config: GemmConfig,
):
  | {
      segmentWords: number;
      segments: number;
      weightSlots: number;
      blockTiles: number;
      chunkTiles: number;
      passes: number;
    }
  | undefined {
  const share = config.doubleBuffering ? 2 : 1;
  // A column tile that passes for one row tile only need not stand in the buffer as a whole.
  const whole = words <= config.weightDepth;
  const blocks = Math.ceil(rowTiles / (whole ? mostTiles : 1));
  const blockTiles = Math.ceil(rowTiles / blocks);
  const passes = Math.ceil(rowTiles / blockTiles);
  const perTile = Math.floor(config.weightDepth / words);
  let segments = 1;
  if (perTile < share) {
    // Two slots or more of less than a tile each.
    segments = Math.ceil((words * share) / config.weightDepth);
    if (!whole) segments = Math.ceil(words / Math.floor(config.weightDepth / 2 || 1));
  } else segments = Math.max(1, Math.min(Math.floor(words / SHORTEST_SEGMENT), Math.floor(config.slots / perTile)));
  const segmentWords = Math.ceil(words / segments);
  const used = Math.ceil(words / segmentWords);
  const weightSlots = Math.min(config.slots, Math.floor(config.weightDepth / segmentWords));
  const chunkTiles = Math.max(1, Math.floor(weightSlots / (share * used)));
  if (blockTiles > 1 && used > weightSlots) return undefined;
  return { segmentWords, segments: used, weightSlots, blockTiles, chunkTiles, passes };
}

/**
 * Parts of rows, one per stream, that all start on a beat of the output stream; as few row tiles as possible.
 */
function split(m: number, rowBytes: number, config: GemmConfig): { partRows: number; rowTiles: number } {
  let unit = 1;
  while ((unit * rowBytes) % config.streamBytes !== 0) unit++;
  for (let tiles = Math.ceil(m / config.rows); ; tiles++) {
    // A single part need not end on a beat.
    const partRows = config.streams === 1 ? m : Math.floor((tiles * config.partRows) / unit) * unit;
    if (partRows > 0 && partRows * config.streams >= m) return { partRows, rowTiles: tiles };
    if (tiles * config.partRows >= m) return { partRows: m, rowTiles: Math.ceil(m / config.partRows) };
  }
}
