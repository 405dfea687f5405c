/**
 * What Yosys's statistics mean on a device: primitives of Xilinx 7-series (UG953) as look-up tables, flip-flops, block RAMs
 * and DSPs, held against what the XC7Z020 of the PYNQ-Z1 has (DS190).
 */

export interface Resources {
  readonly lut: number;
  readonly ff: number;
  /** DSP48E1. */
  readonly dsp: number;
  readonly ramb36: number;
  readonly ramb18: number;
}

export const XC7Z020: Resources & { readonly name: string } = {
  name: "XC7Z020",
  lut: 53_200,
  ff: 106_400,
  dsp: 220,
  // 140 blocks of 36 Kibit, each of which can be two of 18.
  ramb36: 140,
  ramb18: 280,
};

/** Look-up tables that a primitive takes: logic, distributed RAM and shift registers. */
const LUTS: Readonly<Record<string, number>> = {
  LUT1: 1,
  LUT2: 1,
  LUT3: 1,
  LUT4: 1,
  LUT5: 1,
  LUT6: 1,
  INV: 1,
  SRL16E: 1,
  SRLC16E: 1,
  SRLC32E: 1,
  RAM32X1S: 1,
  RAM64X1S: 1,
  RAM32X1D: 2,
  RAM64X1D: 2,
  RAM128X1D: 4,
  RAM128X1S: 2,
  RAM256X1S: 4,
  RAM32M: 4,
  RAM64M: 4,
};

const FFS = new Set(["FDRE", "FDSE", "FDCE", "FDPE", "FDRE_1", "FDSE_1", "FDCE_1", "FDPE_1"]);
/** Primitives that use none of the counted resources. */
const FREE = new Set(["CARRY4", "MUXF7", "MUXF8", "BUFG", "IBUF", "OBUF", "GND", "VCC", "$scopeinfo"]);

export interface Count {
  readonly resources: Resources;
  /** Cells that are neither counted nor known to be free: a reason to distrust the figures. */
  readonly unknown: readonly string[];
}

export function countResources(cells: Readonly<Record<string, number>>): Count {
  const sum = { lut: 0, ff: 0, dsp: 0, ramb36: 0, ramb18: 0 };
  const unknown: string[] = [];
  for (const [type, n] of Object.entries(cells)) {
    const luts = LUTS[type];
    if (luts !== undefined) sum.lut += luts * n;
    else if (FFS.has(type)) sum.ff += n;
    else if (type === "DSP48E1") sum.dsp += n;
    else if (type === "RAMB36E1") sum.ramb36 += n;
    else if (type === "RAMB18E1") sum.ramb18 += n;
    else if (!FREE.has(type)) unknown.push(type);
  }
  return { resources: sum, unknown };
}

/** Blocks of 36 Kibit, two halves to a block. */
export const blocks36 = ({ ramb36, ramb18 }: Resources): number => ramb36 + Math.ceil(ramb18 / 2);

export interface Use {
  readonly name: string;
  readonly used: number;
  readonly available: number;
  readonly fits: boolean;
}

/** Each resource against the device. */
export function useOf(resources: Resources): Use[] {
  const row = (name: string, used: number, available: number): Use => ({
    name,
    used,
    available,
    fits: used <= available,
  });
  return [
    row("LUT", resources.lut, XC7Z020.lut),
    row("FF", resources.ff, XC7Z020.ff),
    row("DSP48E1", resources.dsp, XC7Z020.dsp),
    row("BRAM36", blocks36(resources), XC7Z020.ramb36),
  ];
}
