/**
 * What a published or own measurement says about the platform's constants: an equation that is linear in them. Rows are
 * those of a table of measurements (id, quantity, value, unit, board, conditions, source, confidence); a row of one's own names its
 * constants itself, in the quantity: `fit driver.transfer=2 driver.storeUncached=129`, with each coefficient in units of
 * value per unit of the constant.
 */
import { TandemError } from "../../hw/errors.js";
import { constantNames, type BoardValues } from "./platform.js";
import type { ConstantName } from "./pynq-z1.constants.js";

export interface Measurement {
  readonly id: string;
  readonly quantity: string;
  readonly value: string;
  readonly unit: string;
  readonly conditions: string;
  readonly source: string;
  readonly confidence: string;
}

/** `observed = offset + sum of coefficient x constant`. A name with `~` is an unknown of the measurement, no constant. */
export interface Equation {
  readonly id: string;
  readonly what: string;
  readonly observed: number;
  readonly unit: string;
  readonly offset: number;
  readonly terms: Readonly<Partial<Record<ConstantName | `~${string}`, number>>>;
  /** How far it is to be trusted, 0 to 1. */
  readonly weight: number;
  /** Only equations to fit move the constants; the others are compared. */
  readonly use: "fit" | "check";
}

/** The equations of a row; none, with the reason, if the platform has no constant that it speaks of. */
export function equationsOf(row: Measurement, board: BoardValues): readonly Equation[] | string {
  const weight = trust(row.confidence);
  const make = (observed: number, unit: string, terms: Equation["terms"], more: Partial<Equation> = {}): Equation => ({
    id: row.id,
    what: row.quantity,
    observed,
    unit,
    offset: 0,
    terms,
    weight,
    use: "fit",
    ...more,
  });
  if (row.quantity.startsWith("fit ")) return [make(number(row), row.unit, ownTerms(row))];
  if (/^AX\d/.test(row.id)) return axi4mlir(row, make);
  const rule = rules[row.id];
  if (rule) return rule(row, make, board);
  const skipped = reasons.find(([pattern]) => pattern.test(row.id));
  return skipped?.[1] ?? "no constant of the platform depends on it";
}

type Make = (observed: number, unit: string, terms: Equation["terms"], more?: Partial<Equation>) => Equation;
type Rule = (row: Measurement, make: Make, board: BoardValues) => Equation[];

const MIB = 2 ** 20;
const perByte = (name: ConstantName, unit: number): Rule => {
  return (row, make) => [make(1e9 / (number(row) * unit), "ns/B", { [name]: 1 })];
};
const direct = (name: ConstantName): Rule => {
  return (row, make) => [make(middle(row), row.unit, { [name]: 1 })];
};

/** A transfer of 16-beat bursts on a stream whose peak is 400 MB/s. */
const burstGap = (name: ConstantName): Rule => {
  return (row, make) => [make((16 * 400) / number(row), "clocks/burst", { [name]: 1 }, { offset: 16 })];
};

/** Two threads; the conditions hold the multiply-accumulates: `6.556 MMAC`. */
const int8Network: Rule = (row, make, board) => {
  const macs = Number(/([\d.]+) MMAC/.exec(row.conditions)?.[1]);
  return [make(number(row), "ms", { "cpu.int8Mac": macs / board["cpu.twoThreads"], "cpu.network": 1 })];
};

/** LUTs of the design whose idle power ZY1i to ZY3i give at three clocks: not published; 70 % of the chip assumed. */
const ZYBO_LUTS = 0.7 * 53_200;
const zyboIdle = (mhz: number): Rule => {
  return (row, make) => [make(number(row), "W", { "power.clockLut": mhz * ZYBO_LUTS * 1e-6, "~zybo": 1 })];
};

/** One core polls, the accelerator's clocks and activity left out: their LUTs are not published. */
const boardIdle: Rule = (row, make) => {
  const terms = { "power.board": 1, "power.psIdle": 1, "power.psCore": 1, "power.plStatic": 1, "power.ddrIdle": 1 };
  return [make(number(row), "W", terms, { use: "check" })];
};

const rules: Readonly<Record<string, Rule>> = {
  PG1: burstGap("dma.sendGap"),
  PG2: burstGap("dma.receiveGap"),
  UG1(row, make, board) {
    const [read, , write, both] = row.value.split("/").map((share) => Number(share) / 100);
    const ns = 1000 / board["ddr.peak"];
    return [
      make(ns / read!, "ns/B", { "ddr.read": 1 }),
      make(ns / write!, "ns/B", { "ddr.write": 1 }),
      make((256 * ns) / both!, "ns", { "ddr.read": 128, "ddr.write": 128, "ddr.turnaround": 2 }),
    ];
  },
  SB1: direct("hp.writeLatency"),
  DS3: (row, make) => [make(number(row) * 1000, "us", { "python.transfer": 1 })],
  MM1: direct("python.registerWrite"),
  MM2: direct("python.registerWrite"),
  RG2(row, make) {
    const [write, readWrite] = row.value.split("/").map((ns) => Number(ns) / 1000);
    return [
      make(write!, "us", { "driver.registerWrite": 1 }),
      make(readWrite!, "us", { "driver.registerWrite": 1, "driver.registerRead": 1 }),
    ];
  },
  FF1: int8Network,
  FF2: int8Network,
  UD1: perByte("cpu.copy", MIB),
  XD3: perByte("cpu.copy", 1e6),
  GE1: perByte("cpu.copy", MIB),
  GE5: perByte("cpu.copy", MIB),
  UD2: perByte("cpu.copyUncached", MIB),
  XD2: perByte("cpu.copyUncached", 1e6),
  ZY1i: zyboIdle(100),
  ZY2i: zyboIdle(175),
  ZY3i: zyboIdle(200),
  ML16a: boardIdle,
  ML16b: boardIdle,
  ML19a: boardIdle,
  ML19b: boardIdle,
};

const reasons: readonly [RegExp, string][] = [
  [/^AXD/, "derived from the AX rows, which are fitted themselves"],
  [/^AN/, "four cores at 1 GHz and another library: compared in words in docs/platform.md"],
  [/^TR/, "float32, and its clock is not stated"],
  [
    /^(BN|AW|PI|HW1|HW2|ML0|DS1|ZY.[el])/,
    "a design or a program of its own whose work is not published in enough detail",
  ],
  [/^(GE|XD1)/, "tuned caches, or a path that the model does not have"],
  [/^MC/, "the multichannel DMA, not the simple one; another driver"],
];

/**
 * Matrix products of AXI4MLIR: tiles of T x T words travel through one buffer each way. `Ns`: both operands and the result for
 * each product of tiles; `As`, `Bs`: one operand stays; `Cs`: the result stays. One transfer for what goes out together,
 * one for what comes back; every product of tiles carries one word of instruction.
 */
function axi4mlir(row: Measurement, make: Make): Equation[] | string {
  const match = /matmul i32 (\d+)_\d+_\d+, tool=(\w+) accel tile=(\d+) v\d flow=(\w+)/.exec(row.quantity);
  if (!match) return "unoptimised scalar code on the processor";
  const [, size, tool, tile, flow] = match as unknown as [string, string, string, string, string];
  if (tool === "mlir_CPU") return "unoptimised scalar code on the processor";
  const t = Number(tile) ** 2;
  const side = Number(size) / Number(tile);
  const products = side ** 3;
  const pairs = side ** 2;
  const [transfers, out, back] =
    flow === "Ns"
      ? [2 * products, products * (2 * t + 1), products * t]
      : flow === "Cs"
        ? [products + pairs, products * (2 * t + 1) + pairs, pairs * t]
        : [2 * products + pairs, products * (t + 1) + pairs * (t + 1), products * t];
  return [
    make(
      number(row),
      "ms",
      {
        "driver.processStart": 1,
        "driver.transfer": transfers / 1e3,
        "driver.storeUncached": out / 1e6,
        "driver.loadUncached": back / 1e6,
      },
      // The generated code copies otherwise than a driver written by hand.
      { use: tool === "cpp_MAN" ? "fit" : "check" },
    ),
  ];
}

function ownTerms(row: Measurement): Equation["terms"] {
  const terms: Record<string, number> = {};
  for (const pair of row.quantity.slice(4).trim().split(/\s+/)) {
    const [name, coefficient] = pair.split("=");
    const known = name !== undefined && (name.startsWith("~") || (constantNames as string[]).includes(name));
    if (!known || !Number.isFinite(Number(coefficient)) || coefficient === undefined)
      throw new TandemError(`Measurement ${row.id}: "${pair}" is not CONSTANT=COEFFICIENT`, {
        hint: "Constants are listed in docs/platform.md; for instance driver.transfer=2.",
      });
    terms[name] = Number(coefficient);
  }
  return terms;
}

/** 1 for `high`, 0.5 for `medium`, 0.2 for `low`, and between for what lies between; words behind it do not count. */
const weights = new Map([
  ["high", 1],
  ["medium-high", 0.7],
  ["medium", 0.5],
  ["low-medium", 0.3],
  ["low", 0.2],
]);
export const confidences: readonly string[] = [...weights.keys()];
const weightOf = (confidence: string): number | undefined => weights.get(confidence.trim().split(/[ (]/)[0]!);
export const isConfidence = (text: string): boolean => weightOf(text) !== undefined;
const trust = (confidence: string): number => weightOf(confidence) ?? 0.5;

function number({ id, value }: Measurement): number {
  const parsed = Number(value.replace(/^about /, ""));
  if (value.trim() === "" || !Number.isFinite(parsed))
    throw new TandemError(`Measurement ${id}: value "${value}" is no number`, {
      hint: "Give the value alone, as 2.7; its unit has a column of its own.",
    });
  // Errors are relative.
  if (parsed <= 0)
    throw new TandemError(`Measurement ${id}: value "${value}" is not above 0`, {
      hint: "Times, rates and powers are positive; leave the row out if nothing was measured.",
    });
  return parsed;
}

/** Of a range: `27-36`. */
function middle(row: Measurement): number {
  const [low, high] = row.value.split("-").map(Number);
  return high === undefined ? number(row) : (low! + high) / 2;
}
