/** Random networks of small processes and channels, in the kernel and in the fast engine. */
import { TandemError } from "../../hw/index.js";
import { randomNetwork } from "../sim/fast/network.js";
import { comparable, inFast, inKernel, outside, type Outcome } from "../sim/fast/outside.js";
import { firstDifference } from "../support/difference.js";
import { checkSeeds, type Check } from "../support/watchdog.js";
import type { Progress, Row } from "./report.js";

/** What differs in the network of `seed`; every third has polls and signals. */
export function compareNetwork(seed: number): string | undefined {
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
    return both ? undefined : `kernel: ${text(expected)}; fast: ${text(actual)}`;
  }
  return firstDifference(comparable(expected), comparable(actual), "");
}

/** A `Check` of test/support/watchdog.ts. */
export const check: Check = compareNetwork;

/** Milliseconds for one network, which takes some ten. */
const LIMIT = 60_000;

export async function runNetworks({ seed, count }: { seed: number; count: number }, progress: Progress): Promise<Row> {
  const { failures } = await checkSeeds({
    module: import.meta.url,
    first: seed,
    count,
    limit: LIMIT,
    onSeed: (at) => progress.step(`network ${at}`, (at - seed) / count),
  });
  for (const { seed: at, message } of failures)
    progress.difference(`network, --part networks --networks 1 --seed ${at}: ${message}`);
  return {
    part: "random networks",
    cases: count,
    clocks: undefined,
    differences: failures.length,
    note: "kernel, fast",
  };
}
