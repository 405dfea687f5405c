/** Checks of the operators on activations alone: pools, ADD, SOFTMAX, MEAN, QUANTIZE, DEQUANTIZE. */
import { slide } from "../window.js";
import { integers, type Check } from "./common.js";

export const pool2d: Check<"AVERAGE_POOL_2D" | "MAX_POOL_2D"> = (site) => {
  site.arity(1);
  const input = site.input(0);
  site.rank(input, 4);
  site.dtype(input, "uint8", "int8");
  const { padding, strideHeight, strideWidth, filterHeight, filterWidth } = site.attributes;
  const [batch, height, width, channels] = input.shape as [number, number, number, number];
  const rows = slide(height, filterHeight, strideHeight, 1, padding).out;
  const columns = slide(width, filterWidth, strideWidth, 1, padding).out;
  site.shape(site.output, [batch, rows, columns, channels]);
  site.sameQuantisation(input, site.output);
};

/** Shapes may differ as far as one of them is repeated along dimensions of size 1 (NumPy's broadcasting). */
export const add: Check<"ADD"> = (site) => {
  site.arity(2);
  const [a, b] = [site.input(0), site.input(1)];
  site.dtype(a, "uint8", "int8");
  site.dtype(b, a.dtype);
  site.dtype(site.output, a.dtype);
  for (const tensor of [a, b, site.output]) site.quantised(tensor);
  const rank = Math.max(a.shape.length, b.shape.length);
  const at = (shape: readonly number[], i: number) => shape[i - (rank - shape.length)] ?? 1;
  const expected = Array.from({ length: rank }, (_, i) => {
    const [p, q] = [at(a.shape, i), at(b.shape, i)];
    if (p !== q && p !== 1 && q !== 1) {
      site.fail(
        `adds shapes [${a.shape.join(", ")}] and [${b.shape.join(", ")}]; expected equal or broadcastable ones`,
      );
    }
    return Math.max(p, q);
  });
  site.shape(site.output, expected);
};

/** TFLite fixes the quantisation of the result: scale 1/256, zero point at the lowest value. */
export const softmax: Check<"SOFTMAX"> = (site) => {
  site.arity(1);
  const input = site.input(0);
  site.dtype(input, "uint8", "int8");
  site.dtype(site.output, input.dtype);
  if (input.shape.length === 0) site.fail("has an input without dimensions");
  site.shape(site.output, input.shape);
  site.quantised(input);
  const { scale, zeroPoint } = site.quantised(site.output);
  const lowest = input.dtype === "uint8" ? 0 : -128;
  if (Math.abs(scale * 256 - 1) > 1e-3 || zeroPoint !== lowest) {
    site.fail(`has an output of scale ${scale} and zero point ${zeroPoint}; expected 1/256 and ${lowest}`);
  }
};

export const mean: Check<"MEAN"> = (site) => {
  site.arity(2);
  const input = site.input(0);
  site.dtype(input, "uint8", "int8");
  site.dtype(site.output, input.dtype);
  site.quantised(input);
  site.quantised(site.output);
  const rank = input.shape.length;
  const axes = new Set(
    integers(site, 1).map((axis) => {
      if (axis < -rank || axis >= rank) site.fail(`reduces axis ${axis} of ${rank} dimensions`);
      return axis < 0 ? axis + rank : axis;
    }),
  );
  if (axes.size === 0) site.fail("reduces no axis");
  const expected = site.attributes.keepDims
    ? input.shape.map((size, i) => (axes.has(i) ? 1 : size))
    : input.shape.filter((_, i) => !axes.has(i));
  site.shape(site.output, expected);
};

export const quantize: Check<"QUANTIZE"> = (site) => {
  site.arity(1);
  const input = site.input(0);
  site.dtype(input, "float32", "uint8", "int8");
  site.dtype(site.output, "uint8", "int8");
  site.shape(site.output, input.shape);
  if (input.dtype !== "float32") site.quantised(input);
  site.quantised(site.output);
};

export const dequantize: Check<"DEQUANTIZE"> = (site) => {
  site.arity(1);
  const input = site.input(0);
  site.dtype(input, "uint8", "int8");
  site.dtype(site.output, "float32");
  site.shape(site.output, input.shape);
  site.quantised(input);
};
