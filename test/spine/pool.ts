/**
 * The configurations that the spine runs: for every design of the registry about a dozen, which differ in the size of the
 * array, buffers, streams, lanes, and in what overlaps. A design without a list here fails the spine.
 */
import type { Design } from "../../driver/design.js";
import type { ParameterValue } from "../../driver/device.js";
import { TandemError } from "../../hw/errors.js";
import { allDesigns } from "../../host/registry.js";

type Parameters = Readonly<Record<string, ParameterValue>>;

export interface Configuration {
  readonly design: Design;
  readonly parameters: Parameters;
  /** `systolic rows=4 cols=4`. */
  readonly label: string;
}

/** Buffers of a few tiles, so that layers are tiled and operands sent again. */
const small: Parameters = { inputBytes: 2048, weightBytes: 1024, outputBytes: 1024 };
const few: Parameters = { ...small, lineBytes: 2048 };
/** Nothing overlaps and nothing is kept. */
const plain: Parameters = { doubleBuffering: false, overlapTiles: false, slots: 1, resultTiles: 1 };

/** One narrow stream each way, one output a clock. */
const narrow: Parameters = { productsPerDsp: 1, lanes: 1, streamBytes: 4, streams: 1, weightStreams: 1 };

const CONFIGURATIONS: Readonly<Record<string, readonly Parameters[]>> = {
  systolic: [
    { rows: 1, cols: 1 },
    { rows: 2, cols: 3, ...small, maxChannels: 64 },
    { rows: 4, cols: 4, ...small },
    { rows: 4, cols: 4, ...small, ...plain },
    { rows: 4, cols: 4, productsPerDsp: 1, lanes: 2, streamBytes: 4, streams: 4, weightStreams: 1, slots: 4 },
    { rows: 6, cols: 8, lanes: 4, streamBytes: 16, streams: 3, weightStreams: 4, resultTiles: 1 },
    { rows: 3, cols: 10, lanes: 1, overlapTiles: false },
    { rows: 8, cols: 8 },
    { rows: 8, cols: 8, inputBytes: 8192, weightBytes: 4096, outputBytes: 4096, lanes: 8, doubleBuffering: false },
    // A word of results leaves in four beats.
    { rows: 4, cols: 16, lanes: 16, streamBytes: 4 },
    { rows: 12, cols: 20 },
    { rows: 16, cols: 16 },
    { rows: 16, cols: 16, ...plain, ...narrow },
  ],
  vmac: [
    { units: 1, unitRows: 1, unitCols: 1, depth: 1 },
    { units: 1, unitRows: 2, unitCols: 3, depth: 2, ...small, maxChannels: 64 },
    { units: 2, unitRows: 2, unitCols: 4, depth: 4, ...few },
    { units: 4, unitRows: 2, unitCols: 2, depth: 4, sharing: 2, streamBytes: 4, ...few, ...plain },
    {
      // Words of the line buffer take two beats.
      units: 2,
      unitRows: 4,
      unitCols: 4,
      depth: 2,
      productsPerDsp: 1,
      streamBytes: 4,
      streams: 4,
      weightStreams: 1,
      slots: 4,
    },
    { units: 3, unitRows: 3, unitCols: 5, depth: 8, lanes: 1, overlapTiles: false },
    { units: 2, unitRows: 4, unitCols: 4, depth: 16, streamBytes: 16, resultTiles: 1 },
    { units: 8, unitRows: 2, unitCols: 4, depth: 2, sharing: 2, slots: 4, lanes: 8, weightStreams: 4 },
    { units: 4, unitRows: 2, unitCols: 4, depth: 2, lanes: 16, streamBytes: 4 },
    { units: 4, unitRows: 4, unitCols: 4, depth: 4 },
    { units: 4, unitRows: 4, unitCols: 4, depth: 4, sharing: 4 },
    {
      units: 4,
      unitRows: 4,
      unitCols: 4,
      depth: 4,
      inputBytes: 8192,
      weightBytes: 4096,
      outputBytes: 4096,
      lineBytes: 4096,
      doubleBuffering: false,
    },
    { units: 4, unitRows: 4, unitCols: 4, depth: 4, ...plain, ...narrow },
  ],
};

const configurationsOf = (design: Design): Configuration[] => {
  const list = CONFIGURATIONS[design.name];
  if (!list)
    throw new TandemError(`test/spine/pool.ts has no configurations of the design ${design.name}`, {
      hint: "Add about a dozen to CONFIGURATIONS.",
    });
  return list.map((parameters) => {
    const words = Object.entries(parameters).map(([name, value]) => `${name}=${String(value)}`);
    return { design, parameters, label: [design.name, ...words].join(" ") };
  });
};

/** Every configuration, by design. */
export const POOL: ReadonlyMap<string, readonly Configuration[]> = new Map(
  (await allDesigns()).map(({ design }) => [design.name, configurationsOf(design)]),
);

/** By design: small, packed, with buffers that fill, so that what is changed in it shows in few layers. */
export const MUTATED: ReadonlyMap<string, Configuration> = new Map([...POOL].map(([name, pool]) => [name, pool[2]!]));
