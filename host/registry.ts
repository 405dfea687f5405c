/**
 * The designs that ship with Tandem: the one place of the host that imports designs. Each is imported when it is asked for: a command that
 * simulates one does not wait for the others.
 */
import type { Design } from "../driver/design.js";
import { TandemError } from "../hw/errors.js";

/** Where a worker finds a design: URL of a module, and the name of its export. */
export interface DesignPlace {
  readonly module: string;
  readonly export: string;
}

export interface RegisteredDesign extends DesignPlace {
  readonly design: Design;
  /** Parameters of the preset that was asked for; none where the design was asked for by its name alone. */
  readonly preset: Parameters;
}

type Parameters = Design["presets"][string];

interface Entry extends DesignPlace {
  readonly name: string;
}

/** Folder, export and name are one. */
const entry = (name: string): Entry => ({
  name,
  module: new URL(`../designs/${name}/index.js`, import.meta.url).href,
  export: name,
});

/** In the order in which they are listed; the first is the default. */
const ENTRIES: readonly Entry[] = [entry("systolic"), entry("vmac")];

export const DESIGN_NAMES: readonly string[] = ENTRIES.map(({ name }) => name);
export const DEFAULT_DESIGN = DESIGN_NAMES[0]!;

/** Where a registered design is, of the name that a user gave, preset included; undefined if there is none. */
export const placeOf = (name: string): DesignPlace | undefined =>
  ENTRIES.find((each) => each.name === name.split("/")[0]);

async function open({ module, export: name }: DesignPlace): Promise<RegisteredDesign> {
  const exports = (await import(module)) as Readonly<Record<string, Design>>;
  return { design: exports[name]!, preset: {}, module, export: name };
}

/** All of them, imported. */
export const allDesigns = (): Promise<RegisteredDesign[]> => Promise.all(ENTRIES.map(open));

/**
 * A design by its name, or one of its presets as `design/preset`. Rejects with a TandemError if there is none of that name.
 */
export async function findDesign(name: string): Promise<RegisteredDesign> {
  const place = placeOf(name);
  if (!place)
    throw new TandemError(`There is no design named "${name}"`, {
      hint: `There are ${DESIGN_NAMES.join(", ")}; see tandem designs. A file is named with its ending, as my-design.ts.`,
    });
  const found = await open(place);
  const [, ...preset] = name.split("/");
  return preset.length === 0 ? found : withPreset(found, preset.join("/"));
}

/** @throws TandemError if the design has no such preset. */
export function withPreset(found: RegisteredDesign, wanted: string): RegisteredDesign {
  const { name, presets } = found.design;
  const preset = Object.hasOwn(presets, wanted) ? presets[wanted] : undefined;
  if (preset) return { ...found, preset };
  const names = Object.keys(presets);
  throw new TandemError(`Design ${name} has no preset "${wanted}"`, {
    hint: names.length > 0 ? `It has ${names.join(", ")}.` : "It has none.",
  });
}
