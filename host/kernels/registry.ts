/** All implementations that run on the CPU. A new one is written in its own file and listed here. */
import * as fast from "./fast/index.js";
import type { Implementation } from "./implementation.js";
import * as reference from "./reference/index.js";

export const CPU_IMPLEMENTATIONS: readonly Implementation[] = [...Object.values(fast), ...Object.values(reference)];

/** Names of implementations as the CPU is used unless told otherwise: the first that takes a layer runs it. */
export const CPU_PREFERENCE = ["fast", "reference"] as const;
