/**
 * The one home of the systolic design's constants: its parameters, with their ranges, and the sizes that follow from
 * them. Modules, driver half, resource figures and documentation all read this object.
 */
import { checkParameters, type ParameterSpec } from "../../driver/design.js";
import type { ParameterValue } from "../../driver/device.js";
import { TandemError } from "../../hw/index.js";

export interface SystolicConfig {
  /** Array: input rows by output channels. */
  readonly rows: number;
  readonly cols: number;
  /** 2: a cell holds two adjacent columns and makes both products in one DSP48E1 (Xilinx WP486). */
  readonly productsPerDsp: number;
  /** Buffers, in bytes over all banks. */
  readonly inputBytes: number;
  readonly weightBytes: number;
  readonly outputBytes: number;
  /** Bytes in a beat of a stream, which is also a word of an operand bank. */
  readonly streamBytes: number;
  /** Pairs of an input and an output stream: the rows of a layer are split into so many parts. */
  readonly streams: number;
  readonly weightStreams: number;
  /** Output values that the post-processor makes in a clock. */
  readonly lanes: number;
  /** Start a tile while the last one drains from the array. */
  readonly overlapTiles: boolean;
  /** Load ahead of the multiplication, as far as the buffers reach. */
  readonly doubleBuffering: boolean;
  /** Most tiles that a buffer is divided into. */
  readonly slots: number;
  /** Tiles whose results the array's outlet can hold. */
  readonly resultTiles: number;
  /** Most output channels of a layer. */
  readonly maxChannels: number;

  // What follows from the above.
  /** Array rows per input stream. */
  readonly partRows: number;
  /** Array columns per weight stream. */
  readonly partCols: number;
  /** Columns of cells. */
  readonly cellCols: number;
  /** Clocks that the post-processor takes for a row of a tile. */
  readonly groups: number;
  /** Words of an operand bank, and of an output buffer (`lanes` bytes wide); at most 65,535. */
  readonly inputDepth: number;
  readonly weightDepth: number;
  readonly outputDepth: number;
  /** Words of the parameter memory, `lanes` channels each. */
  readonly parameterDepth: number;
}

const KIB = 1024;

export const parameters: readonly ParameterSpec[] = [
  {
    name: "rows",
    unit: "rows",
    default: 16,
    min: 1,
    max: 64,
    description: "Rows of the array: input pixels at a time.",
  },
  { name: "cols", unit: "columns", default: 16, min: 1, max: 64, description: "Columns: output channels at a time." },
  {
    name: "productsPerDsp",
    unit: "",
    default: 2,
    values: [1, 2],
    description: "Products in one DSP48E1; 2 needs an even number of columns (1 where it is odd).",
  },
  {
    name: "inputBytes",
    unit: "bytes",
    default: 128 * KIB,
    min: 64,
    max: 4096 * KIB,
    description: "Input buffer, all banks together.",
  },
  {
    name: "weightBytes",
    unit: "bytes",
    default: 64 * KIB,
    min: 64,
    max: 4096 * KIB,
    description: "Weight buffer, all banks together.",
  },
  {
    name: "outputBytes",
    unit: "bytes",
    default: 128 * KIB,
    min: 64,
    max: 4096 * KIB,
    description: "Output buffer, all streams together.",
  },
  {
    name: "streamBytes",
    unit: "bytes",
    default: 8,
    values: [4, 8, 16],
    description: "Bytes in a beat of a data stream and in a word of an operand bank.",
  },
  {
    name: "streams",
    unit: "streams",
    default: 2,
    min: 1,
    max: 4,
    description: "Pairs of input and output streams; divides rows (1 where 2 does not).",
  },
  {
    name: "weightStreams",
    unit: "streams",
    default: 2,
    min: 1,
    max: 4,
    description: "Weight streams; divides lanes (1 where 2 does not).",
  },
  {
    name: "lanes",
    unit: "values",
    default: 16,
    min: 1,
    max: 64,
    description: "Outputs per clock of the post-processor; divides cols (the largest divisor up to 16 unless given).",
  },
  {
    name: "overlapTiles",
    unit: "",
    default: true,
    description: "Start a tile while the last one drains from the array.",
  },
  {
    name: "doubleBuffering",
    unit: "",
    default: true,
    description: "Load the next tiles while this one is multiplied.",
  },
  {
    name: "slots",
    unit: "tiles",
    default: 64,
    values: [1, 2, 4, 8, 16, 32, 64, 128],
    description: "Most tiles that a buffer is divided into.",
  },
  {
    name: "resultTiles",
    unit: "tiles",
    default: 3,
    min: 1,
    max: 8,
    description: "Tiles whose results the outlet of the array can hold.",
  },
  {
    name: "maxChannels",
    unit: "channels",
    default: 8192,
    min: 1,
    max: 65536,
    description: "Most output channels of a layer: the size of the post-processor's parameter memory.",
  },
];

const largestDivisor = (n: number, most: number): number => {
  let d = Math.min(n, most);
  while (n % d !== 0) d--;
  return d;
};

/** Complete and check a set of parameters. */
export function configure(overrides: Readonly<Record<string, ParameterValue>> = {}): SystolicConfig {
  const given = checkParameters("systolic", parameters, overrides);
  const value = (name: string): ParameterValue => given[name] ?? parameters.find((p) => p.name === name)!.default;
  const number = (name: string, unlessGiven?: number): number =>
    name in given || unlessGiven === undefined ? Number(value(name)) : unlessGiven;
  const rows = number("rows");
  const cols = number("cols");
  const lanes = number("lanes", largestDivisor(cols, 16));
  const streams = number("streams", rows % 2 === 0 ? 2 : 1);
  const weightStreams = number("weightStreams", lanes % 2 === 0 ? 2 : 1);
  const productsPerDsp = number("productsPerDsp", cols % 2 === 0 ? 2 : 1);
  const streamBytes = number("streamBytes");
  const must = (divisor: string, d: number, of: string, n: number): void => {
    if (n % d !== 0)
      throw new TandemError(`Design systolic: ${divisor} = ${d} does not divide ${of} = ${n}`, {
        hint: `Choose ${divisor} among ${Array.from({ length: n }, (_, i) => i + 1)
          .filter((i) => n % i === 0)
          .join(", ")}.`,
      });
  };
  must("lanes", lanes, "cols", cols);
  must("streams", streams, "rows", rows);
  must("weightStreams", weightStreams, "lanes", lanes);
  must("productsPerDsp", productsPerDsp, "cols", cols);
  // Addresses have 16 bits.
  const depth = (name: string, wordBytes: number): number => {
    const words = Math.floor(number(name) / wordBytes);
    if (words < 1)
      throw new TandemError(`Design systolic: ${name} = ${number(name)} is less than one word in each bank`, {
        hint: `Choose ${name} of at least ${wordBytes}.`,
      });
    return Math.min(words, 65535);
  };
  return {
    rows,
    cols,
    productsPerDsp,
    inputBytes: number("inputBytes"),
    weightBytes: number("weightBytes"),
    outputBytes: number("outputBytes"),
    streamBytes,
    streams,
    weightStreams,
    lanes,
    overlapTiles: value("overlapTiles") === true,
    doubleBuffering: value("doubleBuffering") === true,
    slots: number("slots"),
    resultTiles: number("resultTiles"),
    maxChannels: number("maxChannels"),
    partRows: rows / streams,
    partCols: cols / weightStreams,
    cellCols: cols / productsPerDsp,
    groups: cols / lanes,
    inputDepth: depth("inputBytes", rows * streamBytes),
    weightDepth: depth("weightBytes", cols * streamBytes),
    outputDepth: depth("outputBytes", streams * lanes),
    parameterDepth: Math.ceil(number("maxChannels") / cols) * (cols / lanes),
  };
}

/** The parameters of a configuration, without what follows from them. */
export function describe(config: SystolicConfig): Record<string, ParameterValue> {
  return Object.fromEntries(parameters.map(({ name }) => [name, config[name as keyof SystolicConfig]]));
}
