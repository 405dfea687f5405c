/**
 * The designs that ship with Tandem, by name. This is the one file of the host that imports designs; a new one is listed
 * here. A worker imports a design by its module's URL, since modules cannot cross the boundary.
 */
import type { Design } from "../driver/design.js";
import { TandemError } from "../hw/errors.js";
import { systolic } from "../designs/systolic/index.js";

export interface RegisteredDesign {
  readonly design: Design;
  /** URL of the module that exports the design, and the name of the export. */
  readonly module: string;
  readonly export: string;
}

/** A design's configuration is opaque to the host: it only hands it back to the design that made it. */
function register<Config>(design: Design<Config>, module: string, name: string): RegisteredDesign {
  return { design: design, module: new URL(module, import.meta.url).href, export: name };
}

export const DESIGNS: readonly RegisteredDesign[] = [register(systolic, "../designs/systolic/index.js", "systolic")];

export const DEFAULT_DESIGN = "systolic";

/** @throws TandemError if there is none of that name. */
export function findDesign(name: string): RegisteredDesign {
  const found = DESIGNS.find(({ design }) => design.name === name);
  if (found) return found;
  throw new TandemError(`There is no design "${name}"`, {
    hint: `Designs are ${DESIGNS.map(({ design }) => design.name).join(", ")}; tandem designs shows their parameters.`,
  });
}
