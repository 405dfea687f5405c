// tsc writes the command without the executable bit that `npx tandem` needs in a checkout.
import { chmodSync, existsSync } from "node:fs";

const bin = new URL("../dist/host/cli/main.js", import.meta.url);
if (existsSync(bin)) chmodSync(bin, 0o755);
