/**
 * Machine code for a compiled design. Left alone, V8 compiles a function when it is called for the first time, plainly, and well only when
 * it has been busy for a while: a whole network is simulated by then. So all functions are compiled at once, plainly, and then well by
 * V8's own threads, while this one reads the network and packs its weights.
 */
import { setFlagsFromString } from "node:v8";

/** V8's flags for that, and as they are else. They count when a module is compiled. */
const AT_ONCE = ["--no-wasm-lazy-compilation", "--no-wasm-dynamic-tiering"];
const USUAL = ["--wasm-lazy-compilation", "--wasm-dynamic-tiering"];

/** As V8 likes it. */
export const plainCode = (wasm: Uint8Array<ArrayBuffer>): WebAssembly.Module => new WebAssembly.Module(wasm);

export function machineCode(wasm: Uint8Array<ArrayBuffer>): WebAssembly.Module {
  AT_ONCE.forEach(setFlagsFromString);
  try {
    return new WebAssembly.Module(wasm);
  } finally {
    USUAL.forEach(setFlagsFromString);
  }
}
