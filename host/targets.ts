/**
 * Where a network runs (`--on`): the implementations to plan with, in order of preference, and how the place is called in
 * reports. The CPU is here; simulated designs and sockets come from `host/registry.ts`.
 */
import { TandemError } from "../hw/errors.js";
import type { Implementation } from "./kernels/implementation.js";
import { CPU_IMPLEMENTATIONS, CPU_PREFERENCE } from "./kernels/registry.js";

export interface Target {
  readonly implementations: readonly Implementation[];
  readonly prefer: readonly string[];
  /** The accelerator, undefined on the CPU alone. */
  readonly accelerator?: {
    readonly design: string;
    readonly config: Readonly<Record<string, number | boolean | string>>;
    readonly peakMacsPerClock: number;
  };
  /** What runs it: `cpu`, `kernel`, `fast`, `rtl`, `board`. */
  readonly engine: string;
  /** Level of the design; null on the CPU. */
  readonly level: string | null;
  close(): Promise<void>;
}

/** The CPU; `kernels` names the implementations to take first, the others follow. */
export function cpuTarget(kernels?: string): Target {
  const names = new Set(CPU_IMPLEMENTATIONS.map(({ name }) => name));
  if (kernels !== undefined && !names.has(kernels)) {
    throw new TandemError(`--kernels ${kernels}: no such kernels`, { hint: `Choose from ${[...names].join(", ")}.` });
  }
  return {
    implementations: CPU_IMPLEMENTATIONS,
    prefer: [...new Set([...(kernels === undefined ? [] : [kernels]), ...CPU_PREFERENCE])],
    engine: "cpu",
    level: null,
    close: () => Promise.resolve(),
  };
}
