/** `tandem systemc build`: a folder with a user's SystemC module becomes a WebAssembly accelerator and a file about it. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { TandemError } from "../../hw/errors.js";
import { BINDING_EXPORTS, SystemCModel } from "./model.js";
import { loadProgram } from "./node-loader.js";
import { buildProgram, cacheFolder, packageRoot } from "./toolchain.js";

/** The content of NAME.systemc.json. */
export interface SystemCDesign {
  readonly format: "tandem-systemc/1";
  readonly top: string;
  readonly protocol: "dot-product/1";
  /** Files beside this one. */
  readonly wasm: string;
  readonly glue: string;
  /** Columns of weights and values in each that the design holds at a time. */
  readonly columns: number;
  readonly depth: number;
  readonly macsPerClock: number;
  /** Picoseconds. */
  readonly clockPeriod: number;
}

/** Builds the module `top` of a folder; returns the path of the file that `--design` takes. */
export async function buildUserDesign(
  folder: string,
  top: string,
  out: string,
  log: (text: string) => void = () => undefined,
): Promise<string> {
  const files = existsSync(folder) ? readdirSync(folder) : [];
  const headers = files.filter((name) => /\.(h|hpp)$/.test(name)).map((name) => join(folder, name));
  const sources = files.filter((name) => /\.(cpp|cc)$/.test(name)).map((name) => resolve(folder, name));
  if (!/^[A-Za-z_]\w*$/.test(top)) {
    throw new TandemError(`--top ${top} is no name of a C++ class`, { hint: "Name the module: --top DotProduct" });
  }
  const home = headers.find((file) =>
    new RegExp(`(struct|class|SC_MODULE\\()\\s*${top}\\b`).test(readFileSync(file, "utf8")),
  );
  if (home === undefined) {
    throw new TandemError(`no header in ${folder} declares a module ${top}`, {
      hint: `Found ${headers.length} headers; the module must be declared in a .h file of that folder itself.`,
    });
  }
  const native = join(packageRoot(), "sim/systemc-wasm/native");
  // The piece between the binding and the user's class. A class without a constant has 0 there.
  const glue = join(cacheFolder(), `top-${top}.cpp`);
  writeFileSync(
    glue,
    `// Written by tandem systemc build.
#include "binding.h"
#include ${JSON.stringify(resolve(home))}
#define CONSTANT(NAME) \\
  template <class T> auto get_##NAME(int) -> decltype(double(T::NAME)) { return double(T::NAME); } \\
  template <class T> double get_##NAME(long) { return 0; }
CONSTANT(COLUMNS) CONSTANT(DEPTH) CONSTANT(MACS_PER_CLOCK)
sc_core::sc_module* tandem_create_top(const char* name) { return new ${top}(name); }
double tandem_constant(int which) {
  return which == 0 ? get_COLUMNS<${top}>(0) : which == 1 ? get_DEPTH<${top}>(0) : get_MACS_PER_CLOCK<${top}>(0);
}
`,
  );
  const program = {
    name: top,
    sources: [...sources, glue, join(native, "binding.cpp")],
    headers: [...headers, join(native, "binding.h")],
    includeFolders: [resolve(folder)],
    exports: BINDING_EXPORTS,
    out: resolve(out),
  };
  const artefact = await buildProgram(program, log);
  const model = await SystemCModel.load(await loadProgram(artefact));
  const [columns, depth] = [model.constant("COLUMNS"), model.constant("DEPTH")];
  if (!(columns >= 1) || !(depth >= 4) || depth % 4 !== 0) {
    throw new TandemError(`${top} has COLUMNS = ${columns} and DEPTH = ${depth}`, {
      hint: "The class needs static const int COLUMNS >= 1 and DEPTH, a multiple of 4; see docs/systemc.md.",
    });
  }
  const design: SystemCDesign = {
    ...{ format: "tandem-systemc/1", top, protocol: "dot-product/1", wasm: `${top}.wasm`, glue: `${top}.mjs` },
    ...{ columns, depth, macsPerClock: model.constant("MACS_PER_CLOCK") || columns, clockPeriod: 10_000 },
  };
  const file = join(resolve(out), `${top}.systemc.json`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(design, undefined, 2)}\n`);
  return file;
}

/** Reads NAME.systemc.json. @throws TandemError if it is none, or one of its files is missing. */
export function readUserDesign(file: string): { design: SystemCDesign; wasm: string; glue: string } {
  const hint = "Make it with: tandem systemc build DIR --top NAME";
  let design: SystemCDesign;
  try {
    design = JSON.parse(readFileSync(file, "utf8")) as SystemCDesign;
  } catch (cause) {
    throw new TandemError(`cannot read the SystemC design ${file}`, { hint, cause });
  }
  const fields = [design.wasm, design.glue, design.top];
  const numbers = [design.columns, design.depth, design.macsPerClock, design.clockPeriod];
  if (
    (design.format as string) !== "tandem-systemc/1" ||
    (design.protocol as string) !== "dot-product/1" ||
    !fields.every((field) => typeof field === "string") ||
    !numbers.every((value) => Number.isInteger(value) && value > 0)
  ) {
    throw new TandemError(`${file} does not describe a SystemC design of format tandem-systemc/1`, { hint });
  }
  const [wasm, glue] = [resolve(dirname(file), design.wasm), resolve(dirname(file), design.glue)];
  for (const part of [wasm, glue])
    if (!existsSync(part)) throw new TandemError(`${file} needs ${part}, which is missing`, { hint });
  return { design, wasm, glue };
}
