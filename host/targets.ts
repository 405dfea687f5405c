/**
 * Where a network runs (`--on`): the implementations to plan with, in order of preference, and how the place is called in
 * reports. The CPU is here; places with an accelerator come from `host/accelerators.ts`.
 */
import type { ParameterValue } from "../driver/device.js";
import type { Implementation } from "./kernels/implementation.js";
import { CPU_IMPLEMENTATIONS, CPU_PREFERENCE } from "./kernels/registry.js";

export interface Target {
  readonly implementations: readonly Implementation[];
  readonly prefer: readonly string[];
  /** The accelerator that convolutions go to; undefined on the CPU alone. */
  readonly offload?: {
    readonly design: string;
    /** Every parameter, with its value. */
    readonly config: Readonly<Record<string, ParameterValue>>;
    readonly peakMacsPerClock: number;
  };
  /** What runs it: `cpu`, `kernel`, `fast`, `rtl`, `board`. */
  readonly engine: string;
  /** Level of the design; null on the CPU. */
  readonly level: string | null;
  /** Layers that it can run at once (host/runtime/executor.ts); one if undefined. */
  readonly jobs?: number;
  close(): Promise<void>;
}

/** The CPU; `kernels` names the implementations to take first, the others follow. */
export function cpuTarget(kernels?: string): Target {
  return {
    implementations: CPU_IMPLEMENTATIONS,
    prefer: [...new Set([...(kernels === undefined ? [] : [kernels]), ...CPU_PREFERENCE])],
    engine: "cpu",
    level: null,
    close: () => Promise.resolve(),
  };
}
