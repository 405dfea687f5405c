import { expect } from "chai";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { checkSeeds } from "./watchdog.js";

describe("The watch over random seeds", () => {
  it("names the seed that hangs, the one that is wrong and the one that throws, and goes on", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tandem-watchdog-"));
    try {
      const file = join(folder, "check.mjs");
      writeFileSync(
        file,
        `export function check(seed) {
          if (seed === 3) return "wrong";
          if (seed === 4) for (;;);
          if (seed === 5) throw new Error("thrown");
          return seed === 6 ? null : undefined;
        }`,
      );
      const seen: number[] = [];
      const { ran, failures } = await checkSeeds({
        module: pathToFileURL(file).href,
        first: 2,
        count: 6,
        limit: 1500,
        onSeed: (seed) => seen.push(seed),
      });
      expect(seen).to.deep.equal([2, 3, 4, 5, 6, 7]);
      expect(ran).to.equal(5);
      expect(failures.map(({ seed }) => seed)).to.deep.equal([3, 4, 5]);
      expect(failures[1]!.message).to.contain("it hangs");
      expect(failures[2]!.message).to.contain("thrown");
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
