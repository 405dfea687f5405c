/** A sample of the spine for every run of the tests; `npm run test:spine` runs it whole (docs/spine.md). */
import { expect } from "chai";
import { DESIGN_NAMES } from "../../host/registry.js";
import { simulatorVersion } from "../../sim/rtl/tools.js";
import { drawCase } from "./case.js";
import { CONSTRUCTS, compareConstruct } from "./constructs.js";
import { compareCase, Engines, installed, type Engine } from "./engines.js";
import { lint } from "./lint.js";
import { compareNetwork } from "./networks.js";
import { check as checkAsVerilog } from "./rtl-networks.js";
import { POOL, type Configuration } from "./pool.js";

const seed = Number(process.env["TANDEM_SEED"] ?? 1);
/** Arrays that Icarus simulates in a moment. */
const SMALL = 40;

const peak = ({ design, parameters }: Configuration): number => design.peakMacsPerClock(design.configure(parameters));

describe("The spine, a sample: one source, equal data, clocks and stalls under all engines", function () {
  this.timeout(120_000);

  it("has about a dozen configurations of every design", () => {
    for (const name of DESIGN_NAMES) expect(POOL.get(name), name).to.have.length.above(9);
  });

  for (const [name, pool] of POOL) {
    const compare = async (configuration: Configuration, index: number, others: readonly Engine[]): Promise<void> => {
      const one = drawCase(pool, seed, index);
      expect(one.configuration).to.equal(configuration);
      const { difference } = await compareCase(new Engines(configuration), one, () => others.filter(installed));
      expect(difference, `TANDEM_SEED=${seed}: ${one.text}`).to.equal(undefined);
    };

    pool.forEach((configuration, index) => {
      const others: Engine[] = peak(configuration) <= SMALL ? ["fast", "icarus"] : ["fast"];
      it(`${configuration.label}: kernel, ${others.join(", ")}`, () => compare(configuration, index, others));
    });

    it(`${name}: kernel and verilator`, async function () {
      // It builds the simulator, which takes minutes where the processors are shared.
      this.timeout(900_000);
      if (!installed("verilator")) this.skip();
      await compare(pool[2]!, 2, ["verilator"]);
    });
  }

  it(`${CONSTRUCTS.length} constructs and examples: kernel and fast`, async () => {
    for (const one of CONSTRUCTS) {
      const { difference } = await compareConstruct(one, seed, ["fast"]);
      expect(difference, `TANDEM_SEED=${seed}: ${one.name}`).to.equal(undefined);
    }
  });

  it("100 random networks: kernel and fast", () => {
    for (let k = 0; k < 100; k++) expect(compareNetwork(seed + k), `TANDEM_SEED=${seed + k}`).to.equal(undefined);
  });

  it("25 random networks as Verilog: kernel and icarus", async function () {
    if (!installed("icarus")) this.skip();
    for (let k = 0; k < 25; k++)
      expect((await checkAsVerilog(seed + k)) ?? undefined, `TANDEM_SEED=${seed + k}`).to.equal(undefined);
  });
});

describe("The Verilog of every design is clean under verilator --lint-only -Wall", function () {
  this.timeout(120_000);
  before(function () {
    if (simulatorVersion("verilator") === undefined) this.skip();
  });
  for (const configuration of [...POOL.values()].flat().filter((one) => peak(one) <= SMALL))
    it(configuration.label, async () => {
      expect(await lint(configuration)).to.equal("");
    });
});
