/** The designs that ship with Tandem: the one place of the host that imports designs. */
import type { Design } from "../driver/design.js";
import { TandemError } from "../hw/errors.js";
import { systolic } from "../designs/systolic/index.js";
import { vmac } from "../designs/vmac/index.js";

export interface RegisteredDesign {
  readonly design: Design;
  /** Parameters of the preset that was asked for; none where the design was asked for by its name alone. */
  readonly preset: Parameters;
  /** Where a worker finds it: URL of a module, and the name of its export. */
  readonly module: string;
  readonly export: string;
}

type Parameters = Design["presets"][string];

const register = (design: Design, folder: string, name: string): RegisteredDesign => ({
  design,
  preset: {},
  module: new URL(`../designs/${folder}/index.js`, import.meta.url).href,
  export: name,
});

/** In the order in which they are listed; the first is the default. */
export const DESIGNS: readonly RegisteredDesign[] = [
  register(systolic, "systolic", "systolic"),
  register(vmac, "vmac", "vmac"),
];

export const DEFAULT_DESIGN = DESIGNS[0]!.design.name;

/**
 * A design by its name, or one of its presets as `design/preset`.
 * @throws TandemError if there is none of that name.
 */
export function findDesign(name: string): RegisteredDesign {
  const [design, ...rest] = name.split("/");
  const found = DESIGNS.find((registered) => registered.design.name === design);
  if (found) return rest.length === 0 ? found : withPreset(found, rest.join("/"));
  throw new TandemError(`There is no design named "${name}"`, {
    hint: `There are ${DESIGNS.map(({ design }) => design.name).join(", ")}; see tandem designs. A file is named with its ending, as my-design.ts.`,
  });
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
