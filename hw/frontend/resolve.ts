/**
 * What an import in a TypeScript file means where the file runs as it stands (driver/typescript). The language itself is
 * the one that runs, compiled: whether a design says `../../hw/index.js` in Tandem's own tree or `tandem/hw/index.js`
 * elsewhere, there must not be a second `Module`. `./x.js` means `./x.ts` where only that is there.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Where Tandem runs from, and the sources that it was compiled from; where it is not compiled, the first is its sources. */
const RUNNING = new URL("../../", import.meta.url).href;
const SOURCES = new URL("../", RUNNING).href;
/** Folders of Tandem that a design stands on; designs themselves are what is being worked on. */
const OWN = /^(hw|sim|driver|host)\//;

export const isTypeScript = (url: string): boolean => url.startsWith("file:") && /\.m?ts$/.test(url);

/** A URL for an import in the TypeScript file `base`; undefined for packages and what Node has built in. */
export function resolveInTypeScript(specifier: string, base: string): string | undefined {
  if (specifier.startsWith("tandem/")) return RUNNING + specifier.slice("tandem/".length);
  if (!/^\.{0,2}\/|^file:/.test(specifier)) return undefined;
  const { href } = new URL(specifier, base);
  if (href.startsWith(SOURCES) && !href.startsWith(RUNNING)) {
    const path = href.slice(SOURCES.length);
    if (OWN.test(path)) return RUNNING + path.replace(/\.ts$/, ".js");
  }
  const source = href.replace(/\.(m?)js$/, ".$1ts");
  return !existsSync(fileURLToPath(href)) && existsSync(fileURLToPath(source)) ? source : href;
}
