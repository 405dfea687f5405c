/**
 * From a picture to the bytes of a network's input tensor: fit, filter, colour, normalisation, quantisation.
 *
 * Normalisation is `real = (pixel - mean) / std`, then for quantised tensors `stored = round(real / scale) + zero point`, clamped.
 * A quantised tensor carries its own normalisation: the pixels 0 to 255 fill the range of the stored type, so that `std = 1 / scale` and
 * `mean = zero point - smallest stored value`, and the pixel goes in as it is (int8: less 128). It is what TensorFlow
 * Lite's own example (`label_image`) and MLPerf Tiny feed. For MobileNet (scale 1/128, zero point 128) that is
 * (pixel - 128) / 128. A float tensor says nothing; (pixel - 127.5) / 127.5 is the MobileNet and Inception family's.
 */
import { TandemError } from "../../hw/errors.js";
import type { Image } from "./image.js";
import { type Filter, resize } from "./resize.js";

/** What is needed of a network's input tensor. `scale` and `zeroPoint` are ignored for float32. */
export interface InputTensor {
  readonly shape: readonly number[];
  readonly dtype: "uint8" | "int8" | "float32";
  readonly scale: number;
  readonly zeroPoint: number;
}

export const fits = ["stretch", "crop", "pad"] as const;
export const colours = ["rgb", "bgr", "grey"] as const;

export interface Preprocess {
  /**
   * `stretch`: the whole picture to the tensor's size, whatever its aspect. `crop`: the largest centred part of the
   * tensor's aspect, times `cropShare`. `pad`: the whole picture with its aspect kept, on black, centred.
   */
  readonly fit: (typeof fits)[number];
  /** Share of the largest centred part that `crop` keeps, in (0, 1]; 0.875 is the usual one for ImageNet. */
  readonly cropShare: number;
  readonly filter: Filter;
  /** Order of the channels; `grey` is ITU-R BT.601 luma, and the only one for tensors of one channel. */
  readonly colour: (typeof colours)[number];
  /** In pixel units (0 to 255): one value, or one per channel of the tensor. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** Height, width and channels of a tensor that can hold a picture (`[1, H, W, 1 or 3]`), else null. */
export function pictureShape(tensor: InputTensor): { height: number; width: number; channels: 1 | 3 } | null {
  const [batch, height = 0, width = 0, channels] = tensor.shape;
  if (tensor.shape.length !== 4 || batch !== 1 || (channels !== 1 && channels !== 3)) return null;
  if (height < 1 || width < 1) return null;
  return { height, width, channels };
}

/** Smallest and largest stored value of a quantised type. */
export function storedRange(dtype: "uint8" | "int8"): readonly [number, number] {
  return dtype === "uint8" ? [0, 255] : [-128, 127];
}

/** What is done unless the user says otherwise: stretch, bilinear, and the tensor's own normalisation. */
export function defaultPreprocess(tensor: InputTensor): Preprocess {
  const quantised = tensor.dtype === "float32" ? null : tensor.dtype;
  const colour = pictureShape(tensor)?.channels === 1 ? "grey" : "rgb";
  return {
    fit: "stretch",
    cropShare: 0.875,
    filter: "bilinear",
    colour,
    mean: [quantised === null ? 127.5 : tensor.zeroPoint - storedRange(quantised)[0]],
    std: [quantised === null ? 127.5 : 1 / tensor.scale],
  };
}

/** One line that says what is done: `stretched, bilinear, rgb, (pixel - 128) / 128`. */
export function describe(preprocess: Preprocess): string {
  const fit = {
    stretch: "stretched",
    crop: `centre crop of ${shown([preprocess.cropShare * 100])} %`,
    pad: "padded with black",
  }[preprocess.fit];
  const { mean, std } = preprocess;
  const less = mean.every((value) => value === 0) ? "pixel" : `(pixel - ${shown(mean)})`;
  const divided = std.every((value) => value === 1) ? less : `${less} / ${shown(std)}`;
  return `${fit}, ${preprocess.filter}, ${preprocess.colour}, ${divided}`;
}

function shown(values: readonly number[]): string {
  const texts = values.map((value) => String(Number(value.toPrecision(6))));
  return texts.length === 1 ? texts[0]! : `[${texts.join(", ")}]`;
}

/**
 * The tensor's bytes (little-endian, `[height][width][channels]`) for a picture.
 * @throws TandemError if the tensor cannot hold a picture or an option is out of range.
 */
export function imageToTensor(image: Image, tensor: InputTensor, options: Preprocess): Uint8Array {
  const shape = pictureShape(tensor);
  if (shape === null) {
    throw new TandemError(`a picture cannot fill an input of shape [${tensor.shape.join(", ")}]`, {
      hint: "Give the tensor itself, as .npy or as raw bytes in a .bin file.",
    });
  }
  checkOptions(options, shape.channels);
  const pixels = coloured(fitted(image, shape.width, shape.height, options), shape.channels, options.colour);
  return tensor.dtype === "float32"
    ? floats(pixels, shape.channels, options)
    : quantised(pixels, shape.channels, options, tensor, tensor.dtype);
}

function checkOptions(options: Preprocess, channels: number): void {
  const { mean, std, cropShare } = options;
  for (const [name, values] of [
    ["mean", mean],
    ["std", std],
  ] as const) {
    if (values.length !== 1 && values.length !== channels)
      throw new TandemError(
        `${name}: ${values.length} values for an input of ${channels} channel(s); give 1 or ${channels}`,
      );
    if (!values.every(Number.isFinite))
      throw new TandemError(`${name}: [${values.join(", ")}] holds a value that is no finite number`);
  }
  if (!std.every((value) => value > 0)) throw new TandemError(`std: [${std.join(", ")}] must be above 0`);
  if (!(cropShare > 0 && cropShare <= 1))
    throw new TandemError(`crop share ${cropShare} must be above 0 and at most 1`);
}

function fitted(image: Image, width: number, height: number, options: Preprocess): Image {
  if (options.fit === "stretch") return resize(image, width, height, options.filter);
  if (options.fit === "crop") {
    const scale = Math.min(image.width / width, image.height / height) * options.cropShare;
    const part = cropped(image, Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)));
    return resize(part, width, height, options.filter);
  }
  const scale = Math.min(width / image.width, height / image.height);
  const innerWidth = Math.min(width, Math.max(1, Math.round(image.width * scale)));
  const innerHeight = Math.min(height, Math.max(1, Math.round(image.height * scale)));
  return padded(resize(image, innerWidth, innerHeight, options.filter), width, height);
}

function cropped(image: Image, width: number, height: number): Image {
  const left = Math.floor((image.width - width) / 2);
  const top = Math.floor((image.height - height) / 2);
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * image.width + left) * 3;
    data.set(image.data.subarray(from, from + width * 3), y * width * 3);
  }
  return { width, height, data };
}

function padded(image: Image, width: number, height: number): Image {
  const left = Math.floor((width - image.width) / 2);
  const top = Math.floor((height - image.height) / 2);
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < image.height; y++) {
    const row = image.data.subarray(y * image.width * 3, (y + 1) * image.width * 3);
    data.set(row, ((top + y) * width + left) * 3);
  }
  return { width, height, data };
}

/** The picture's samples in the tensor's channels and order. */
function coloured(image: Image, channels: 1 | 3, colour: Preprocess["colour"]): Uint8Array {
  const { data } = image;
  if (channels === 3 && colour === "rgb") return data;
  const count = image.width * image.height;
  const samples = new Uint8Array(count * channels);
  for (let i = 0; i < count; i++) {
    const red = data[3 * i]!;
    const green = data[3 * i + 1]!;
    const blue = data[3 * i + 2]!;
    if (channels === 3 && colour === "bgr") samples.set([blue, green, red], 3 * i);
    else samples.fill(Math.round(0.299 * red + 0.587 * green + 0.114 * blue), channels * i, channels * (i + 1));
  }
  return samples;
}

const each = (values: readonly number[], channel: number): number => values[channel] ?? values[0]!;

/** In single precision and in the order of Keras's `preprocess_input` (divide, then subtract), so that the bits agree. */
function floats(pixels: Uint8Array, channels: number, { mean, std }: Preprocess): Uint8Array {
  const bytes = new Uint8Array(pixels.length * 4);
  const view = new DataView(bytes.buffer);
  pixels.forEach((pixel, i) => {
    const divisor = each(std, i % channels);
    view.setFloat32(4 * i, Math.fround(pixel / divisor) - Math.fround(each(mean, i % channels) / divisor), true);
  });
  return bytes;
}

function quantised(
  pixels: Uint8Array,
  channels: number,
  { mean, std }: Preprocess,
  tensor: InputTensor,
  dtype: "uint8" | "int8",
): Uint8Array {
  // A pixel has 256 values: one table per channel does the arithmetic once.
  const tables = Array.from({ length: channels }, (_, c) =>
    Uint8Array.from({ length: 256 }, (_, pixel) =>
      quantise((pixel - each(mean, c)) / each(std, c), { ...tensor, dtype }),
    ),
  );
  return pixels.map((pixel, i) => tables[i % channels]![pixel]!);
}

/** The stored value of a real number, halves away from zero, clamped to the type; as it lies in a byte. */
export function quantise(real: number, tensor: { dtype: "uint8" | "int8"; scale: number; zeroPoint: number }): number {
  const [low, high] = storedRange(tensor.dtype);
  const steps = real / tensor.scale;
  const rounded = Math.sign(steps) * Math.round(Math.abs(steps));
  return Math.min(high, Math.max(low, rounded + tensor.zeroPoint)) & 0xff;
}
