/** Loads a program's two files in Node. */
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import type { ProgramImage } from "./instance.js";
import type { ProgramArtefact } from "./toolchain.js";

export async function loadProgram(artefact: ProgramArtefact): Promise<ProgramImage> {
  const module = await WebAssembly.compile(new Uint8Array(readFileSync(artefact.wasm)));
  const glue = (await import(pathToFileURL(artefact.glue).href)) as { default: ProgramImage["factory"] };
  return { module, factory: glue.default };
}
