/** RESHAPE, CONCATENATION and PAD (`reference/concatenation.h`, `reference/pad.h`): bytes to new places. */
import { inputTensor, inputTensors, outputTensor } from "../../graph/graph.js";
import { elements, viewAs } from "../../graph/tensor.js";
import { clamp, roundHalfAway } from "../arithmetic.js";
import { cpu } from "../implementation.js";
import { scaleOf } from "../parameters/common.js";

export const reshape = cpu({
  name: "reference",
  operator: "RESHAPE",
  dtypes: ["uint8", "int8"],
  prepare() {
    return ([from], to) => to.set(from!);
  },
});

/** uint8 inputs of another scale than the output's are rescaled in float32, as in TFLite. */
export const concatenation = cpu({
  name: "reference",
  operator: "CONCATENATION",
  dtypes: ["uint8", "int8"],
  prepare(graph, operator) {
    const [inputs, output] = [inputTensors(graph, operator), outputTensor(graph, operator)];
    const rank = output.shape.length;
    const axis = (operator.attributes.axis + rank) % rank;
    const outer = elements(output.shape.slice(0, axis));
    const target = scaleOf(output);
    const inverse = Math.fround(1 / target.scale);
    const parts = inputs.map((tensor) => {
      const { scale, zeroPoint } = scaleOf(tensor);
      const ratio = Math.fround(scale * inverse);
      return {
        run: elements(tensor.shape.slice(axis)),
        same: tensor.dtype === "int8" || (scale === target.scale && zeroPoint === target.zeroPoint),
        ratio,
        offset: Math.fround(-zeroPoint * ratio),
      };
    });
    return (from, to) => {
      let index = 0;
      for (let block = 0; block < outer; block++) {
        parts.forEach(({ run, same, ratio, offset }, p) => {
          for (let i = block * run; i < (block + 1) * run; i++) {
            const value = from[p]![i]!;
            const scaled = Math.fround(Math.fround(value * ratio) + offset);
            to[index++] = same ? value : clamp(roundHalfAway(scaled) + target.zeroPoint, 0, 255);
          }
        });
      }
    };
  },
});

/** The border holds the zero point, which stands for zero. */
export const pad = cpu({
  name: "reference",
  operator: "PAD",
  dtypes: ["uint8", "int8"],
  prepare(graph, operator) {
    const [input, paddings, output] = [
      inputTensor(graph, operator, 0)!,
      inputTensor(graph, operator, 1)!,
      outputTensor(graph, operator),
    ];
    const before = [...viewAs(paddings.data!, paddings.dtype)].filter((_, i) => i % 2 === 0).map(Number);
    const { zeroPoint } = scaleOf(output);
    const rank = output.shape.length;
    return ([from], to) => {
      for (let i = 0; i < to.length; i++) {
        let [rest, source, step, inside] = [i, 0, 1, true];
        for (let d = rank - 1; d >= 0; d--) {
          const position = (rest % output.shape[d]!) - before[d]!;
          rest = Math.floor(rest / output.shape[d]!);
          inside &&= position >= 0 && position < input.shape[d]!;
          source += position * step;
          step *= input.shape[d]!;
        }
        to[i] = inside ? from![source]! : zeroPoint;
      }
    };
  },
});
