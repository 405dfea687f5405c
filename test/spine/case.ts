/** One case of the spine: a configuration, random layers for it, and stalls on all its ports. A seed is all it takes. */
import type { ConvLayer } from "../../driver/layer.js";
import { mulberry32, type RandomStalls } from "../../sim/environment.js";
import { randomLayer, type LayerShape } from "../designs/layers.js";
import { joinLayers, type Joined } from "../support/joined.js";
import type { Configuration } from "./pool.js";

export interface DrawnLayer {
  readonly layer: ConvLayer;
  readonly input: Uint8Array;
}

export interface Case {
  readonly configuration: Configuration;
  /** One after the other, without a reset between them. */
  readonly layers: readonly DrawnLayer[];
  readonly stalls: RandomStalls;
  /** For people: what was drawn. */
  readonly text: string;
}

/** Multiply-accumulates per cell: the kernel moves every register of every cell in every clock. */
const DEEPEST = 2500;
const TRIES = 50;
/**
 * Of seven cases one is long: more row tiles than any ring of a design has slots, so that all of them go round; the output of every other of these has one channel, so
 * that a packer joins single bytes at every place of a beat. One asks for sums.
 * One is of several layers, depthwise ones among them: what one leaves behind must not show in the next. One is a depthwise convolution of a tall picture, where
 * a design takes it: rows go round in the line buffer, which has room for one or two in a bank where the picture is wide. One has more
 * weights than the small buffers hold, and few outputs to use them for: the loader of the weights is what others wait for, and finds
 * segments given up while it loads.
 */
const TURNS = 7;
const LONG = 6;
const SUMS = 3;
const SEVERAL = 1;
const WEIGHTS = 2;
const DEPTHWISE = 4;
/** Every other long case; its shifts leave bytes that differ from each other. */
const NARROW = TURNS;
const NARROW_SHIFTS = [-10, -8] as const;
/** Row tiles of a long layer; the rings have 64 slots by default. */
const LONG_TILES = 68;

type Below = (n: number) => number;

/** Case `index` of a run with `seed`: configurations take turns, everything else is drawn. */
export function drawCase(pool: readonly Configuration[], seed: number, index: number): Case {
  const configuration = pool[index % pool.length]!;
  const next = mulberry32(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b));
  const below = (n: number): number => Math.floor(next() * n);
  // Some without stalls, some with few, some with many and long ones.
  const stalls =
    below(3) === 0
      ? { seed: 0, chance: 0, most: 1 }
      : { seed: below(2 ** 31), chance: 0.05 + 0.6 * next(), most: 1 + below(20) };
  const turn = index % TURNS;
  const count = turn === SEVERAL ? 2 + below(2) : 1;
  const layers = Array.from({ length: count }, () => {
    const narrow = index % (2 * TURNS) === LONG;
    const kind = turn === SEVERAL && below(2) === 0 ? DEPTHWISE : narrow ? NARROW : turn;
    return drawLayer(configuration, below, kind, DEEPEST / count);
  });
  if (layers.some((layer) => layer === undefined))
    throw new Error(
      `${configuration.label}: refuses all ${TRIES} layers that were drawn (seed ${seed}, case ${index})`,
    );
  const held =
    stalls.chance === 0 ? "no stalls" : `${(100 * stalls.chance).toFixed(0)} % stalls of up to ${stalls.most}`;
  const text = `${configuration.label}: ${layers.map((drawn) => textOf(drawn!.layer)).join("; then ")}, ${held}`;
  return { configuration, layers: layers.map((drawn) => drawn!), stalls, text };
}

/** A layer that the design takes, of `most` multiply-accumulates per cell; undefined where none was drawn. */
function drawLayer(
  { design, parameters }: Configuration,
  below: Below,
  turn: number,
  most: number,
): DrawnLayer | undefined {
  const config = design.configure(parameters);
  const side = Math.ceil(Math.sqrt(design.peakMacsPerClock(config)));
  for (let tries = 0; tries < TRIES; tries++) {
    const { layer, input } = randomLayer(drawShape(side, below, tries < TRIES / 2 ? turn : undefined), below(2 ** 31));
    const { outHeight, outWidth, outChannels, batch } = layer;
    if (outHeight < 1 || outWidth < 1) continue;
    const depth = layer.kernelHeight * layer.kernelWidth * (layer.depthwise ? 1 : layer.inChannels);
    const tiles = Math.ceil((batch * outHeight * outWidth) / side) * Math.ceil(outChannels / side);
    // What a design does not take is drawn again.
    if (tiles * depth <= most && design.refuses(layer, config) === null) return { layer, input };
  }
  return undefined;
}

function drawShape(side: number, below: Below, turn: number | undefined): LayerShape {
  const pixels = 2 + Math.ceil(Math.sqrt(6 * side));
  const many = below(3);
  const kernel = [1, 1, 1, 2, 3][below(5)]!;
  const shape: LayerShape = {
    dtype: below(2) === 0 ? "int8" : "uint8",
    batch: below(6) === 0 ? 2 : 1,
    height: kernel + below(pixels),
    width: kernel + below(pixels),
    inChannels: 1 + below(many === 0 ? 100 : 20),
    // More than the buffers hold at a time: operands are sent again, and tiles take turns.
    outChannels: 1 + below((many === 1 ? 12 : 3) * side),
    kernel,
    stride: 1 + below(2),
    dilation: below(8) === 0 ? 2 : 1,
    pad: below(2) * (kernel - 1),
    ...(below(4) === 0 ? { depthwise: true } : below(8) === 0 ? { sums: true } : {}),
    ...(below(5) === 0 ? { shifts: [-31, 4] as const } : {}),
  };
  const least = Math.ceil(Math.sqrt(LONG_TILES * side));
  const long = { height: least + below(3), width: least + below(3), kernel: 1, stride: 1, pad: 0 };
  const deep = { batch: 1, height: 1 + below(2), width: 1 + below(2), kernel: 1, stride: 1, pad: 0, depthwise: false };
  const rows = 2 + below(3);
  const tall = { batch: 1, height: rows + 4 + below(2 * pixels), dilation: 1, stride: 1 + below(3) };
  // Rows so wide that a small line buffer has room for one or two in a bank.
  const wide = (): Partial<LayerShape> => ({
    width: rows + 2 * pixels + below(4 * pixels),
    inChannels: 1 + below(2 * side),
    pad: below(2) * below(rows),
  });
  return {
    ...shape,
    ...(turn === DEPTHWISE && { ...tall, depthwise: true, kernel: rows, pad: below(rows), sums: false }),
    ...(turn === DEPTHWISE && below(3) > 0 && wide()),
    ...(turn === WEIGHTS && { ...deep, inChannels: 32 + below(96), outChannels: (3 + below(10)) * side }),
    ...(turn === LONG && { ...long, inChannels: 1 + below(8), outChannels: 1 + below(side) }),
    ...(turn === NARROW && { ...long, inChannels: 4 + below(8), outChannels: 1, shifts: NARROW_SHIFTS }),
    ...(turn === NARROW && { depthwise: false, sums: false }),
    ...(turn === SUMS && !shape.depthwise && { sums: true }),
  };
}

const textOf = (layer: ConvLayer): string =>
  `${layer.dtype} ${layer.batch}x${layer.inHeight}x${layer.inWidth}x${layer.inChannels} -> ` +
  `${layer.outHeight}x${layer.outWidth}x${layer.outChannels}, kernel ${layer.kernelHeight}, stride ${layer.strideHeight}, ` +
  `dilation ${layer.dilationHeight}, pad ${layer.padTop}${layer.depthwise ? ", depthwise" : ""}${layer.sums ? ", sums" : ""}`;

/** All layers of a case as one program. */
export const compileCase = ({ configuration: { design, parameters }, layers }: Case): Joined =>
  joinLayers(design, design.configure(parameters), layers);
