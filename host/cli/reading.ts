/** Reads the source of a registered design into IR. The front end is loaded when it is needed: its parser is native code. */
import type { ParameterValue } from "../../driver/device.js";
import type { Reading } from "../../hw/frontend/index.js";
import { findDesign } from "../registry.js";

export async function readRegistered(
  name: string,
  parameters: Readonly<Record<string, ParameterValue>> = {},
): Promise<Reading> {
  const { design } = findDesign(name);
  const top = design.build(design.configure(parameters));
  const [{ readDesign }, { elaborate }] = await Promise.all([
    import("../../hw/frontend/index.js"),
    import("../../hw/elaborate.js"),
  ]);
  return readDesign(elaborate(top));
}
