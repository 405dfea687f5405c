/** The programs that come with Accellera's source package, as its CMake files list them: what to compile, what they read. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { buildNative, buildProgram, ensureSources, packageRoot } from "../../sim/systemc-wasm/toolchain.js";
import type { ProgramArtefact } from "../../sim/systemc-wasm/toolchain.js";

export interface Example {
  readonly name: string;
  readonly folder: string;
  readonly sources: readonly string[];
  readonly headers: readonly string[];
  readonly includeFolders: readonly string[];
  /** Files beside the sources that the program may read. */
  readonly data: readonly string[];
}

/** Needs another thread of the operating system, which SystemC in WebAssembly has not. */
const THREADED = "simple_async";

/** All but that one, in order of their names. */
export async function bundledExamples(): Promise<Example[]> {
  const root = join(await ensureSources(() => undefined), "examples");
  const lists = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith("CMakeLists.txt"),
  );
  return lists
    .flatMap((file) => readList(join(root, file)))
    .filter(({ name }) => name !== THREADED)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function readList(file: string): Example[] {
  const folder = dirname(file);
  const text = readFileSync(file, "utf8").replace(/#.*/g, "");
  const calls = (command: string): string[][] =>
    [...text.matchAll(new RegExp(`${command} *\\(([^)]*)\\)`, "g"))].map(([, inside]) => inside!.trim().split(/\s+/));
  return calls("add_executable").map(([name, ...files]) => {
    const includes = calls("target_include_directories").filter(([target]) => target === name);
    const folders = includes.flatMap((words) => words.slice(1)).filter((word) => word !== "PRIVATE");
    const paths = files.map((path) => resolve(folder, path));
    return {
      name: name!,
      folder,
      sources: paths.filter((path) => path.endsWith(".cpp")),
      headers: paths.filter((path) => path.endsWith(".h")),
      includeFolders: [folder, ...folders.map((path) => resolve(folder, path))],
      data: readdirSync(folder)
        .map((entry) => join(folder, entry))
        .filter((path) => statSync(path).isFile() && !/\.(cpp|h|sln|vcxproj|pdf|am|txt|log)$|Makefile/.test(path)),
    };
  });
}

const options = ({ headers, includeFolders }: Example) => ({
  headers,
  flags: ["-O1", "-w", ...includeFolders.flatMap((path) => ["-I", path])],
});

const support = (file: string): string => join(packageRoot(), "test/systemc/native", file);
const library = support("library.cpp");

export const nativeExample = (example: Example): Promise<string> =>
  buildNative(`example-${example.name}`, [...example.sources, library], options(example));

export const wasmExample = (example: Example): Promise<ProgramArtefact> =>
  buildProgram({
    name: `example-${example.name}`,
    sources: [...example.sources, library, support("example.cpp")],
    headers: example.headers,
    includeFolders: example.includeFolders,
    exports: ["tandem_run_example"],
  });

/** Where a data file stands for the program. */
export const nameInProgram = (path: string): string => basename(path);
