/** The opcodes of operators on all lanes of a register, for lanes of 8, 16 and 32 bits. */
import type { Op } from "./wasm.js";

type Shape = "i8x16" | "i16x8" | "i32x4";

/** Operators whose low bits depend on the operands' low bits alone. There is no product of bytes. */
export const ringOf = (shape: Shape): Partial<Record<string, Op>> => ({
  "+": `${shape}.add`,
  "-": `${shape}.sub`,
  ...(shape !== "i8x16" && { "*": `${shape}.mul` }),
  "&": "v128.and",
  "|": "v128.or",
  "^": "v128.xor",
  andU: "v128.and",
  orU: "v128.or",
  xorU: "v128.xor",
});

/** Comparisons of signed and of unsigned lanes. */
export const comparisonsOf = (shape: "i8x16" | "i32x4"): Partial<Record<string, readonly [Op, Op]>> => ({
  "<": [`${shape}.lt_s`, `${shape}.lt_u`],
  "<=": [`${shape}.le_s`, `${shape}.le_u`],
  ">": [`${shape}.gt_s`, `${shape}.gt_u`],
  ">=": [`${shape}.ge_s`, `${shape}.ge_u`],
  "===": [`${shape}.eq`, `${shape}.eq`],
  "!==": [`${shape}.ne`, `${shape}.ne`],
});
