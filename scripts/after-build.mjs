// tsc writes the command without the executable bit that `npx tandem` needs in a checkout; and the page of a report is one
// script and one style sheet, which esbuild makes of its modules and libraries.
import { chmodSync, existsSync } from "node:fs";
import { build } from "esbuild";

const at = (path) => new URL(path, import.meta.url).pathname;

if (existsSync(at("../dist/host/cli/main.js"))) chmodSync(at("../dist/host/cli/main.js"), 0o755);

await build({
  entryPoints: [
    { in: at("../host/report/page/main.ts"), out: "page" },
    { in: at("../host/report/page/page.css"), out: "style" },
    { in: at("../node_modules/uplot/dist/uPlot.min.css"), out: "uplot" },
  ],
  outdir: at("../dist/host/report/assets"),
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  charset: "utf8",
  logLevel: "warning",
});
