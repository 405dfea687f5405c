/** The models and golden files beside the project. Tests that need them skip where they are absent. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** `../shared` from the project's root; this file is compiled to `dist/test/host/support`. */
export const shared = fileURLToPath(new URL("../../../../../shared/", import.meta.url));

export const models = [
  "autoencoder_ad_int8",
  "ds_cnn_kws_int8",
  "inception_v1_224_int8_randomweights",
  "mobilenet_v1_0.25_128_uint8",
  "mobilenet_v1_0.25_96_vww_int8",
  "mobilenet_v1_1.0_224_uint8",
  "mobilenet_v2_1.0_224_int8",
  "mobilenet_v2_1.0_224_uint8",
  "resnet18_224_int8_randomweights",
  "resnet8_cifar10_int8",
] as const;

export const modelPath = (name: string): string => `${shared}models/${name}.tflite`;
export const goldenPath = (name: string): string => `${shared}golden/tflite/${name}.json`;

/** Skips the test, visibly, where the shared files are absent. */
export function needsShared(context: Mocha.Context): void {
  if (!existsSync(modelPath(models[0]))) context.skip();
}

/** The parts of a golden file that tests use. */
export interface Golden {
  inputs: { file: string }[];
  operators: { op: number; type: string; sha256: string }[];
  outputs: { file: string }[];
}

export function readGolden(name: string): { golden: Golden; inputs: Uint8Array[]; outputs: Uint8Array[] } {
  const golden = JSON.parse(readFileSync(goldenPath(name), "utf8")) as Golden;
  const read = ({ file }: { file: string }): Uint8Array =>
    new Uint8Array(readFileSync(`${shared}golden/tflite/${file}`));
  return { golden, inputs: golden.inputs.map(read), outputs: golden.outputs.map(read) };
}
