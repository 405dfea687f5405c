/**
 * Energy of a layer by component, from times of the schedule and counts of what moved and switched. Static parts are power
 * times time; dynamic parts are counts times energy. No coefficient is fitted to the whole-board powers that
 * docs/platform.md compares the sum with.
 */
import type { BoardValues } from "./platform.js";

export const energyComponents = [
  "board",
  "psIdle",
  "psActive",
  "plStatic",
  "plClock",
  "dsp",
  "bram",
  "logic",
  "ddr",
] as const;
export type EnergyComponent = (typeof energyComponents)[number];
/** Joules by component. */
export type Energy = Readonly<Record<EnergyComponent, number>>;

/** What an energy is computed from, in words, for reports. */
export const energyFormulas: Readonly<Record<EnergyComponent, string>> = {
  board: "power.board x time",
  psIdle: "power.psIdle x time",
  psActive: "power.psCore x (time of each busy core, polling included)",
  plStatic: "power.plStatic x time",
  plClock: "power.clockLut x PL clock x LUTs x time",
  dsp: "energy.dsp x DSP operations (steps of an array's cells; without an array MACs / products per DSP)",
  bram: "energy.bram x accesses of memories",
  logic: "energy.logic x LUTs x busy clocks (mean over processes)",
  ddr: "power.ddrIdle x time + energy.ddr x bytes",
};

export interface Activity {
  /** Nanoseconds that it lasts. */
  readonly ns: number;
  /** Nanoseconds times cores that work or poll. */
  readonly coreNs: number;
  /** Bytes to and from memory. */
  readonly bytes: number;
  /** The accelerator's, if one is configured. */
  readonly pl?: {
    readonly luts: number;
    /** Multiplier operations; two products in one DSP count once. */
    readonly dspOps: number;
    readonly memoryAccesses: number;
    /** Clocks that a process was busy, mean over all processes. */
    readonly busyClocks: number;
  };
}

export function energyOf({ ns, coreNs, bytes, pl }: Activity, board: BoardValues): Energy {
  const seconds = ns * 1e-9;
  return {
    board: board["power.board"] * seconds,
    psIdle: board["power.psIdle"] * seconds,
    psActive: board["power.psCore"] * coreNs * 1e-9,
    plStatic: board["power.plStatic"] * seconds,
    plClock: pl ? board["power.clockLut"] * 1e-6 * board["pl.clock"] * pl.luts * seconds : 0,
    dsp: pl ? board["energy.dsp"] * 1e-12 * pl.dspOps : 0,
    bram: pl ? board["energy.bram"] * 1e-12 * pl.memoryAccesses : 0,
    logic: pl ? board["energy.logic"] * 1e-12 * pl.luts * pl.busyClocks : 0,
    ddr: board["power.ddrIdle"] * seconds + board["energy.ddr"] * 1e-9 * bytes,
  };
}

export function addEnergies(list: readonly Energy[]): Energy {
  return Object.fromEntries(
    energyComponents.map((component) => [component, list.reduce((sum, each) => sum + each[component], 0)]),
  ) as unknown as Energy;
}

export const totalEnergy = (energy: Energy): number =>
  energyComponents.reduce((sum, component) => sum + energy[component], 0);
