/**
 * What a design is compiled to for the fast engine: out of the cache, or anew, and as machine code. A simulator that is given it by another
 * thread imports nothing of this.
 */
import type { Elaborated } from "../../hw/index.js";
import { TandemError } from "../../hw/errors.js";
import { cacheFolder, openCache, type CacheIdentity } from "../../sim/fast/cache.js";
import type { EngineImage } from "../../sim/fast/image.js";
import { machineCode, plainCode } from "./machine-code.js";

/** A compiled design as it crosses to another thread: without the texts of its errors. Threads share the machine code, which V8 makes once. */
export interface EngineCode {
  readonly image: EngineImage;
  readonly module: WebAssembly.Module | Promise<WebAssembly.Module>;
}

export interface CodeOptions {
  readonly cache?: string | false;
  readonly warm?: boolean;
}

/** From the cache if it is there. */
export async function engineCode(
  design: Elaborated,
  identity: CacheIdentity,
  { cache, warm }: CodeOptions,
): Promise<EngineCode> {
  const image = openCache(cache)?.get(identity, design) ?? (await compileDesign(design, identity, cache));
  return { image, module: warm ? machineCode(image.wasm, cacheFolder(cache)) : plainCode(image.wasm) };
}

/** Read and compile a design, and keep the image. The compiler is loaded only when it is needed. */
export async function compileDesign(
  design: Elaborated,
  identity: CacheIdentity,
  cache: string | false | undefined,
): Promise<EngineImage> {
  const [{ readDesign }, { compile }, { imageOf }] = await Promise.all([
    import("../../hw/frontend/index.js"),
    import("../../sim/fast/compile.js"),
    import("../../sim/fast/image.js"),
  ]);
  const { ir, diagnostics, files } = await readDesign(design);
  const [first] = diagnostics;
  if (first)
    throw new TandemError(
      `${first.at.file}:${first.at.line}:${first.at.column}: the fast engine cannot run ${identity.design}: ${first.message}`,
      { hint: "See `tandem check`, or run it with --engine kernel." },
    );
  const image = imageOf(compile(ir));
  openCache(cache)?.put(identity, design, files, image);
  return image;
}
