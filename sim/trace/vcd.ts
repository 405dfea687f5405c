/**
 * Writer of Value Change Dumps (IEEE 1364-2005, clause 18): the text format that GTKWave, Surfer and every simulator read.
 * Declare scopes and variables, `start`, then move time forward and report changes; text leaves in blocks through `sink`.
 */
import { TandemError } from "../../hw/index.js";

/** Takes the text of the dump, in order. */
export type TextSink = (text: string) => void;

/** What a variable holds: a 2-state word of 1 bit or more (undefined is `x`), or a number shown as such. */
export type VariableKind = { readonly bits: number } | "real";

export interface Variable {
  readonly kind: VariableKind;
  /** Identifier code in the dump. */
  readonly code: string;
  last: number | bigint | undefined | null;
}

/** Printable characters that may form an identifier code (IEEE 1364-2005, 18.2.1). */
const FIRST_CODE = 33;
const CODES = 94;
const BLOCK = 1 << 16;

function codeOf(index: number): string {
  let code = "";
  for (let rest = index + 1; rest > 0; rest = Math.floor((rest - 1) / CODES))
    code += String.fromCharCode(FIRST_CODE + ((rest - 1) % CODES));
  return code;
}

export class VcdWriter {
  readonly #sink: TextSink;
  readonly #variables: Variable[] = [];
  #text = "";
  #depth = 0;
  #started = false;
  #time = -1;

  /** `timescale` as in the standard: 1, 10 or 100 of s, ms, us, ns, ps, fs. */
  constructor(sink: TextSink, timescale: string, comment: string) {
    this.#sink = sink;
    this.#write(`$version Tandem $end\n$comment ${comment.replaceAll("$", "")} $end\n`);
    this.#write(`$timescale ${timescale} $end\n`);
  }

  scope(name: string): void {
    this.#depth++;
    this.#write(`$scope module ${name} $end\n`);
  }

  upscope(): void {
    this.#depth--;
    this.#write("$upscope $end\n");
  }

  /** Declare a variable in the scope that is open. */
  variable(name: string, kind: VariableKind): Variable {
    if (this.#started || this.#depth === 0) throw new TandemError(`VCD: ${name} is declared outside the header`);
    const variable: Variable = { kind, code: codeOf(this.#variables.length), last: null };
    this.#variables.push(variable);
    const range = kind === "real" || kind.bits === 1 ? "" : ` [${kind.bits - 1}:0]`;
    const type = kind === "real" ? "real 64" : `reg ${kind.bits}`;
    this.#write(`$var ${type} ${variable.code} ${name}${range} $end\n`);
    return variable;
  }

  /** End the header; all variables are unknown at `time`, in units of the timescale. */
  start(time: number): void {
    this.#started = true;
    this.#time = time;
    this.#write(`$enddefinitions $end\n#${time}\n$dumpvars\n`);
    for (const variable of this.#variables) {
      // A real has no unknown value in the standard.
      if (variable.kind === "real") this.#write(`rNaN ${variable.code}\n`);
      else this.#write(variable.kind.bits === 1 ? `x${variable.code}\n` : `bx ${variable.code}\n`);
      variable.last = undefined;
    }
    this.#write("$end\n");
  }

  /** Changes reported from now on happen at `time`, which never goes back. */
  time(time: number): void {
    if (time < this.#time) throw new TandemError(`VCD: time goes back from ${this.#time} to ${time}`);
    if (time === this.#time) return;
    this.#time = time;
    this.#write(`#${time}\n`);
  }

  /** Report a value; only a change is written. Negative words are shown in two's complement. */
  change(variable: Variable, value: number | bigint | undefined): void {
    if (value === variable.last) return;
    variable.last = value;
    const { kind, code } = variable;
    if (kind === "real") this.#write(`r${value === undefined ? "NaN" : String(value)} ${code}\n`);
    else if (kind.bits === 1) this.#write(`${value === undefined ? "x" : value ? "1" : "0"}${code}\n`);
    else this.#write(`b${value === undefined ? "x" : binary(value, kind.bits)} ${code}\n`);
  }

  /** Hand what is buffered to the sink; at the end of the dump. */
  flush(): void {
    if (this.#text !== "") this.#sink(this.#text);
    this.#text = "";
  }

  #write(text: string): void {
    this.#text += text;
    if (this.#text.length >= BLOCK) this.flush();
  }
}

function binary(value: number | bigint, bits: number): string {
  if (typeof value === "number" && value >= 0) return value.toString(2);
  return BigInt.asUintN(bits, BigInt(value)).toString(2);
}
