/**
 * `npm run train:digits`: renders, trains, quantises, and writes `host/zoo/digits.tflite`, its labels and its pictures. The same
 * files every time: nothing depends on the clock or on the machine's speed.
 */
import { createHash } from "node:crypto";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { digits } from "../../host/zoo/zoo.js";
import { writeTflite } from "../../host/tflite/writer.js";
import { type Evaluation, evaluate } from "./evaluate.js";
import { pictures, pngOf } from "./pictures.js";
import { calibrate, quantise } from "./quantise.js";
import { sample } from "./render.js";
import { accuracy, asInput, seeds, train } from "./train.js";

const steps = 5000;
const batch = 32;
const testCount = 5000;
const calibrationCount = 1000;

const begin = performance.now();
const say = (text: string): void => {
  process.stdout.write(`${((performance.now() - begin) / 1000).toFixed(0).padStart(4)} s  ${text}\n`);
};
const percent = (right: number, count: number): string => `${((100 * right) / count).toFixed(2)} %`;

/** All or nothing: a reader never sees half a file. */
function write(path: string, data: Uint8Array | string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.part`, data);
  renameSync(`${path}.part`, path);
}

function table({ confusion, fonts }: Evaluation): string {
  const cell = (value: number | string): string => String(value).padStart(5);
  const rows = confusion.map((row, digit) => [digit, ...row].map(cell).join(""));
  const byFont = [...fonts].map(
    ([name, { right, count }]) => `  ${name.padEnd(10)} ${percent(right, count)} of ${count}`,
  );
  const head = `${cell("")}${confusion.map((_, answer) => cell(answer)).join("")}`;
  return ["digit (rows) read as (columns)", head, ...rows, "by font", ...byFont.sort()].join("\n");
}

say(`training: ${steps} steps of ${batch} new pictures`);
const network = train({
  steps,
  batch,
  rate: 0.003,
  report: (step, loss) => say(`step ${step}, loss ${loss.toFixed(4)}`),
});
const float = accuracy(network, seeds.test, testCount);
say(`floating point: ${percent(float * testCount, testCount)} of ${testCount} test pictures`);

const calibration = Array.from({ length: calibrationCount }, (_, i) => asInput(sample(seeds.calibration, i).pixels));
const model = writeTflite(quantise(network, calibrate(network, calibration)), "Tandem: reads one digit, 28 x 28 grey");
const result = await evaluate(model, seeds.test, testCount);
say(`int8, host runtime: ${percent(result.right, result.count)} of ${result.count} test pictures`);
process.stdout.write(`${table(result)}\n`);

write(digits.model, model);
write(digits.labels, `${Array.from({ length: 10 }, (_, digit) => digit).join("\n")}\n`);
for (const picture of pictures) write(join(digits.pictures, `${picture.name}.png`), pngOf(picture));
say(`${model.length} bytes, SHA-256 ${createHash("sha256").update(model).digest("hex")}`);
