/**
 * One SystemC program in WebAssembly. A SystemC simulation cannot be started over, so one instance is one simulation;
 * the compiled module is shared.
 */
import { TandemError } from "../../hw/errors.js";

/** What emscripten's runtime gives back. */
interface EmscriptenModule {
  readonly FS: { readFile(path: string): Uint8Array; writeFile(path: string, data: Uint8Array): void };
}
type EmscriptenFactory = (options: Record<string, unknown>) => Promise<EmscriptenModule>;

/** A compiled program, to be shared between instances. */
export interface ProgramImage {
  readonly module: WebAssembly.Module;
  readonly factory: EmscriptenFactory;
}

type Exports = Record<string, (...args: number[]) => number>;

export class SystemCInstance {
  private readonly exports: Exports;
  private readonly memory: WebAssembly.Memory;
  private readonly runtime: EmscriptenModule;
  /** What the program wrote to standard output and error, so far. */
  readonly output: readonly string[];
  /** The lines of it that went to standard output. */
  readonly standardOutput: readonly string[];

  private constructor(
    exports: Exports,
    memory: WebAssembly.Memory,
    runtime: EmscriptenModule,
    output: readonly string[],
    standardOutput: readonly string[],
  ) {
    this.exports = exports;
    this.memory = memory;
    this.runtime = runtime;
    this.output = output;
    this.standardOutput = standardOutput;
  }

  static async create(image: ProgramImage): Promise<SystemCInstance> {
    const output: string[] = [];
    const standardOutput: string[] = [];
    let raw: WebAssembly.Exports | undefined;
    const runtime = await image.factory({
      print: (text: string) => {
        output.push(text);
        standardOutput.push(text);
      },
      printErr: (text: string) => output.push(text),
      instantiateWasm: (
        imports: Record<string, Record<string, WebAssembly.ImportValue>>,
        done: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void,
      ) => {
        patchExceptionShims(imports["env"]!, () => raw!);
        const instance = new WebAssembly.Instance(image.module, imports);
        raw = instance.exports;
        done(instance, image.module);
        return raw;
      },
    });
    const exports = raw as unknown as Exports;
    return new SystemCInstance(
      exports,
      (raw as { memory: WebAssembly.Memory }).memory,
      runtime,
      output,
      standardOutput,
    );
  }

  /** Calls an exported C function with numbers. */
  call(name: string, ...args: number[]): number {
    const fn = this.exports[name];
    if (fn === undefined)
      throw new TandemError(`the program has no function ${name}`, { hint: "Export it when building." });
    return fn(...args);
  }

  get bytes(): Uint8Array {
    return new Uint8Array(this.memory.buffer);
  }
  get words(): Int32Array {
    return new Int32Array(this.memory.buffer);
  }

  /** Copies bytes into the program's memory for the time of a call. */
  withBytes<T>(data: Uint8Array, use: (pointer: number) => T): T {
    const pointer = this.call("malloc", Math.max(1, data.length));
    this.bytes.set(data, pointer);
    try {
      return use(pointer);
    } finally {
      this.call("free", pointer);
    }
  }
  withText<T>(text: string, use: (pointer: number) => T): T {
    return this.withBytes(new TextEncoder().encode(`${text}\0`), use);
  }
  /** A zero-terminated string. */
  text(pointer: number): string {
    const bytes = this.bytes;
    return new TextDecoder().decode(bytes.slice(pointer, bytes.indexOf(0, pointer)));
  }
  /** A file for the program to read. */
  writeFile(path: string, data: Uint8Array): void {
    this.runtime.FS.writeFile(path, data);
  }
  /** A file that the program wrote (a trace). */
  readFile(path: string): Uint8Array {
    return this.runtime.FS.readFile(path);
  }
}

/**
 * Emscripten calls what may throw through a JavaScript shim that notes the stack pointer, to restore it when something is
 * thrown. When a thread is rewound, the shim runs again, but the stack pointer is then that of the suspension, deeper: to
 * restore that one would leak stack at every reset. So the pointers noted first are kept, per thread, over a suspension.
 */
function patchExceptionShims(env: Record<string, WebAssembly.ImportValue>, exports: () => WebAssembly.Exports): void {
  const kept = new Map<number, number[]>();
  let table: WebAssembly.Table | undefined;
  let stackSave: () => number;
  let stackRestore: (pointer: number) => void;
  let setThrew: (threw: number, value: number) => void;
  let memory: WebAssembly.Memory;
  let state: Int32Array;
  let at = 0;
  const link = (): WebAssembly.Table => {
    const all = exports() as Record<string, unknown>;
    stackSave = all["stackSave"] as typeof stackSave;
    stackRestore = all["stackRestore"] as typeof stackRestore;
    setThrew = all["setThrew"] as typeof setThrew;
    memory = all["memory"] as WebAssembly.Memory;
    state = new Int32Array(memory.buffer);
    at = (all["tandem_coroutine_state"] as WebAssembly.Global).value >> 2;
    return (table = all["__indirect_function_table"] as WebAssembly.Table);
  };
  const word = (index: number): number => {
    if (state.buffer !== memory.buffer) state = new Int32Array(memory.buffer);
    return state[at + index]!;
  };
  for (const name of Object.keys(env)) {
    if (!name.startsWith("invoke_")) continue;
    const original = env[name] as (...args: unknown[]) => unknown;
    // Shims with 64-bit arguments go through emscripten's own conversion.
    if (/j/.test(name.slice("invoke_".length))) {
      env[name] = original;
      continue;
    }
    env[name] = (index: number, ...args: number[]): unknown => {
      const functions = table ?? link();
      const rewinding = word(0) === 2;
      const pointer = rewinding ? kept.get(word(1))!.pop()! : stackSave();
      try {
        const result = (functions.get(index) as (...args: number[]) => unknown)(...args);
        if (word(0) === 1) {
          const thread = word(1);
          let pointers = kept.get(thread);
          if (pointers === undefined) kept.set(thread, (pointers = []));
          pointers.push(pointer);
        }
        return result;
      } catch (error) {
        stackRestore(pointer);
        // C++ exceptions are thrown as numbers; anything else is a trap or an exit.
        if (typeof error !== "number") throw error;
        setThrew(1, 0);
        return undefined;
      }
    };
  }
}
