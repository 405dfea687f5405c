import { existsSync, readdirSync, readFileSync } from "node:fs";
import { ByteBuffer } from "flatbuffers";
import { expect } from "chai";
import fc from "fast-check";
import type { Graph } from "../../../host/graph/graph.js";
import { readTflite } from "../../../host/tflite/reader.js";
import { writeTflite } from "../../../host/tflite/writer.js";
import { graphs } from "./graphs.js";

const models = new URL("../../../../../shared/models/", import.meta.url);

/** Constants are views of files; as plain arrays they compare by value. */
const plain = (graph: Graph): Graph => ({
  ...graph,
  tensors: graph.tensors.map((tensor) => ({ ...tensor, data: tensor.data && Uint8Array.from(tensor.data) })),
});

describe("writer of .tflite files", () => {
  it("writes what the reader reads back as the same graph, whatever the graph", () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(graphs, (graph) => {
        for (const { type } of graph.operators) seen.add(type);
        expect(plain(readTflite(writeTflite(graph), graph.source))).to.deep.equal(plain(graph));
      }),
      { numRuns: 300 },
    );
    // Every operator of the table has been through it.
    expect(seen.size).to.equal(13);
  });

  it("gives the same bytes for the same graph", () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        expect(Buffer.compare(writeTflite(graph), writeTflite(readTflite(writeTflite(graph), "again")))).to.equal(0);
      }),
      { numRuns: 50 },
    );
  });

  it("aligns constants to 16 bytes, as TFLite's kernels expect of a mapped file", () => {
    const graph = fc.sample(graphs, { numRuns: 40, seed: 7 }).find(({ tensors }) => tensors.some(({ data }) => data))!;
    const bytes = writeTflite(graph);
    for (const { data } of readTflite(bytes, "x").tensors)
      if (data) expect((data.byteOffset - bytes.byteOffset) % 16).to.equal(0);
  });

  it("leaves the absent bias of a convolution off, as TFLite does not take -1 there", () => {
    const has = ({ operators }: Graph): boolean => operators[0]?.type === "CONV_2D" && operators[0].inputs.length === 2;
    const graph = fc.sample(graphs, { numRuns: 400, seed: 3 }).find(has)!;
    const [first, ...rest] = graph.operators;
    const explicit = {
      ...graph,
      operators: [{ ...first!, inputs: [...first!.inputs, -1] }, ...rest] as Graph["operators"],
    };
    expect(plain(readTflite(writeTflite(explicit), graph.source))).to.deep.equal(plain(graph));
  });

  it("carries the identifier and the description", () => {
    const [graph] = fc.sample(graphs, { numRuns: 1, seed: 1 });
    const bytes = writeTflite(graph!, "one digit");
    expect(new ByteBuffer(bytes).getBufferIdentifier()).to.equal("TFL3");
    expect(Buffer.from(bytes).includes("one digit")).to.equal(true);
  });

  it("rewrites every published model without loss", function () {
    if (!existsSync(models)) return void this.skip();
    const names = readdirSync(models).filter((name) => name.endsWith(".tflite"));
    expect(names.length).to.be.above(0);
    for (const name of names) {
      const graph = readTflite(readFileSync(new URL(name, models)), name);
      const again = readTflite(writeTflite(graph), name);
      graph.tensors.forEach((tensor, i) => {
        // Megabytes of weights: compared as buffers, and then left out of the deep comparison.
        expect(Buffer.compare(tensor.data ?? Buffer.of(), again.tensors[i]?.data ?? Buffer.of())).to.equal(0);
      });
      const bare = (whole: Graph): Graph => ({
        ...whole,
        tensors: whole.tensors.map((t) => ({ ...t, data: undefined })),
      });
      expect(bare(again)).to.deep.equal(bare(graph));
    }
  });
});
