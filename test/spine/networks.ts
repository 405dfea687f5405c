/** Random networks of small processes and channels, in the kernel and in the fast engine. */
import { TandemError } from "../../hw/index.js";
import { randomNetwork } from "../sim/fast/network.js";
import { comparable, inFast, inKernel, outside, type Outcome } from "../sim/fast/outside.js";
import { firstDifference } from "./difference.js";
import type { Progress, Row } from "./report.js";

/** What differs in the network of `seed`; every third has polls and signals. */
export function compareNetwork(seed: number): { clocks: number; difference: string | undefined } {
  const options = { polls: seed % 3 === 0 };
  const made = randomNetwork(seed, options);
  const around = outside(seed, made);
  const attempt = (run: () => Outcome): Outcome | TandemError => {
    try {
      return run();
    } catch (error) {
      if (error instanceof TandemError) return error;
      throw error;
    }
  };
  const expected = attempt(() => inKernel(made, around));
  const actual = attempt(() => inFast(randomNetwork(seed, options), around, seed % 2 === 0));
  if (expected instanceof TandemError || actual instanceof TandemError) {
    // Of several errors in one run the engines may report different ones first (docs/engines.md).
    const both = expected instanceof TandemError && actual instanceof TandemError;
    const text = (end: Outcome | TandemError): string => (end instanceof TandemError ? end.message : "no error");
    return { clocks: 0, difference: both ? undefined : `kernel: ${text(expected)}; fast: ${text(actual)}` };
  }
  return { clocks: expected.clocks, difference: firstDifference(comparable(expected), comparable(actual), "") };
}

export function runNetworks({ seed, count }: { seed: number; count: number }, progress: Progress): Row {
  let clocks = 0;
  let differences = 0;
  for (let i = 0; i < count; i++) {
    progress.step(`network ${seed + i}`, i / count);
    let result: ReturnType<typeof compareNetwork>;
    try {
      result = compareNetwork(seed + i);
    } catch (error) {
      result = { clocks: 0, difference: error instanceof Error ? error.message : String(error) };
    }
    clocks += result.clocks;
    if (result.difference === undefined) continue;
    differences++;
    progress.difference(`network, --part networks --seed ${seed + i}: ${result.difference}`);
  }
  return { part: "random networks", cases: count, clocks, differences, note: "kernel, fast" };
}
