/**
 * The one home of the vector-MAC design's constants: its parameters, with their ranges, and the sizes that follow from
 * them. Modules, driver half, resource figures and documentation all read this object.
 */
import type { ParameterSpec } from "../../driver/design.js";
import type { ParameterValue } from "../../driver/device.js";
import { describeParameters, gemmConfig, gemmParameters, GivenParameters } from "../../driver/gemm/config.js";
import { modelParameter, type ModelledConfig } from "../gemm/design.js";

export interface VmacConfig extends ModelledConfig {
  readonly units: number;
  /** Outputs of a unit: rows by channels. */
  readonly unitRows: number;
  readonly unitCols: number;
  /** Products that a unit adds to each of its outputs in a clock. */
  readonly depth: number;
  /** Units that share their weights, and have rows of their own; the others share their inputs, and have channels of their own. */
  readonly sharing: number;
  /** Line buffer of depthwise convolutions, in bytes; 0: they stay on the CPU. */
  readonly lineBytes: number;
  /** Words of each of its banks, one byte for every column. */
  readonly lineDepth: number;
}

export const parameters: readonly ParameterSpec[] = [
  modelParameter("secda-v5", "SECDA's VM v5"),
  { name: "units", unit: "units", default: 4, min: 1, max: 16, description: "Vector-MAC units." },
  { name: "unitRows", unit: "rows", default: 4, min: 1, max: 16, description: "Outputs of a unit: input pixels." },
  {
    name: "unitCols",
    unit: "columns",
    default: 4,
    min: 1,
    max: 16,
    description: "Outputs of a unit: output channels.",
  },
  {
    name: "depth",
    unit: "products",
    default: 4,
    values: [1, 2, 4, 8, 16],
    description: "Products added to each output in a clock; at most streamBytes.",
  },
  {
    name: "sharing",
    unit: "units",
    default: 1,
    min: 1,
    max: 16,
    description:
      "Units that share their weights and take rows of their own; 1: the weights are partitioned over the units, which share their inputs. Divides units.",
  },
  {
    name: "lineBytes",
    unit: "bytes",
    default: 64 * 1024,
    min: 0,
    max: 1024 * 1024,
    description:
      "Line buffer of depthwise convolutions, all banks together; 0: they stay on the CPU. Needs whole beats in a word of all columns.",
  },
  // The rows of a tile are few: more weights have to stay.
  ...gemmParameters.map((spec) => (spec.name === "weightBytes" ? { ...spec, default: 128 * 1024 } : spec)),
];

/** Complete and check a set of parameters. */
export function configure(overrides: Readonly<Record<string, ParameterValue>> = {}): VmacConfig {
  const given = new GivenParameters("vmac", parameters, overrides);
  const [units, unitRows, unitCols] = [given.number("units"), given.number("unitRows"), given.number("unitCols")];
  const [depth, sharing] = [given.number("depth"), given.number("sharing")];
  given.divides("sharing", sharing, "units", units);
  given.divides("depth", depth, "streamBytes", given.number("streamBytes"));
  const gemm = gemmConfig(given, unitRows * sharing, (unitCols * units) / sharing);
  const { cols, streamBytes } = gemm;
  const fits = cols % streamBytes === 0;
  const lineBytes = given.number("lineBytes", fits ? 64 * 1024 : 0);
  // Pairs are made of the columns of one weight stream, and a window's two columns take the pairs of two rows.
  const unpaired = gemm.partCols % 2 === 1 || (gemm.rows === 1 && lineBytes > 0);
  if (unpaired && gemm.productsPerDsp === 2) return configure({ ...overrides, productsPerDsp: 1 });
  if (lineBytes > 0) given.divides("streamBytes", streamBytes, "unitCols x units / sharing", cols);
  const lineDepth = lineBytes > 0 ? given.depth("lineBytes", depth * cols, lineBytes) : 0;
  return { ...gemm, model: given.text("model"), lineBytes, lineDepth, units, unitRows, unitCols, depth, sharing };
}

/** The parameters of a configuration, without what follows from them. */
export const describe = (config: VmacConfig): Record<string, ParameterValue> => describeParameters(parameters, config);
