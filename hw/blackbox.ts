/**
 * A black box: a module of which the hardware is Verilog text that somebody has written (an IP core, a hand-made data
 * path), and the simulation a model in TypeScript: its processes. Both have the module's channel ports, with the handshake
 * of generated Verilog, and must do the same in the same clocks; co-simulation is what shows it (docs/verilog.md).
 */
import { Module } from "./module.js";

/** Where the Verilog of a black box stands. */
export interface VerilogSource {
  /** Name of the Verilog module. */
  readonly module: string;
  /** Its file, `new URL("./multiplier.v", import.meta.url)`, or its text. */
  readonly file?: URL;
  readonly text?: string;
  readonly parameters?: Readonly<Record<string, number>>;
}

export abstract class BlackBox extends Module {
  /**
   * The Verilog module has `clk`, `rst` (synchronous, high) and per channel port `x` of type T: `x_data` (the bits of T;
   * several lanes beside each other), `x_valid` and `x_ready`. It may have an output `busy`, high in a clock in which
   * something moves inside though no port does.
   */
  abstract readonly verilog: VerilogSource;
}

/** The black box that a module is, or stands in. */
export function boxOf(module: Module): BlackBox | undefined {
  for (let at: Module | null = module; at; at = at.parent) if (at instanceof BlackBox) return at;
  return undefined;
}
