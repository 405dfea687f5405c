/**
 * Machine code for a compiled design. Left alone, V8 compiles a function when it is called for the first time, plainly, and well only when
 * it has been busy for a while: a whole network is simulated by then. So for whole networks all functions are compiled well at once, by
 * V8's own threads, while this one reads the network and packs its weights; and the code is kept in the user's cache folder, so that the
 * next process reads it instead (0.6 MB in a millisecond, where compiling takes 0.2 s of processor time).
 *
 * V8 has functions that write and read machine code, which Node offers to nobody but V8's own tests (`--allow-natives-syntax`; they are used
 * by Chromium's cache of compiled code in the same way). V8 refuses code of another version of itself, other flags, or another processor; a file
 * is also refused if it is not whole (sim/kept-file.ts), and only versions of V8 that this was tried with are asked. Everywhere else
 * the design is compiled.
 */
import { createHash } from "node:crypto";
import { url as debuggedAt } from "node:inspector";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { readKept, writeKept } from "../../sim/kept-file.js";

/**
 * For functions with more than 8,192 virtual registers V8 takes an allocator that keeps hardly anything in a register: they were three times as
 * slow (docs/engines.md). Later versions than Node 20's were not tried.
 */
const HUGE = process.versions.v8.startsWith("11.") ? ["turbo-use-mid-tier-regalloc-for-huge-functions"] : [];

/** V8's flags for good code of all functions at once, and as they are else. They count while a module is compiled. */
const AT_ONCE = [
  "--no-liftoff",
  "--no-wasm-lazy-compilation",
  "--no-wasm-dynamic-tiering",
  ...HUGE.map((flag) => `--no-${flag}`),
];
const USUAL = ["--liftoff", "--wasm-lazy-compilation", "--wasm-dynamic-tiering", ...HUGE.map((flag) => `--${flag}`)];

const MAGIC = Buffer.from("tandem machine code 1\n");

/** A custom section (WebAssembly 1.0, 5.5.3) named `tandem`: V8 keeps modules of equal bytes together, and this one is not compiled as others are. */
const SECTION = Uint8Array.from([0, 7, 6, ...Buffer.from("tandem")]);

/** As V8 likes it. */
export const plainCode = (wasm: Uint8Array<ArrayBuffer>): WebAssembly.Module => new WebAssembly.Module(wasm);

let last: Promise<unknown> = Promise.resolve();

/**
 * All functions compiled well, kept below `folder`, if there is one. One module after the other: what is written under the flags of another that is
 * being compiled would be refused by the next process, which has the usual ones when it reads.
 */
export function machineCode(wasm: Uint8Array<ArrayBuffer>, folder: string | undefined): Promise<WebAssembly.Module> {
  const before = last;
  const module = before.then(() => readOrCompile(wasm, folder));
  last = module.catch(() => undefined);
  return module;
}

async function readOrCompile(wasm: Uint8Array<ArrayBuffer>, folder: string | undefined): Promise<WebAssembly.Module> {
  const bytes = new Uint8Array(wasm.length + SECTION.length);
  bytes.set(wasm);
  bytes.set(SECTION, wasm.length);
  if (folder === undefined || !hasNatives()) return compileWell(bytes);
  const path = join(folder, "machine-code", `${nameOf(bytes)}.bin`);
  const kept = readKept(path, MAGIC);
  const known = kept && deserialized(Uint8Array.from(kept).buffer, bytes);
  if (known) return known;
  const module = await compileWell(bytes);
  const code = serialized(module);
  if (code) writeKept(path, MAGIC, new Uint8Array(code));
  return module;
}

async function compileWell(bytes: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Module> {
  AT_ONCE.forEach(setFlagsFromString);
  // Node 24 ends a process that waits for nothing but V8's compiler.
  const alive = setInterval(() => undefined, 2 ** 30);
  try {
    return await WebAssembly.compile(bytes);
  } finally {
    clearInterval(alive);
    USUAL.forEach(setFlagsFromString);
  }
}

/** The code is V8's own, for this processor, under its flags. */
function nameOf(bytes: Uint8Array): string {
  const { versions, arch, execArgv, env } = process;
  const key = createHash("sha256").update(bytes);
  key.update(JSON.stringify([versions.v8, arch, execArgv, env["NODE_OPTIONS"] ?? ""]));
  return key.digest("hex").slice(0, 40);
}

/** Node 20 and 24. */
const TRIED = /^(11\.3|13\.6)\./;

/** Not where a debugger has code made that can be stepped through. */
const hasNatives = (): boolean => debuggedAt() === undefined && TRIED.test(process.versions.v8);

/**
 * What a function of V8's gives; undefined if it cannot be asked. The text is made a function for each call, under the flag without which it is no
 * JavaScript: V8 forgets what it has made of a text that was not needed for a while, and reads it again.
 */
function native(call: string, ...values: readonly unknown[]): unknown {
  setFlagsFromString("--allow-natives-syntax");
  try {
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- no parser but V8's own, under its flag, reads this syntax
    return (new Function("a", "b", `return ${call}`) as (...values: readonly unknown[]) => unknown)(...values);
  } catch {
    // Node was started so that no text becomes code.
    return undefined;
  } finally {
    setFlagsFromString("--no-allow-natives-syntax");
  }
}

/** Of a module whose functions are all compiled well; V8 ends the process if none is. */
const serialized = (module: WebAssembly.Module): ArrayBuffer | undefined =>
  native("%SerializeWasmModule(a)", module) as ArrayBuffer | undefined;

/** Undefined if the code is not for this V8. */
const deserialized = (code: ArrayBuffer, wasm: Uint8Array): WebAssembly.Module | undefined =>
  native("%DeserializeWasmModule(a, b)", code, wasm) as WebAssembly.Module | undefined;
