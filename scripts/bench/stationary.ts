/** The weight-stationary example under the fast engine: a second kind of array, which nothing in the engine knows. */
import { StationaryMatrix } from "../../designs/examples/weight-stationary/matrix.js";
import { elaborate, u16 } from "../../hw/index.js";
import { readDesign } from "../../hw/frontend/index.js";
import { FastEngine } from "../../sim/fast/engine.js";
import { measure, row, type BenchOptions, type Figure, type Row } from "./harness.js";

const SIZE = 16;
const TILES = 20;
const VECTORS = 50_000;

export async function stationaryRow(options: BenchOptions, products: Figure): Promise<Row> {
  const { ir } = await readDesign(elaborate(new StationaryMatrix(SIZE, SIZE)));
  const engine = new FastEngine(ir);
  const once = (): number => {
    engine.reset();
    engine.send(
      "tiles",
      Array.from({ length: TILES }, () => ({ vectors: u16(VECTORS) })),
    );
    engine.input("weights", TILES * SIZE);
    engine.input("vectors", TILES * VECTORS);
    engine.output("sums", TILES * VECTORS);
    const start = performance.now();
    engine.run();
    return (TILES * VECTORS * SIZE * SIZE) / (performance.now() - start) / 1e6;
  };
  const gmacs = await measure(options, once, 2);
  return row(
    "weight-stationary example, 16 x 16",
    "GMAC/s",
    gmacs,
    products,
    "a token a clock; peer: the micro-kernel alone",
  );
}
