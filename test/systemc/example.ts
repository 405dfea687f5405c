/** Builds the example design once for all tests that need it. */
import { join } from "node:path";
import { buildUserDesign } from "../../sim/systemc-wasm/user-design.js";
import { packageRoot } from "../../sim/systemc-wasm/toolchain.js";

export const exampleFolder = join(packageRoot(), "designs/examples/systemc-dot-product");
const out = join(packageRoot(), ".cache/systemc-wasm/example");
let built: Promise<string> | undefined;

/** Path of DotProduct.systemc.json. */
export function exampleDesign(): Promise<string> {
  return (built ??= buildUserDesign(exampleFolder, "DotProduct", out));
}
