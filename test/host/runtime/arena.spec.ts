import { expect } from "chai";
import fc from "fast-check";
import type { Graph, Operator } from "../../../host/graph/graph.js";
import { planArena } from "../../../host/runtime/arena.js";

/** A graph of RESHAPE-like operators that read earlier tensors; only lifetimes matter here. */
function graphOf(sizes: readonly number[], reads: readonly number[]): Graph {
  const tensors = sizes.map((count, index) => ({
    index,
    name: `t${index}`,
    shape: [count],
    dtype: "int8" as const,
    quantisation: undefined,
    data: undefined,
  }));
  const operators = sizes.slice(1).map((_, i): Operator => {
    const inputs = [reads[i]! % (i + 1), i];
    return { index: i, type: "ADD", inputs, outputs: [i + 1], attributes: { activation: "NONE" } };
  });
  return { source: "test", tensors, operators, inputs: [0], outputs: [sizes.length - 1] };
}

const graphs = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 5000 }), fc.nat(1000)), { minLength: 2, maxLength: 40 })
  .map((items) =>
    graphOf(
      items.map(([count]) => count),
      items.map(([, read]) => read),
    ),
  );

describe("The arena", () => {
  it("never gives two live tensors the same bytes", () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const { placements, bytes } = planArena(graph);
        const placed = [...placements.values()];
        expect(placed).to.have.length(graph.tensors.length);
        for (const [i, a] of placed.entries()) {
          expect(a.offset % 16).to.equal(0);
          expect(a.offset + a.bytes).to.be.at.most(bytes);
          expect(a.bytes).to.be.at.least(graph.tensors[a.tensor]!.shape[0]!);
          for (const b of placed.slice(i + 1)) {
            const together = a.first <= b.last && b.first <= a.last;
            const apart = a.offset + a.bytes <= b.offset || b.offset + b.bytes <= a.offset;
            expect(apart || !together, `tensors ${a.tensor} and ${b.tensor}`).to.equal(true);
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it("keeps a tensor from the operator that writes it to the last one that reads it", () => {
    const { placements } = planArena(graphOf([16, 16, 16, 16], [0, 0, 0]));
    expect(placements.get(0)).to.include({ first: -1, last: 2 });
    expect(placements.get(1)).to.include({ first: 0, last: 1 });
    expect(placements.get(3)).to.include({ first: 2, last: 3 });
  });

  it("needs two buffers for a chain, however long", () => {
    const chain = graphOf(new Array<number>(50).fill(1600), [...new Array(50).keys()]);
    expect(planArena(chain).bytes).to.equal(3200);
  });

  it("refuses networks that need more than 1 GiB", () => {
    expect(() =>
      planArena(graphOf([2 ** 28, 2 ** 28, 2 ** 28, 2 ** 28, 2 ** 28, 2 ** 28], [0, 1, 0, 0, 0])),
    ).not.to.throw();
    const wide = graphOf(new Array<number>(6).fill(2 ** 28), [0, 0, 0, 0, 0]);
    const operators = [{ ...wide.operators[4]!, inputs: [0, 1, 2, 3, 4] }];
    expect(() => planArena({ ...wide, operators: [...wide.operators.slice(0, 4), ...operators] })).to.throw(
      /needs more than 1073741824 bytes/,
    );
  });
});
