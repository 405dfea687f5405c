/** What `tandem check` and `tandem ir` look at: registered designs, or the designs and modules that a file exports. */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Design } from "../../driver/design.js";
import type { ParameterValue } from "../../driver/device.js";
import { TandemError } from "../../hw/errors.js";
import { Module } from "../../hw/index.js";
import { importFile, isDesign } from "../design-file.js";
import { allDesigns, findDesign } from "../registry.js";

/** A module to elaborate, under the name by which it was asked for. */
export interface Hardware {
  readonly name: string;
  readonly build: () => Module;
  /** A model with estimates by intention: no hardware comes of it. */
  readonly model?: boolean;
}

type Parameters = Readonly<Record<string, ParameterValue>>;

const ofDesign = (design: Design, name: string, parameters: Parameters): Hardware => ({
  name,
  build: () => design.build(design.configure(parameters)),
  model: design.levelOf !== undefined && design.levelOf(design.configure(parameters)) !== "rtl",
});

/** A design with its defaults, or with these parameters; its presets as well where `presets`. */
function configurations(design: Design, parameters: Parameters, presets: boolean): Hardware[] {
  const named = presets
    ? Object.entries(design.presets).map(([name, values]) => ofDesign(design, `${design.name} (${name})`, values))
    : [];
  return [ofDesign(design, design.name, parameters), ...named];
}

/** All registered designs with their presets. */
const allHardware = async (): Promise<Hardware[]> =>
  (await allDesigns()).flatMap(({ design }) => configurations(design, {}, true));

/** What a target names: `designs` (all that are registered), a design, or a file. @throws TandemError if it is none. */
export async function findHardware(target: string, parameters: Parameters, presets: boolean): Promise<Hardware[]> {
  if (target === "designs") return allHardware();
  if (/[./\\]/.test(target)) return fromFile(target, parameters, presets);
  return configurations((await findDesign(target)).design, parameters, presets);
}

async function fromFile(target: string, parameters: Parameters, presets: boolean): Promise<Hardware[]> {
  const isFolder = existsSync(target) && statSync(target).isDirectory();
  const { exports } = await importFile(isFolder ? join(target, "index.ts") : target);
  const found = Object.entries(exports).flatMap(([name, value]): Hardware[] => {
    if (isDesign(value)) return configurations(value, parameters, presets);
    if (value instanceof Module) return [{ name, build: () => value }];
    if (isModuleClass(value)) return [{ name, build: () => instantiate(value, name, target) }];
    return [];
  });
  if (found.length > 0) return found;
  throw new TandemError(`${target} exports no design and no module`, {
    hint: "Export a Design, or a class that extends Module and can be made with (null, name).",
  });
}

type ModuleClass = new (parent: null, name: string) => Module;

const isModuleClass = (value: unknown): value is ModuleClass =>
  typeof value === "function" && value.prototype instanceof Module;

function instantiate(Class: ModuleClass, name: string, target: string): Module {
  try {
    return new Class(null, name.toLowerCase());
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TandemError(`${target}: ${name} cannot be made with (null, "${name.toLowerCase()}"): ${reason}`, {
      hint: "Export a Design instead, which says how to build it.",
      cause,
    });
  }
}
