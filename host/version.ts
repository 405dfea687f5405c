/** Version of the package, from its manifest. */
import { readFileSync } from "node:fs";

/** `dist/host/version.js` is two folders below the package. */
const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  version: string;
};

export const { version } = manifest;
