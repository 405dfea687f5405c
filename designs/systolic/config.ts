/**
 * The one home of the systolic design's constants: its parameters, with their ranges, and the sizes that follow from
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

export interface SystolicConfig extends GemmConfig {
  /** `own`, or a published design that has this one's place (presets); then no other parameter counts. */
  readonly model: string;
}

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
  ...gemmParameters,
  {
    name: "model",
    unit: "",
    default: "own",
    values: ["own", "secda-v4"],
    description: "This design, or a model of SECDA's SA v4 in its place, for which no other parameter counts.",
  },
];

/** Complete and check a set of parameters. */
export function configure(overrides: Readonly<Record<string, ParameterValue>> = {}): SystolicConfig {
  const given = new GivenParameters("systolic", parameters, overrides);
  return { ...gemmConfig(given, given.number("rows"), given.number("cols")), model: given.text("model") };
}

/** The parameters of a configuration, without what follows from them. */
export const describe = (config: SystolicConfig): Record<string, ParameterValue> =>
  describeParameters(parameters, config);
