import { expect } from "chai";
import { existsSync, readFileSync } from "node:fs";
import { systolic } from "../../../designs/systolic/index.js";
import type { SystolicConfig } from "../../../designs/systolic/config.js";
import { Bench } from "../bench.js";
import { randomLayer } from "../layers.js";

const golden = "../shared/golden/scalesim/os_16x16.csv";

interface Row {
  readonly name: string;
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly clocks: number;
}

function readGolden(): Row[] {
  const [head, ...lines] = readFileSync(golden, "utf8").trim().split(/\r?\n/);
  expect(head).to.equal("topology,layer,M,K,N,clocks");
  return lines.map((line) => {
    const [topology, layer, m, k, n, clocks] = line.split(",");
    return { name: `${topology!} ${layer!}`, m: Number(m), k: Number(k), n: Number(n), clocks: Number(clocks) };
  });
}

interface Clocks {
  /** From the first wave to the last cell's product. */
  readonly array: number;
  readonly whole: number;
}

/** A random GEMM on the design. */
async function gemm(bench: Bench<SystolicConfig>, m: number, k: number, n: number): Promise<Clocks> {
  const { layer, input } = randomLayer({ height: 1, width: m, inChannels: k, outChannels: n }, 1);
  const { clocks } = await bench.run(layer, input);
  const { first, last } = bench.waves;
  const { rows, cellCols } = bench.config;
  return { array: last + rows - 1 + cellCols - 1 - first, whole: clocks };
}

/** SCALE-Sim v2, output-stationary, no memory stalls (its clocks count from 0). */
const scaleSim = (m: number, k: number, n: number): number => Math.ceil(m / 16) * Math.ceil(n / 16) * (k + 30) - 1;

describe("The systolic array's own clocks", () => {
  describe("are SCALE-Sim's, with one product per cell and tiles that do not overlap", () => {
    before(function () {
      if (!existsSync(golden)) this.skip();
    });

    it("whose figures are ceil(M/16) ceil(N/16) (K + 30) - 1", () => {
      for (const { m, k, n, clocks } of readGolden()) expect(scaleSim(m, k, n)).to.equal(clocks);
    });

    it("for some tiles of every layer", async () => {
      const array = new Bench(systolic, { productsPerDsp: 1, overlapTiles: false, inputBytes: 256 * 1024 });
      for (const { name, m, k, n } of readGolden()) {
        const rows = Math.min(m, 20);
        const columns = Math.min(n, 17);
        expect((await gemm(array, rows, k, columns)).array, name).to.equal(scaleSim(rows, k, columns));
      }
    });

    it("for whole layers", async () => {
      const array = new Bench(systolic, { productsPerDsp: 1, overlapTiles: false, inputBytes: 256 * 1024 });
      const small = readGolden().filter(({ clocks }) => clocks < 35_000);
      expect(small).to.have.length.above(2);
      for (const { name, m, k, n, clocks } of small) expect((await gemm(array, m, k, n)).array, name).to.equal(clocks);
    });
  });

  it("have no gap between tiles where K >= R: one wave a clock", async () => {
    const array = new Bench(systolic);
    // Five tiles; the last wave passes 16 rows and 8 columns of cells.
    expect((await gemm(array, 80, 40, 16)).array).to.equal(5 * 40 + 16 + 8 - 3);
    expect((await gemm(array, 80, 16, 16)).array).to.equal(5 * 16 + 16 + 8 - 3);
    // A column gives one result a clock: tiles of K < R start R clocks apart.
    expect((await gemm(array, 80, 9, 16)).array).to.equal(4 * 16 + 9 + 16 + 8 - 3);
  });
});

describe("The systolic design reaches, with loads and post-processing,", () => {
  const array = new Bench(systolic);
  const share = async (m: number, k: number, n: number): Promise<number> =>
    (m * k * n) / 256 / (await gemm(array, m, k, n)).whole;

  it("93 % of its peak for a 1 x 1 convolution of 14 x 14, 512 to 512 channels", async () => {
    expect(await share(196, 512, 512)).to.be.above(0.93);
  });

  it("96 % where the outputs bound it: K = 16, 96 channels", async () => {
    expect(await share(1568, 16, 96)).to.be.above(0.96);
  });
});
