/**
 * WebAssembly for what the processor does itself: im2col here, operators in host/kernels/fast. All of it is one module with one memory, which
 * whoever computes has for himself until he is done. As V8 likes it, a function is compiled plainly at its first call and well when it has been
 * busy; where a whole network is simulated once, that is too late, so `compileWell` has all of it compiled well before, or read from the user's
 * cache (driver/transport/machine-code.ts).
 */
import { WasmModule, type Code } from "../sim/fast/wasm.js";

export interface Kernels<Functions> {
  readonly functions: Functions;
  /** The memory, with room for so many bytes from address 0; valid until the next call. */
  room(bytes: number): Uint8Array;
}

interface Family {
  readonly name: string;
  readonly functions: () => Readonly<Record<string, Code>>;
  /** Of `current`. */
  opened?: Kernels<unknown> | undefined;
}

const PAGE = 65536;

const families: Family[] = [];
let memory: WebAssembly.Memory | undefined;
let bytes: Uint8Array<ArrayBuffer> | undefined;
let current: WebAssembly.Instance | undefined;

/**
 * Functions under names of their own. Whoever declares some does it when its module is read; opening them compiles all that are declared by then.
 */
export function declareKernels<Functions>(
  name: string,
  functions: () => Readonly<Record<keyof Functions & string, Code>>,
): () => Kernels<Functions> {
  const family: Family = { name, functions };
  families.push(family);
  // The module that there is does not hold them.
  bytes = current = undefined;
  for (const each of families) each.opened = undefined;
  return () => (family.opened ??= openFamily(family)) as Kernels<Functions>;
}

function encoded(): Uint8Array<ArrayBuffer> {
  if (bytes) return bytes;
  const module = new WasmModule();
  for (const { name, functions } of families)
    for (const [key, code] of Object.entries(functions()))
      module.exportFunction(`${name} ${key}`, module.add(`${name} ${key}`, code));
  return (bytes = module.encode(1));
}

function openFamily({ name }: Family): Kernels<unknown> {
  const shared = (memory ??= new WebAssembly.Memory({ initial: 1 }));
  current ??= new WebAssembly.Instance(new WebAssembly.Module(encoded()), { env: { memory: shared } });
  const own = Object.entries(current.exports).filter(([key]) => key.startsWith(`${name} `));
  let view = new Uint8Array(shared.buffer);
  return {
    functions: Object.fromEntries(own.map(([key, value]) => [key.slice(name.length + 1), value])),
    room(wanted) {
      const missing = Math.ceil((wanted - shared.buffer.byteLength) / PAGE);
      if (missing > 0) shared.grow(missing);
      if (view.buffer !== shared.buffer) view = new Uint8Array(shared.buffer);
      return view;
    },
  };
}

let well: Promise<void> | undefined;

/** Compiled well from now on or as soon as it is, where compiled code is kept. Whoever has opened functions before goes on with those. */
export const compileWell = (): Promise<void> => (well ??= recompile());

async function recompile(): Promise<void> {
  const [{ machineCode }, { cacheFolder }] = await Promise.all([
    import("./transport/machine-code.js"),
    import("../sim/fast/cache.js"),
  ]);
  const folder = cacheFolder(undefined);
  // Where nothing is kept it takes longer than it saves.
  if (folder === undefined) return;
  const wasm = encoded();
  const module = await machineCode(wasm, folder);
  // More was declared meanwhile.
  if (wasm !== bytes) return;
  memory ??= new WebAssembly.Memory({ initial: 1 });
  current = new WebAssembly.Instance(module, { env: { memory } });
  for (const each of families) each.opened = undefined;
}
