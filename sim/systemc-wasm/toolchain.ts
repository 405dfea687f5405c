/**
 * Builds Accellera's SystemC and programs on it for WebAssembly: Debian's `emscripten`, `binaryen` and source package
 * `systemc`, nothing else. Everything lands in a cache directory and is built again only if its inputs change.
 *
 * Steps: fetch and unpack the source package (its checksum is checked); compile the library once into an archive;
 * compile and link a program; let Binaryen's asyncify pass make its threads suspendable; strip.
 */
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { TandemError } from "../../hw/errors.js";
import { hasCommand, run, runAll } from "./commands.js";

/** SystemC 2.3.4 as Debian 12 packages it. */
const UPSTREAM = {
  version: "2.3.4",
  archive: "systemc_2.3.4.orig.tar.gz",
  sha256: "83ef55e30cf18b02f9405c9252c86f3b34e0b96be051c0def9fc8e57a0653dfb",
};

/** Flags for every translation unit. C++ exceptions go through JavaScript: WebAssembly's own do not mix with asyncify. */
const COMPILE = ["-O2", "-std=c++17", "-fexceptions", "-DSC_DISABLE_ASYNC_UPDATES", "-Wno-everything"];
/** 64 KiB of C stack for a thread unless it asks for more. */
const LIBRARY = ["-DSC_BUILD", "-DSC_INCLUDE_FX", "-DSC_OVERRIDE_DEFAULT_STACK_SIZE=0x10000"];
const LINK = [
  "-O2",
  "-fexceptions",
  "--no-entry",
  "--profiling-funcs",
  "-sMODULARIZE",
  "-sEXPORT_ES6",
  "-sENVIRONMENT=web",
  "-sALLOW_MEMORY_GROWTH",
  "-sINITIAL_MEMORY=16777216",
  "-sTOTAL_STACK=1048576",
  "-sEXPORTED_RUNTIME_METHODS=FS",
];

/**
 * Functions that are never on a thread's stack when it suspends: the scheduler, what it calls, and what only computes or
 * prints. Left out of the asyncify pass they keep their size and speed. Asyncify does not check this list: a function on
 * it must not wait, nor call anything of the user's that may (so `sc_simcontext::preempt_with` is not on it).
 */
const NEVER_SUSPENDED = [
  ...["crunch", "simulate", "cycle", "initial_crunch", "initialize", "elaborate", "prepare_to_simulate"].map(
    (name) => `sc_core::sc_simcontext::${name}*`,
  ),
  ...["do_timestep", "trace_cycle", "do_sc_stop_action", "end"].map((name) => `sc_core::sc_simcontext::${name}*`),
  ...["sc_start*", "sc_event::*", "sc_prim_channel*", "sc_signal*", "sc_fifo*::update*", "sc_clock*", "sc_report*"].map(
    (name) => `sc_core::${name}`,
  ),
  ...["sc_trace*", "vcd*", "wif*", "sc_object*", "sc_port_*", "sc_module_registry*", "sc_name*", "sc_time*"].map(
    (name) => `sc_core::${name}`,
  ),
  ...["non-virtual thunk to sc_core::sc_signal*", "virtual thunk to std::__2::*", "non-virtual thunk to std::__2::*"],
  ...["basic_", "num_", "time_", "money", "__num", "__time", "ctype", "codecvt", "locale", "ios_base", "__std"].map(
    (name) => `std::__2::${name}*`,
  ),
  ...["sc_dt::*", "printf_core", "fmt_fp", "__cxxabiv1::*"],
];

/** Root of this package, from `dist` or from the sources. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json"))) {
    const above = dirname(folder);
    if (above === folder)
      throw new TandemError("the package's own folder was not found", { hint: "Install it again." });
    folder = above;
  }
  return folder;
}

export function cacheFolder(): string {
  const folder = resolve(process.env["TANDEM_SYSTEMC_CACHE"] ?? join(packageRoot(), ".cache"), "systemc-wasm");
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** What is missing to build here, as a clause, or null. */
export function missingTools(): string | null {
  for (const [command, name] of [
    ["em++", "emscripten"],
    ["wasm-opt", "binaryen"],
    ["dpkg-source", "dpkg-dev"],
    ["apt-get", "apt"],
  ] as const) {
    if (!hasCommand(command)) return `${command} (Debian's package ${name}) is not installed`;
  }
  return null;
}

function requireTools(): void {
  const missing = missingTools();
  if (missing !== null) {
    throw new TandemError(`cannot build SystemC for WebAssembly: ${missing}`, {
      hint: "On Debian 12 run scripts/setup-debian.sh as root.",
    });
  }
}

const nativeFolder = (): string => join(packageRoot(), "sim/systemc-wasm/native");

/** Environment for emscripten: the cache that Debian's package ships is frozen; it needs node's modules for -O2. */
const environment = { NODE_PATH: "/usr/share/nodejs" };

/** Unpacked sources of SystemC; fetched once, with its own list of sources so that the system's stays as it is. */
export async function ensureSources(log: (text: string) => void): Promise<string> {
  const folder = join(cacheFolder(), `systemc-${UPSTREAM.version}`);
  if (existsSync(join(folder, "src/systemc"))) return folder;
  requireTools();
  const work = join(cacheFolder(), `fetch-${process.pid}`);
  rmSync(work, { recursive: true, force: true });
  mkdirSync(join(work, "lists/partial"), { recursive: true });
  const key = "/usr/share/keyrings/debian-archive-keyring.gpg";
  writeFileSync(join(work, "sources.list"), `deb-src [signed-by=${key}] http://deb.debian.org/debian bookworm main\n`);
  const apt = [
    ...["-qq", "-o", `Dir::Etc::SourceList=${work}/sources.list`, "-o", "Dir::Etc::SourceParts=-"],
    ...["-o", `Dir::State::Lists=${work}/lists`, "-o", "Acquire::Retries=3", "-o", "APT::Sandbox::User=root"],
  ];
  try {
    log(`fetching the source package systemc ${UPSTREAM.version}`);
    await run("apt-get", [...apt, "update"], { cwd: work });
    await run("apt-get", [...apt, "source", "--download-only", "systemc=2.3.4-2"], { cwd: work });
    const sum = createHash("sha256")
      .update(readFileSync(join(work, UPSTREAM.archive)))
      .digest("hex");
    if (sum !== UPSTREAM.sha256) {
      throw new TandemError(`${UPSTREAM.archive} has sha256 ${sum}, expected ${UPSTREAM.sha256}`, {
        hint: "Fetch it again; if it stays so, the package has changed and this build has to be looked at.",
      });
    }
    const dsc = readdirSync(work).find((name) => name.endsWith(".dsc"))!;
    await run("dpkg-source", ["-x", dsc, "unpacked"], { cwd: work });
    rmSync(folder, { recursive: true, force: true });
    renameSync(join(work, "unpacked"), folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return folder;
}

export interface Library {
  readonly archive: string;
  readonly include: string;
}

/** The library as an archive; about a minute of one core, once. */
export async function ensureLibrary(log: (text: string) => void = () => undefined): Promise<Library> {
  const sources = await ensureSources(log);
  const include = join(sources, "src");
  const native = nativeFolder();
  const inputs = [join(native, "coroutine.h"), join(native, "coroutine.cpp")];
  const key = digest([...COMPILE, ...LIBRARY, UPSTREAM.sha256], inputs);
  const archive = join(cacheFolder(), `libsystemc-${key}.a`);
  if (existsSync(archive)) return { archive, include };
  requireTools();
  const objects = join(cacheFolder(), `objects-${process.pid}`);
  rmSync(objects, { recursive: true, force: true });
  mkdirSync(objects, { recursive: true });
  try {
    const files = ["sysc", "tlm_core", "tlm_utils"].flatMap((folder) => cppFiles(join(include, folder)));
    const skip = /sc_cor_|sc_main/;
    const jobs = files
      .filter((file) => !skip.test(basename(file)))
      .map((file, index) => {
        const scheduler = basename(file) === "sc_simcontext.cpp";
        const coroutine = scheduler ? ["-DSC_COR_QT_H", "-include", join(native, "coroutine.h")] : [];
        const flags = [...COMPILE, ...LIBRARY, ...coroutine, "-I", include];
        return ["-c", ...flags, file, "-o", join(objects, `${index}-${basename(file)}.o`)];
      });
    jobs.push(["-c", ...COMPILE, "-I", include, join(native, "coroutine.cpp"), "-o", join(objects, "coroutine.o")]);
    log(`compiling SystemC ${UPSTREAM.version} for WebAssembly: ${jobs.length} files`);
    await runAll("em++", jobs, { cwd: objects, env: environment });
    const temporary = join(objects, "library.a");
    await run("emar", ["rcs", temporary, ...readdirSync(objects).filter((name) => name.endsWith(".o"))], {
      cwd: objects,
      env: environment,
    });
    renameSync(temporary, archive);
  } finally {
    rmSync(objects, { recursive: true, force: true });
  }
  return { archive, include };
}

/** A native executable linked with Debian's libsystemc, cached by content. */
export async function buildNative(
  name: string,
  sources: readonly string[],
  options: { readonly flags?: readonly string[]; readonly headers?: readonly string[] } = {},
): Promise<string> {
  const flags = ["-std=c++17", "-Wall", "-Wextra", ...(options.flags ?? ["-O1"])];
  const folder = join(cacheFolder(), "native");
  const program = join(folder, `${name}-${digest(flags, [...sources, ...(options.headers ?? [])])}`);
  if (existsSync(program)) return program;
  const work = join(folder, `work-${name}-${process.pid}`);
  mkdirSync(work, { recursive: true });
  try {
    const jobs = sources.map((file, index) => ["-c", ...flags, file, "-o", join(work, `${index}.o`)]);
    await runAll("g++", jobs, { cwd: work });
    await run("g++", [...jobs.map((_, index) => `${index}.o`), "-lsystemc", "-o", "program"], { cwd: work });
    renameSync(join(work, "program"), program);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return program;
}

export interface ProgramSource {
  /** Name of the artefact. */
  readonly name: string;
  /** Translation units. */
  readonly sources: readonly string[];
  /** Files that the sources include, for the cache's key. */
  readonly headers?: readonly string[];
  readonly includeFolders?: readonly string[];
  /** C functions to export; `malloc` and `free` always are. */
  readonly exports: readonly string[];
  /** Where to put the result; default: the cache. */
  readonly out?: string;
}

/** A program as two files for `SystemCInstance.load`: the module, and emscripten's runtime for it. */
export interface ProgramArtefact {
  readonly wasm: string;
  readonly glue: string;
}

/** Compiles and links a program, unless the cache has it. */
export async function buildProgram(
  program: ProgramSource,
  log: (text: string) => void = () => undefined,
): Promise<ProgramArtefact> {
  const library = await ensureLibrary(log);
  const native = nativeFolder();
  const inputs = [...program.sources, ...(program.headers ?? [])];
  const flags = [...COMPILE, ...LINK, ...NEVER_SUSPENDED, ...program.exports, basename(library.archive), "2"];
  const folder = join(cacheFolder(), `${program.name}-${digest(flags, inputs)}`);
  const cached = { wasm: join(folder, `${program.name}.wasm`), glue: join(folder, `${program.name}.mjs`) };
  if (!existsSync(cached.wasm)) {
    requireTools();
    const work = join(cacheFolder(), `link-${program.name}-${process.pid}`);
    rmSync(work, { recursive: true, force: true });
    mkdirSync(work, { recursive: true });
    try {
      const includes = [library.include, native, ...(program.includeFolders ?? [])].flatMap((path) => ["-I", path]);
      log(`compiling ${program.name}: ${program.sources.length} files`);
      const jobs = program.sources.map((file, index) => {
        return ["-c", ...COMPILE, ...includes, resolve(file), "-o", join(work, `${index}.o`)];
      });
      await runAll("em++", jobs, { cwd: work, env: environment });
      log(`linking ${program.name}`);
      const names = [...program.exports, "malloc", "free", "tandem_coroutine_state"].map((name) => `_${name}`);
      const objects = jobs.map((_, index) => `${index}.o`);
      const exported = `-sEXPORTED_FUNCTIONS=${names.join(",")}`;
      // The asyncify pass resolves these imports; emscripten only has to let them through.
      const imports = ["start_unwind", "stop_unwind", "start_rewind", "stop_rewind"].map(
        (name) => `${name}: function () {}`,
      );
      writeFileSync(join(work, "asyncify.js"), `mergeInto(LibraryManager.library, {${imports.join(",")}});\n`);
      const link = [...LINK, exported, "--js-library", "asyncify.js"];
      await run("em++", [...link, ...objects, library.archive, "-o", `${program.name}.mjs`], {
        cwd: work,
        env: environment,
      });
      await makeSuspendable(work, program.name);
      mkdirSync(folder, { recursive: true });
      copyFileSync(join(work, `${program.name}.mjs`), cached.glue);
      copyFileSync(join(work, "stripped.wasm"), `${cached.wasm}.part`);
      renameSync(`${cached.wasm}.part`, cached.wasm);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  }
  if (program.out === undefined) return cached;
  mkdirSync(program.out, { recursive: true });
  const artefact = { wasm: join(program.out, `${program.name}.wasm`), glue: join(program.out, `${program.name}.mjs`) };
  copyFileSync(cached.wasm, artefact.wasm);
  copyFileSync(cached.glue, artefact.glue);
  return artefact;
}

/** The asyncify pass. Names are needed for the list of what it leaves out, and dropped in a step of their own after it. */
async function makeSuspendable(work: string, name: string): Promise<void> {
  const args = [
    `${name}.wasm`,
    "--asyncify",
    "--pass-arg=asyncify-imports@env.invoke_*",
    `--pass-arg=asyncify-removelist@${NEVER_SUSPENDED.join(",")}`,
    ...["-O2", "-g", "-o", "suspendable.wasm"],
  ];
  await run("wasm-opt", args, { cwd: work });
  await run("wasm-opt", ["suspendable.wasm", "--strip-debug", "--strip-producers", "-o", "stripped.wasm"], {
    cwd: work,
  });
}

function cppFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".cpp"))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function digest(texts: readonly string[], files: readonly string[]): string {
  const hash = createHash("sha256");
  for (const text of texts) hash.update(`${text}\0`);
  for (const file of files) hash.update(readFileSync(file)).update("\0");
  return hash.digest("hex").slice(0, 16);
}
