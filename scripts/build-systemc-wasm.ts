/** `node dist/scripts/build-systemc-wasm.js`: SystemC for WebAssembly from nothing, and the example design with it. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { TandemError } from "../hw/errors.js";
import { ensureLibrary, packageRoot } from "../sim/systemc-wasm/toolchain.js";
import { buildUserDesign } from "../sim/systemc-wasm/user-design.js";

try {
  const start = Date.now();
  const { archive } = await ensureLibrary(console.log);
  console.log(`${archive}: ${statSync(archive).size} bytes, ${((Date.now() - start) / 1000).toFixed(0)} s`);
  const example = join(packageRoot(), "designs/examples/systemc-dot-product");
  console.log(await buildUserDesign(example, "DotProduct", "out/systemc", console.log));
} catch (error) {
  if (!(error instanceof TandemError)) throw error;
  console.error(`error: ${error.message}${error.hint === undefined ? "" : `\n${error.hint}`}`);
  process.exitCode = 1;
}
