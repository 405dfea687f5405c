/**
 * The instruction of the designs that compute matrix products: one GEMM, `out[rows][columns] = requantise(in[rows][depth] x
 * weights)`, or one depthwise convolution. This
 * table of fields is the format: the encoder uses it, docs/instructions.md is made from it, and a test holds the decoder
 * (decoder.ts) against it.
 */
import { TandemError } from "../../hw/errors.js";

export const OPCODE_GEMM = 1;
export const OPCODE_DEPTHWISE = 2;
/** 32-bit words of an instruction. */
export const INSTRUCTION_WORDS = 16;

export interface Field {
  readonly name: string;
  readonly word: number;
  readonly low: number;
  readonly bits: number;
  readonly signed?: boolean;
  readonly description: string;
}

export const fields = [
  { name: "opcode", word: 0, low: 0, bits: 8, description: "1: GEMM, 2: DEPTHWISE" },
  { name: "unsigned", word: 0, low: 8, bits: 1, description: "operands and outputs are uint8, else int8" },
  { name: "streamed", word: 0, low: 9, bits: 1, description: "the weights come again for every block of rows" },
  { name: "raw", word: 0, low: 10, bits: 1, description: "outputs are 32-bit sums in four planes of bytes" },
  { name: "words", word: 1, low: 0, bits: 16, description: "words of K in a row: ceil(K / stream bytes)" },
  { name: "lastBytes", word: 1, low: 16, bits: 8, description: "bytes that count in the last word of K" },
  { name: "gap", word: 1, low: 24, bits: 8, description: "clocks without operands after each tile" },
  { name: "rowTiles", word: 2, low: 0, bits: 24, description: "row tiles: `rows / streams` rows of every part each" },
  { name: "inputSlots", word: 2, low: 24, bits: 8, description: "row tiles that the input buffer holds" },
  { name: "rows", word: 3, low: 0, bits: 24, description: "rows of the input, M" },
  { name: "weightSlots", word: 3, low: 24, bits: 8, description: "segments that the weight buffer holds" },
  {
    name: "partRows",
    word: 4,
    low: 0,
    bits: 24,
    description: "rows of each part but the last ones; part p is the p-th",
  },
  { name: "outputSlots", word: 4, low: 24, bits: 8, description: "row tiles that the output buffer holds" },
  { name: "columnTiles", word: 5, low: 0, bits: 16, description: "column tiles: ceil(N / columns)" },
  { name: "chunkTiles", word: 5, low: 16, bits: 16, description: "column tiles that stay while a block's rows pass" },
  { name: "blockTiles", word: 6, low: 0, bits: 16, description: "row tiles that stay while the weights pass" },
  { name: "segmentWords", word: 6, low: 16, bits: 16, description: "words of K in a segment of a column tile" },
  { name: "passes", word: 7, low: 0, bits: 24, description: "times that the weights come" },
  { name: "segments", word: 8, low: 0, bits: 32, description: "segments that come in all passes together" },
  { name: "outputSlotWords", word: 9, low: 0, bits: 16, description: "words of a row tile in the output buffer" },
  { name: "rowStride", word: 9, low: 16, bits: 16, description: "words from one output row to the next" },
  { name: "rowWords", word: 10, low: 0, bits: 16, description: "words of an output row that leave" },
  {
    name: "outputBytes",
    word: 10,
    low: 16,
    bits: 8,
    description: "bytes that count in the last word of an output row",
  },
  { name: "tileRows", word: 10, low: 24, bits: 8, description: "rows of a part in a row tile" },
  { name: "vectors", word: 11, low: 0, bits: 32, description: "vectors of outputs through the post-processor" },
  {
    name: "weightZero",
    word: 12,
    low: 0,
    bits: 8,
    signed: true,
    description: "zero point of the weights (less 128 if unsigned)",
  },
  {
    name: "outputZero",
    word: 12,
    low: 8,
    bits: 8,
    signed: true,
    description: "zero point of the outputs (less 128 if unsigned)",
  },
  {
    name: "clampMin",
    word: 12,
    low: 16,
    bits: 8,
    signed: true,
    description: "least output (less 128 if unsigned)",
  },
  {
    name: "clampMax",
    word: 12,
    low: 24,
    bits: 8,
    signed: true,
    description: "greatest output (less 128 if unsigned)",
  },
  { name: "inHeight", word: 13, low: 0, bits: 16, description: "DEPTHWISE: rows of the picture" },
  { name: "inWidth", word: 13, low: 16, bits: 16, description: "DEPTHWISE: its columns" },
  { name: "kernelHeight", word: 14, low: 0, bits: 4, description: "DEPTHWISE: rows of the kernel" },
  { name: "kernelWidth", word: 14, low: 4, bits: 4, description: "DEPTHWISE: its columns" },
  {
    name: "strideHeight",
    word: 14,
    low: 8,
    bits: 4,
    description: "DEPTHWISE: picture rows from output row to output row",
  },
  { name: "strideWidth", word: 14, low: 12, bits: 4, description: "DEPTHWISE: the same for columns" },
  { name: "padTop", word: 14, low: 16, bits: 4, description: "DEPTHWISE: rows of zero points above the picture" },
  { name: "padLeft", word: 14, low: 20, bits: 4, description: "DEPTHWISE: columns of zero points left of it" },
  {
    name: "inputZero",
    word: 14,
    low: 24,
    bits: 8,
    signed: true,
    description: "DEPTHWISE: zero point of the inputs (less 128 if unsigned)",
  },
  { name: "beats", word: 15, low: 0, bits: 16, description: "DEPTHWISE: beats of a pixel" },
  {
    name: "lineSlots",
    word: 15,
    low: 16,
    bits: 8,
    description: "DEPTHWISE: picture rows that a bank of the line buffer holds",
  },
] as const satisfies readonly Field[];

export type FieldName = (typeof fields)[number]["name"];
/** Fields that are left away are zero. */
export type Instruction = Readonly<Partial<Record<FieldName, number>>>;

/** All fields of an instruction. */
export type Decoded = Readonly<Record<FieldName, number>>;

/** The fields of an instruction, from its bytes: the inverse of `encode`. */
export function decode(bytes: Uint8Array): Decoded {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const values = (fields as readonly Field[]).map(({ name, word, low, bits, signed }) => {
    const value = Math.floor(view.getUint32(word * 4, true) / 2 ** low) % 2 ** bits;
    return [name, signed && value >= 2 ** (bits - 1) ? value - 2 ** bits : value];
  });
  return Object.fromEntries(values) as Decoded;
}

/** The words of an instruction as little-endian bytes; a `TandemError` where a value does not fit its field. */
export function encode(instruction: Instruction): Uint8Array {
  const words = new Uint32Array(INSTRUCTION_WORDS);
  for (const field of fields as readonly Field[]) {
    const { name, word, low, bits, signed } = field;
    const value = instruction[name as FieldName] ?? 0;
    const [min, max] = signed ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
    if (!Number.isInteger(value) || value < min || value > max)
      throw new TandemError(`Instruction field ${name} = ${value} does not fit ${bits} bits (${min} to ${max})`);
    const mask = bits === 32 ? 0xffffffff : 2 ** bits - 1;
    words[word] = (words[word]! | ((value & mask) << low)) >>> 0;
  }
  const bytes = new Uint8Array(INSTRUCTION_WORDS * 4);
  const view = new DataView(bytes.buffer);
  words.forEach((word, i) => {
    view.setUint32(i * 4, word, true);
  });
  return bytes;
}
