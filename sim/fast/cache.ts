/**
 * Compiled designs kept by content in the user's cache folder ($TANDEM_CACHE, else $XDG_CACHE_HOME/tandem, else
 * ~/.cache/tandem). A file is named by what is known before the design's source is read: the compiler's own files, the design
 * and its configuration, and the elaborated design. It holds the hashes of the source files that were read, so that an edit
 * in one of them misses.
 */
import { createHash, type Hash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { Elaborated } from "../../hw/elaborate.js";
import { hash, readKept, writeKept } from "../kept-file.js";
import type { EngineImage } from "./image.js";

/** What a cached image depends on beside the design's source. */
export interface CacheIdentity {
  readonly design: string;
  /** Every parameter, with its value. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

interface Header {
  /** URL and hash of each source file. */
  readonly files: readonly (readonly [string, string])[];
  readonly image: Omit<EngineImage, "wasm" | "initial" | "errors">;
  readonly wasmBytes: number;
}

const MAGIC = Buffer.from("tandem compiled design 1\n");

export function defaultCacheFolder(): string {
  const { TANDEM_CACHE: own, XDG_CACHE_HOME: xdg } = process.env;
  if (own !== undefined && own !== "") return own;
  return join(xdg !== undefined && xdg !== "" ? xdg : join(homedir(), ".cache"), "tandem");
}

/** The folder asked for, the user's by default; undefined for `false`, and where $TANDEM_CACHE is `off`. */
export function cacheFolder(folder: string | false | undefined): string | undefined {
  const chosen = folder ?? defaultCacheFolder();
  return chosen === false || chosen === "off" ? undefined : chosen;
}

/** The cache in that folder. */
export function openCache(folder: string | false | undefined): CompileCache | undefined {
  const chosen = cacheFolder(folder);
  return chosen === undefined ? undefined : new CompileCache(chosen);
}

export class CompileCache {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = join(folder, "designs");
  }

  /** The image of a design whose files are as they were; undefined if there is none. */
  get(identity: CacheIdentity, design: Elaborated): EngineImage | undefined {
    try {
      const content = readKept(this.#path(identity, design), MAGIC);
      if (!content) return undefined;
      const headerBytes = content.readUInt32LE(0);
      const header = JSON.parse(content.toString("utf8", 4, 4 + headerBytes)) as Header;
      if (header.files.some(([url, known]) => hashOf(url) !== known)) return undefined;
      const wasmStart = 4 + headerBytes;
      const wasm = new Uint8Array(content.subarray(wasmStart, wasmStart + header.wasmBytes));
      const initial = new Uint8Array(inflateRawSync(content.subarray(wasmStart + header.wasmBytes)));
      return { ...header.image, wasm, initial };
    } catch {
      // A source file is gone: it is compiled anew.
      return undefined;
    }
  }

  /** Keep an image; where that fails (a full disk, no right to write), the next run compiles again. */
  put(identity: CacheIdentity, design: Elaborated, files: readonly string[], image: EngineImage): void {
    const { wasm, initial, errors: _errors, ...rest } = image;
    const header: Header = {
      files: files.map((url) => [url, hashOf(url)]),
      image: rest,
      wasmBytes: wasm.length,
    };
    const text = Buffer.from(JSON.stringify(header));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(text.length);
    const content = Buffer.concat([length, text, wasm, deflateRawSync(initial, { level: 1 })]);
    writeKept(this.#path(identity, design), MAGIC, content);
  }

  #path(identity: CacheIdentity, design: Elaborated): string {
    const key = createHash("sha256");
    key.update(compilerHash());
    key.update(JSON.stringify(identity));
    fingerprint(key, design);
    return join(this.#folder, `${key.digest("hex").slice(0, 40)}.bin`);
  }
}

const hashOf = (url: string): string => hash(readFileSync(fileURLToPath(url))).toString("hex");

let compiler: Buffer | undefined;

/** Of all files that make an image out of a source: the language and the engine. */
function compilerHash(): Buffer {
  if (compiler) return compiler;
  const key = createHash("sha256");
  for (const folder of ["../../hw/", "./"]) {
    const root = new URL(folder, import.meta.url);
    const names = readdirSync(fileURLToPath(root), { recursive: true, encoding: "utf8" });
    for (const name of names.filter((each) => /\.[jt]s$/.test(each) && !each.endsWith(".d.ts")).sort())
      key.update(`${name}\0`).update(readFileSync(new URL(name.replaceAll("\\", "/"), root)));
  }
  return (compiler = key.digest());
}

/** The live design, as far as the IR folds it into constants: structure, types, and what the modules hold. */
function fingerprint(key: Hash, design: Elaborated): void {
  const add = (...parts: unknown[]): void => void key.update(`${JSON.stringify(parts)}\n`);
  for (const { path, type, depth, lanes } of design.channels) add("channel", path, type.name, depth, lanes);
  for (const { path, type, initial } of design.signals) add("signal", path, type.name, initial);
  for (const { path, type, depth, init, ports } of design.memories)
    add("memory", path, type.name, depth, init ?? null, ports.map(plainFields));
  for (const { path } of design.processes) add("process", path);
  const classes = new Set<object>();
  for (const { path, rows, cols, cell } of design.grids) {
    add("grid", path, rows, cols, cell.constructor.name, plainFields(cell));
    collectClasses(cell, classes);
  }
  for (const module of design.modules) {
    add("module", module.path, module.constructor.name, plainFields(module));
    collectClasses(module, classes);
  }
  // Two designs of one name and structure may stand in different files: the texts of their classes tell them apart.
  for (const each of classes)
    add("class", (each as { source?: unknown }).source ?? null, Function.prototype.toString.call(each));
}

/** The class of an object, and those that it extends. */
function collectClasses(object: object, into: Set<object>): void {
  for (
    let prototype: unknown = Object.getPrototypeOf(object);
    typeof prototype === "object" && prototype !== null && prototype !== Object.prototype;
    prototype = Object.getPrototypeOf(prototype)
  )
    into.add((prototype as { constructor: object }).constructor);
}

/** Own fields that are values, not parts: numbers, texts, lists of them, and objects of such (a configuration). */
function plainFields(object: object, depth = 0): Record<string, unknown> {
  const plain = (value: unknown): unknown => {
    if (typeof value === "bigint") return `${value}n`;
    if (typeof value !== "object" || value === null) return typeof value === "function" ? undefined : value;
    if (ArrayBuffer.isView(value)) return [...new Uint8Array(value.buffer, value.byteOffset, value.byteLength)];
    if (depth > 3) return undefined;
    if (Array.isArray(value)) return value.every((item) => typeof item !== "object") ? value.map(plain) : undefined;
    return Object.getPrototypeOf(value) === Object.prototype ? plainFields(value, depth + 1) : undefined;
  };
  return Object.fromEntries(
    Object.entries(object).flatMap(([name, value]) => {
      const kept = plain(value);
      return kept === undefined ? [] : [[name, kept]];
    }),
  );
}
