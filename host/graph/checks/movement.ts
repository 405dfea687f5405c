/** Checks of the operators that only move data: RESHAPE, CONCATENATION, PAD. */
import { elements, sameShape } from "../tensor.js";
import { integers, type Check } from "./common.js";

/** Largest padding on one side; a bound for files that lie. */
const MAX_PADDING = 1 << 16;

export const reshape: Check<"RESHAPE"> = (site) => {
  site.arity(1, 2);
  const input = site.input(0);
  site.dtype(input, "uint8", "int8");
  site.sameQuantisation(input, site.output);
  if (elements(input.shape) !== elements(site.output.shape)) {
    site.fail(`turns shape [${input.shape.join(", ")}] into [${site.output.shape.join(", ")}] of another size`);
  }
  if (site.optional(1)?.data === undefined) return;
  const wanted = integers(site, 1);
  const { shape } = site.output;
  // One entry may be -1: whatever is left.
  const agrees = wanted.length === shape.length && wanted.every((size, i) => size === -1 || size === shape[i]);
  if (!agrees && !sameShape(wanted, shape)) {
    site.fail(`asks for shape [${wanted.join(", ")}] but its output has [${shape.join(", ")}]`);
  }
};

export const concatenation: Check<"CONCATENATION"> = (site) => {
  const inputs = site.all();
  const first = inputs[0] ?? site.fail("has no inputs");
  if (site.attributes.activation !== "NONE") site.fail("has a fused activation, which TFLite's kernel ignores");
  site.dtype(first, "uint8", "int8");
  site.dtype(site.output, first.dtype);
  const rank = first.shape.length;
  const axis = site.attributes.axis < 0 ? site.attributes.axis + rank : site.attributes.axis;
  if (axis < 0 || axis >= rank) site.fail(`joins along axis ${site.attributes.axis} of ${rank} dimensions`);
  let total = 0;
  for (const input of inputs) {
    site.dtype(input, first.dtype);
    site.rank(input, rank);
    site.shape(input, first.shape.with(axis, input.shape[axis]!));
    site.quantised(input);
    // TFLite rescales uint8 inputs, and refuses int8 ones that would need it.
    if (first.dtype === "int8") site.sameQuantisation(input, site.output);
    total += input.shape[axis]!;
  }
  site.quantised(site.output);
  site.shape(site.output, first.shape.with(axis, total));
};

export const pad: Check<"PAD"> = (site) => {
  site.arity(2);
  const input = site.input(0);
  site.dtype(input, "uint8", "int8");
  const rank = input.shape.length;
  site.shape(site.constant(1), [rank, 2]);
  const paddings = integers(site, 1);
  if (paddings.some((size) => size < 0 || size > MAX_PADDING)) {
    site.fail(`pads by [${paddings.join(", ")}]; expected 0 to ${MAX_PADDING}`);
  }
  site.shape(
    site.output,
    input.shape.map((size, i) => size + paddings[2 * i]! + paddings[2 * i + 1]!),
  );
  site.sameQuantisation(input, site.output);
};
