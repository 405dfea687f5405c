import { expect } from "chai";
import { checkSeeds } from "../../support/watchdog.js";

/** Milliseconds for one program, which takes some: what takes longer hangs. */
const LIMIT = 30_000;

describe("Random programs", () => {
  const first = Number(process.env["SEED"] ?? 1);
  const count = Number(process.env["PROGRAMS"] ?? 150);

  it(`mean the same as source and as IR (seeds ${first} to ${first + count - 1})`, async function () {
    this.timeout(180_000);
    const module = new URL("./programs.js", import.meta.url).href;
    const { ran, failures } = await checkSeeds({ module, first, count, limit: LIMIT });
    const [failure] = failures;
    expect(failure, failure && `SEED=${failure.seed} PROGRAMS=1\n${failure.message}`).to.equal(undefined);
    expect(ran).to.be.above(count / 3);
  });
});
