/**
 * The bytes of every shared model on every design and each of its presets, against TFLite's reference kernels:
 * `npm run verify:all [-- DESIGN[/PRESET] ...]`. One line each, with the clocks of the accelerator; ends in 1 if any byte differs.
 */
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { allDesigns } from "../host/registry.js";

const cli = fileURLToPath(new URL("../host/cli/main.js", import.meta.url));
const shared = "../shared";
const models = readdirSync(`${shared}/models`)
  .filter((file) => file.endsWith(".tflite"))
  .map((file) => file.slice(0, -".tflite".length));
const every = (await allDesigns()).flatMap(({ design: { name, presets } }) => [
  name,
  ...Object.keys(presets).map((preset) => `${name}/${preset}`),
]);
const wanted = process.argv.slice(2);

let failures = 0;
for (const design of wanted.length > 0 ? wanted : every)
  for (const model of models) {
    const golden = `${shared}/golden/tflite/${model}.json`;
    const args = ["verify", `${shared}/models/${model}.tflite`, "--golden", golden, "--on", "sim", "--design", design];
    let said: string;
    try {
      said = execFileSync(process.execPath, [cli, ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
    } catch (error) {
      failures++;
      said = `FAILED: ${String((error as { stderr?: unknown }).stderr ?? error)}`;
    }
    console.log(`${design} ${model}: ${said.trim().split("\n").at(-1) ?? ""}`);
  }
console.log(failures === 0 ? "All bytes are golden." : `${failures} failed.`);
process.exitCode = failures === 0 ? 0 : 1;
