/** The designs that ship with Tandem: the one place of the host that imports designs. */
import type { Design } from "../driver/design.js";
import { TandemError } from "../hw/errors.js";
import { systolic } from "../designs/systolic/index.js";

export interface RegisteredDesign {
  readonly design: Design;
  /** Where a worker finds it: URL of a module, and the name of its export. */
  readonly module: string;
  readonly export: string;
}

const register = (design: Design, folder: string, name: string): RegisteredDesign => ({
  design,
  module: new URL(`../designs/${folder}/index.js`, import.meta.url).href,
  export: name,
});

/** In the order in which they are listed; the first is the default. */
export const DESIGNS: readonly RegisteredDesign[] = [register(systolic, "systolic", "systolic")];

export const DEFAULT_DESIGN = DESIGNS[0]!.design.name;

/** @throws TandemError if there is no design of that name. */
export function findDesign(name: string): RegisteredDesign {
  const found = DESIGNS.find(({ design }) => design.name === name);
  if (found) return found;
  throw new TandemError(`There is no design named "${name}"`, {
    hint: `There are ${DESIGNS.map(({ design }) => design.name).join(", ")}; see tandem designs.`,
  });
}
