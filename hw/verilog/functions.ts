/**
 * Verilog functions that generated modules share by text: the twins of hw/arithmetic.ts, and the conversions of width that
 * Verilog-2005 has no operator for. A module holds those that it uses. All values are plain bit vectors; signed
 * operators stand only inside these functions, where no other operand can change what they mean.
 */

const range = (width: number): string => (width === 1 ? "" : `[${width - 1}:0] `);

/** `text` (a simple name of `from` bits) in `to` bits. */
export function extend(name: string, from: number, signed: boolean, to: number): string {
  if (to === from) return name;
  if (to < from) return to === 1 ? `${name}[0]` : `${name}[${to - 1}:0]`;
  if (!signed) return `{${to - from}'d0, ${name}}`;
  return `{{${to - from}{${from === 1 ? name : `${name}[${from - 1}]`}}}, ${name}}`;
}

export class FunctionLibrary {
  readonly #texts = new Map<string, string>();

  /** The text of all functions that were asked for, in the order of their names. */
  get text(): string {
    return [...this.#texts.keys()]
      .sort()
      .map((name) => this.#texts.get(name)!)
      .join("\n");
  }

  #define(name: string, width: number, inputs: readonly (readonly [string, number])[], body: string): string {
    if (!this.#texts.has(name)) {
      const ports = inputs.map(([input, bits]) => `    input ${range(bits)}${input};\n`).join("");
      const text = body
        .split("\n")
        .map((line) => `    ${line}\n`)
        .join("");
      this.#texts.set(name, `  function ${range(width)}${name};\n${ports}${text}  endfunction\n`);
    }
    return name;
  }

  /** Sign extension of an expression. */
  sext(from: number, to: number): string {
    const name = `sext_${from}_${to}`;
    return this.#define(name, to, [["x", from]], `${name} = ${extend("x", from, true, to)};`);
  }

  /** Bits `high` to `low` of an expression. */
  slice(from: number, high: number, low: number): string {
    const name = `bits_${from}_${high}_${low}`;
    const select = high === low ? `x[${low}]` : `x[${high}:${low}]`;
    return this.#define(name, high - low + 1, [["x", from]], `${name} = ${from === 1 ? "x" : select};`);
  }

  /** Lane `i` of an expression; the caller knows that there is one. */
  lane(from: number, lane: number, indexBits: number): string {
    const name = `lane_${from}_${lane}`;
    const inputs = [["x", from] as const, ["i", indexBits] as const];
    const shift = Math.log2(lane);
    const wide = indexBits + Math.ceil(shift);
    const low =
      lane === 1
        ? "i"
        : Number.isInteger(shift)
          ? `{i, ${shift}'d0}`
          : `({${wide - indexBits}'d0, i} * ${wide}'d${lane})`;
    return this.#define(name, lane, inputs, `${name} = x[${low} +: ${lane}];`);
  }

  /**
   * A sum or difference with a signed operand narrower than itself. Said by a signed operator, synthesis sees that it is
   * narrow and puts it on the carry chain, so that what chooses the other operand costs no table of its own.
   */
  add(op: "+" | "-", a: { width: number; signed: boolean }, b: { width: number; signed: boolean }, to: number): string {
    const sign = ({ width, signed }: typeof a): string => `${signed ? "s" : "u"}${width}`;
    const name = `${op === "+" ? "add" : "sub"}_${sign(a)}_${sign(b)}_${to}`;
    const operand = (x: string, { width, signed }: typeof a): string => `$signed(${extend(x, width, signed, to)})`;
    const inputs = [["a", a.width] as const, ["b", b.width] as const];
    return this.#define(name, to, inputs, `${name} = ${operand("a", a)} ${op} ${operand("b", b)};`);
  }

  /** A product in `to` bits, of operands of their own widths and signs. */
  multiply(a: { width: number; signed: boolean }, b: { width: number; signed: boolean }, to: number): string {
    const sign = ({ width, signed }: typeof a): string => `${signed ? "s" : "u"}${width}`;
    const name = `mul_${sign(a)}_${sign(b)}_${to}`;
    const signed = a.signed || b.signed;
    const operand = (x: string, { width, signed: s }: typeof a): string =>
      signed ? `$signed(${extend(x, width, s, to)})` : extend(x, width, s, to);
    const inputs = [["a", a.width] as const, ["b", b.width] as const];
    return this.#define(name, to, inputs, `${name} = ${operand("a", a)} * ${operand("b", b)};`);
  }

  /** Arithmetic shift right by a variable amount. */
  asr(width: number, amountBits: number): string {
    const name = `asr_${width}_${amountBits}`;
    const inputs = [["x", width] as const, ["n", amountBits] as const];
    return this.#define(name, width, inputs, `${name} = $signed(x) >>> n;`);
  }

  /** The lesser or greater of two numbers. */
  extreme(which: "min" | "max", width: number, signed: boolean): string {
    const name = `${which}_${signed ? "s" : "u"}${width}`;
    const cast = (x: string): string => (signed ? `$signed(${x})` : x);
    const inputs = [["a", width] as const, ["b", width] as const];
    const less = `${cast("a")} < ${cast("b")}`;
    return this.#define(name, width, inputs, `${name} = (${less}) ? ${which === "min" ? "a : b" : "b : a"};`);
  }

  clamp(width: number, signed: boolean): string {
    const name = `clamp_${signed ? "s" : "u"}${width}`;
    const cast = (x: string): string => (signed ? `$signed(${x})` : x);
    const inputs = [["x", width] as const, ["low", width] as const, ["high", width] as const];
    const body = `${name} = (${cast("x")} < ${cast("low")}) ? low : (${cast("x")} > ${cast("high")}) ? high : x;`;
    return this.#define(name, width, inputs, body);
  }

  /** A signed number held within `to` bits: too large or too small where the bits above are not all its sign. */
  saturate(width: number, to: number): string {
    const name = `saturate_${width}_${to}`;
    const above = `x[${width - 1}:${to - 1}]`;
    const limit = `{x[${width - 1}], {${to - 1}{!x[${width - 1}]}}}`;
    return this.#define(name, to, [["x", width]], `${name} = (&${above} || !(|${above})) ? x[${to - 1}:0] : ${limit};`);
  }

  abs(width: number): string {
    const name = `abs_${width}`;
    return this.#define(name, width, [["x", width]], `${name} = x[${width - 1}] ? (-x) : x;`);
  }

  /** gemmlowp's SaturatingRoundingDoublingHighMul; floor((a * b + 2^30) / 2^31), saturated. */
  doublingHighMul(): string {
    const name = "doubling_high_mul";
    const body = [
      "reg signed [63:0] product;",
      "begin",
      "  product = $signed({{32{a[31]}}, a}) * $signed({{32{b[31]}}, b});",
      "  product = product + 64'sd1073741824;",
      `  ${name} = (a == 32'h80000000 && b == 32'h80000000) ? 32'h7fffffff : product[62:31];`,
      "end",
    ].join("\n");
    return this.#define(name, 32, [["a", 32] as const, ["b", 32] as const], body);
  }

  /** gemmlowp's RoundingDivideByPOT: floor((x + 2^(n-1) - (x < 0)) / 2^n) for n > 0. */
  roundingShiftRight(): string {
    const name = "rounding_shift_right";
    const body = [
      "reg [32:0] sum;",
      "begin",
      "  sum = {x[31], x} + ((33'd1 << n) >> 1) - {32'd0, x[31] && n != 5'd0};",
      `  ${name} = shifted(sum, n);`,
      "end",
    ].join("\n");
    this.#define(
      "shifted",
      32,
      [["x", 33] as const, ["n", 5] as const],
      "reg signed [32:0] y;\nbegin\n  y = $signed(x) >>> n;\n  shifted = y[31:0];\nend",
    );
    return this.#define(name, 32, [["x", 32] as const, ["n", 5] as const], body);
  }

  /**
   * Two products with an int8 on one DSP48E1: b1, of 8 or 9 bits, stands 2^16 above b0 (their sum fits 25 bits and is made by the pre-adder).
   * 2^15 is added behind the multiplier, so that the low product, now 0 to 2^16 - 1, borrows nothing from the high one; its
   * highest bit turned round takes the 2^15 off again.
   */
  mulPair(width: number): string {
    const name = width === 8 ? "mul_pair" : `mul_pair_${width}`;
    const top = width - 1;
    const high = width === 8 ? "{b1[7], b1, 16'd0}" : "{b1, 16'd0}";
    const body = [
      "reg signed [24:0] both;",
      "reg signed [32:0] product;",
      "begin",
      `  both = $signed(${high}) + $signed({{${25 - width}{b0[${top}]}}, b0});`,
      "  product = $signed({{8{both[24]}}, both}) * $signed({{25{a[7]}}, a}) + 33'sd32768;",
      `  ${name} = {product[31:16], !product[15], product[14:0]};`,
      "end",
    ].join("\n");
    const inputs = [["a", 8] as const, ["b0", width] as const, ["b1", width] as const];
    return this.#define(name, 32, inputs, body);
  }
}
