// The picture of the HTML report in the README: node scripts/report-picture.mjs [MODEL] [docs/report.png] [DESIGN]
// Runs the network on the board's platform, opens the page in Debian's Chromium, and takes its upper part.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const main = fileURLToPath(new URL("../dist/host/cli/main.js", import.meta.url));
const [model = "../shared/models/mobilenet_v2_1.0_224_int8.tflite", out = "docs/report.png", design = "vmac"] =
  process.argv.slice(2);
const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((path) => existsSync(path));
if (executablePath === undefined) throw new Error("Chromium is not installed: apt-get install chromium");

const folder = mkdtempSync(join(tmpdir(), "tandem-picture-"));
try {
  const { status } = spawnSync(process.execPath, [main, "run", model, "--design", design, "--report", folder], {
    stdio: "inherit",
  });
  if (status !== 0) throw new Error("tandem run failed");
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  try {
    const page = await browser.newPage({ viewport: { width: 1100, height: 1150 }, deviceScaleFactor: 1 });
    await page.goto(pathToFileURL(join(folder, "index.html")).href);
    await page.waitForSelector("body[data-drawn]");
    await page.screenshot({ path: out, clip: { x: 0, y: 0, width: 1100, height: 1150 } });
  } finally {
    await browser.close();
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
