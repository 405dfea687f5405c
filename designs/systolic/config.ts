/**
 * The one home of the systolic design's constants: its parameters, with their ranges, and the sizes that follow from
 * them. Modules, driver half, resource figures and documentation all read this object.
 */
import type { ParameterSpec } from "../../driver/design.js";
import type { ParameterValue } from "../../driver/device.js";
import { describeParameters, gemmConfig, gemmParameters, GivenParameters } from "../../driver/gemm/config.js";
import { modelParameter, type ModelledConfig } from "../gemm/design.js";

export type SystolicConfig = ModelledConfig;

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
  modelParameter("secda-v4", "SECDA's SA v4"),
];

/** Complete and check a set of parameters. */
export function configure(overrides: Readonly<Record<string, ParameterValue>> = {}): SystolicConfig {
  const given = new GivenParameters("systolic", parameters, overrides);
  return { ...gemmConfig(given, given.number("rows"), given.number("cols")), model: given.text("model") };
}

/** The parameters of a configuration, without what follows from them. */
export const describe = (config: SystolicConfig): Record<string, ParameterValue> =>
  describeParameters(parameters, config);
