/**
 * What the designs that compute matrix products have in common: buffers, streams, post-processor. An array of `rows` by
 * `cols` outputs of any kind stands between them; how it is made is the design's own matter. Tiling, packing of weights and
 * the instruction depend on nothing else.
 */
import { TandemError } from "../../hw/errors.js";
import { checkParameters, type ParameterSpec } from "../design.js";
import type { ParameterValue } from "../device.js";

export interface GemmConfig {
  /** Outputs that are computed together: input rows by output channels. */
  readonly rows: number;
  readonly cols: number;
  /** Buffers, in bytes over all banks. */
  readonly inputBytes: number;
  readonly weightBytes: number;
  readonly outputBytes: number;
  /** Bytes in a beat of a stream, which is also a word of an operand bank. */
  readonly streamBytes: number;
  /** Pairs of an input and an output stream: the rows of a layer are split into so many parts. */
  readonly streams: number;
  readonly weightStreams: number;
  /** 2: two products in one DSP48E1 (Xilinx WP486). */
  readonly productsPerDsp: number;
  /** Output values that the post-processor makes in a clock. */
  readonly lanes: number;
  /** Start a tile while the last one is on its way out of the array. */
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
  /** Columns over `productsPerDsp`. */
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

/** The parameters but for the shape of the array. */
export const gemmParameters: readonly ParameterSpec[] = [
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

/** A design's parameters as given, completed with their defaults; some defaults follow from other parameters. */
export class GivenParameters {
  readonly design: string;
  readonly #specs: readonly ParameterSpec[];
  readonly #given: Readonly<Record<string, ParameterValue>>;

  /** @throws TandemError for an unknown parameter or a value out of range. */
  constructor(
    design: string,
    specs: readonly ParameterSpec[],
    overrides: Readonly<Record<string, ParameterValue>> = {},
  ) {
    this.design = design;
    this.#specs = specs;
    this.#given = checkParameters(design, specs, overrides);
  }

  /** The value of `name`; `unlessGiven` in place of the default. */
  number(name: string, unlessGiven?: number): number {
    return name in this.#given || unlessGiven === undefined ? Number(this.#value(name)) : unlessGiven;
  }

  text(name: string): string {
    return String(this.#value(name));
  }

  flag(name: string): boolean {
    return this.#value(name) === true;
  }

  /** @throws TandemError if d does not divide n. */
  divides(divisor: string, d: number, of: string, n: number): void {
    if (n % d === 0) return;
    const divisors = Array.from({ length: n }, (_, i) => i + 1).filter((i) => n % i === 0);
    throw new TandemError(`Design ${this.design}: ${divisor} = ${d} does not divide ${of} = ${n}`, {
      hint: `Choose ${divisor} among ${divisors.join(", ")}.`,
    });
  }

  /** Words of `wordBytes` in the buffer `name`; addresses have 16 bits. */
  depth(name: string, wordBytes: number, bytes = this.number(name)): number {
    const words = Math.floor(bytes / wordBytes);
    if (words < 1)
      throw new TandemError(`Design ${this.design}: ${name} = ${bytes} is less than one word in each bank`, {
        hint: `Choose ${name} of at least ${wordBytes}.`,
      });
    return Math.min(words, 65535);
  }

  #value(name: string): ParameterValue {
    return this.#given[name] ?? this.#specs.find((spec) => spec.name === name)!.default;
  }
}

/** The configuration around an array of `rows` by `cols`, checked. */
export function gemmConfig(given: GivenParameters, rows: number, cols: number): GemmConfig {
  const lanes = given.number("lanes", largestDivisor(cols, 16));
  const streams = given.number("streams", rows % 2 === 0 ? 2 : 1);
  const weightStreams = given.number("weightStreams", lanes % 2 === 0 ? 2 : 1);
  const productsPerDsp = given.number("productsPerDsp", cols % 2 === 0 ? 2 : 1);
  const streamBytes = given.number("streamBytes");
  given.divides("lanes", lanes, "cols", cols);
  given.divides("streams", streams, "rows", rows);
  given.divides("weightStreams", weightStreams, "lanes", lanes);
  given.divides("productsPerDsp", productsPerDsp, "cols", cols);
  return {
    rows,
    cols,
    productsPerDsp,
    inputBytes: given.number("inputBytes"),
    weightBytes: given.number("weightBytes"),
    outputBytes: given.number("outputBytes"),
    streamBytes,
    streams,
    weightStreams,
    lanes,
    overlapTiles: given.flag("overlapTiles"),
    doubleBuffering: given.flag("doubleBuffering"),
    slots: given.number("slots"),
    resultTiles: given.number("resultTiles"),
    maxChannels: given.number("maxChannels"),
    partRows: rows / streams,
    partCols: cols / weightStreams,
    cellCols: cols / productsPerDsp,
    groups: cols / lanes,
    inputDepth: given.depth("inputBytes", rows * streamBytes),
    weightDepth: given.depth("weightBytes", cols * streamBytes),
    outputDepth: given.depth("outputBytes", streams * lanes),
    parameterDepth: Math.ceil(given.number("maxChannels") / cols) * (cols / lanes),
  };
}

/** The parameters of a configuration, without what follows from them. */
export function describeParameters(specs: readonly ParameterSpec[], config: object): Record<string, ParameterValue> {
  const values = config as Readonly<Record<string, ParameterValue>>;
  return Object.fromEntries(specs.map(({ name }) => [name, values[name]!]));
}
