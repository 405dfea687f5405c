/**
 * The one home of the vector-MAC design's constants: its parameters, with their ranges, and the sizes that follow from
 * them. Modules, driver half, resource figures and documentation all read this object.
 */
import type { ParameterSpec } from "../../driver/design.js";
import type { ParameterValue } from "../../driver/device.js";
import {
  describeParameters,
  gemmConfig,
  gemmParameters,
  GivenParameters,
  type GemmConfig,
} from "../../driver/gemm/config.js";

export interface VmacConfig extends GemmConfig {
  readonly units: number;
  /** Outputs of a unit: rows by channels. */
  readonly unitRows: number;
  readonly unitCols: number;
  /** Products that a unit adds to each of its outputs in a clock. */
  readonly depth: number;
  /** Units that share their weights, and have rows of their own; the others share their inputs, and have channels of their own. */
  readonly sharing: number;
}

export const parameters: readonly ParameterSpec[] = [
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
  ...gemmParameters,
];

/** Complete and check a set of parameters. */
export function configure(overrides: Readonly<Record<string, ParameterValue>> = {}): VmacConfig {
  const given = new GivenParameters("vmac", parameters, overrides);
  const [units, unitRows, unitCols] = [given.number("units"), given.number("unitRows"), given.number("unitCols")];
  const [depth, sharing] = [given.number("depth"), given.number("sharing")];
  given.divides("sharing", sharing, "units", units);
  given.divides("depth", depth, "streamBytes", given.number("streamBytes"));
  const gemm = gemmConfig(given, unitRows * sharing, (unitCols * units) / sharing);
  // Pairs are made of the columns of one weight stream.
  if (gemm.partCols % 2 === 1 && gemm.productsPerDsp === 2) return configure({ ...overrides, productsPerDsp: 1 });
  return { ...gemm, units, unitRows, unitCols, depth, sharing };
}

/** The parameters of a configuration, without what follows from them. */
export const describe = (config: VmacConfig): Record<string, ParameterValue> => describeParameters(parameters, config);
