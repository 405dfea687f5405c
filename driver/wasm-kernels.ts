/**
 * WebAssembly for what the processor does itself: im2col here, operators in host/kernels/fast. All of it is one module with one memory, which
 * whoever computes has for himself until he is done. As V8 likes it, a function is compiled plainly at its first call and well when it has been
 * busy; where a whole network is simulated once, that is too late, so driver/transport/kernel-code.ts has all of it compiled well before. Nothing of
 * Node is needed here: designs compute in a browser, too.
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

/** The module of all that is declared by now. */
export function kernelBytes(): Uint8Array<ArrayBuffer> {
  if (bytes) return bytes;
  const module = new WasmModule();
  for (const { name, functions } of families)
    for (const [key, code] of Object.entries(functions()))
      module.exportFunction(`${name} ${key}`, module.add(`${name} ${key}`, code));
  return (bytes = module.encode(1));
}

function openFamily({ name }: Family): Kernels<unknown> {
  const shared = (memory ??= new WebAssembly.Memory({ initial: 1 }));
  current ??= new WebAssembly.Instance(new WebAssembly.Module(kernelBytes()), { env: { memory: shared } });
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

/** Room that will be asked for, before it is: a system gives memory when it is first written to, which takes as long as a copy of it. */
export function reserveRoom(wanted: number): void {
  const shared = (memory ??= new WebAssembly.Memory({ initial: 1 }));
  const before = shared.buffer.byteLength;
  if (wanted <= before) return;
  shared.grow(Math.ceil((wanted - before) / PAGE));
  new Uint8Array(shared.buffer, before).fill(0);
}

/** Go on with this module, compiled from what `kernelBytes` gave, unless more was declared since. Whoever has opened functions before goes on with those. */
export function useKernels(wasm: Uint8Array<ArrayBuffer>, module: WebAssembly.Module): void {
  if (wasm !== bytes) return;
  memory ??= new WebAssembly.Memory({ initial: 1 });
  current = new WebAssembly.Instance(module, { env: { memory } });
  for (const each of families) each.opened = undefined;
}
