import { expect } from "chai";
import fc from "fast-check";
import { readFileSync } from "node:fs";
import { instructionTable } from "../../../driver/gemm/instruction-table.js";
import { configure } from "../../../designs/systolic/config.js";
import { Decoder, INSTRUCTION_BEAT } from "../../../designs/gemm/decoder.js";
import { encode, fields, INSTRUCTION_WORDS, type Field, type FieldName } from "../../../driver/gemm/instruction.js";
import { beatType } from "../../../driver/stream.js";
import { Module, TandemError } from "../../../hw/index.js";
import { sink, source } from "../../../sim/environment.js";
import { Kernel } from "../../../sim/kernel/kernel.js";

type Instruction = Record<FieldName, number>;

const valueOf = ({ name, bits, signed }: Field): fc.Arbitrary<number> =>
  name === "opcode"
    ? fc.constantFrom(1, 2)
    : signed
      ? fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 })
      : fc.integer({ min: 0, max: 2 ** bits - 1 });

const instructions = fc.record(
  Object.fromEntries((fields as readonly Field[]).map((field) => [field.name, valueOf(field)])),
) as fc.Arbitrary<Instruction>;

/** The decoder alone, with all its jobs as outer ports. */
class Alone extends Module {
  readonly instructions = this.channelIn(beatType(INSTRUCTION_BEAT));
  constructor() {
    super(null, "alone");
    const config = configure();
    const decoder = new Decoder(this, "decoder", config, true);
    this.connect(this.instructions, decoder.stream);
    const ends = decoder as unknown as Record<string, unknown>;
    for (const name of ["walk", "sequence", "terms", "parameters", "shifts", "clamps"] as const) {
      const inner = decoder[name] as Decoder["walk"];
      const outer = this.channelOut(inner.type);
      (this as unknown as Record<string, unknown>)[name] = outer;
      this.connect(inner, outer);
    }
    for (const name of ["inputs", "weights", "outputs", "routes", "lines"]) {
      const list = ends[name] as Decoder["walk"][];
      const outers = list.map((inner) => {
        const outer = this.channelOut(inner.type);
        this.connect(inner, outer);
        return outer;
      });
      (this as unknown as Record<string, unknown>)[name] = outers;
    }
    const done = decoder.done.map((inner) => {
      const outer = this.channelIn(inner.type);
      this.connect(outer, inner);
      return outer;
    });
    (this as unknown as Record<string, unknown>)["done"] = done;
  }
}

/** What the decoder hands to each module. */
function decode(instruction: Instruction): Record<string, Record<string, number | boolean>> {
  const kernel = new Kernel(new Alone());
  const bytes = encode(instruction);
  let at = 0;
  source(kernel, "instructions", () => {
    if (at === bytes.length) return undefined;
    at += 4;
    return { data: [...bytes.subarray(at - 4, at)], last: at === bytes.length };
  });
  const jobs: Record<string, Record<string, number | boolean>> = {};
  for (const name of Object.keys(kernel.design.outputs))
    sink(kernel, name, (token) => {
      jobs[name] = token as Record<string, number | boolean>;
      return true;
    });
  kernel.run();
  return jobs;
}

describe("The instruction of the systolic design", () => {
  it("has fields that do not overlap, within its words", () => {
    const taken = new Set<number>();
    for (const { word, low, bits } of fields)
      for (let bit = low; bit < low + bits; bit++) {
        expect(bit).to.be.below(32);
        expect(taken.has(word * 32 + bit)).to.equal(false);
        taken.add(word * 32 + bit);
      }
    expect(Math.max(...fields.map(({ word }) => word))).to.be.below(INSTRUCTION_WORDS);
  });

  it("is documented as it is", () => {
    expect(readFileSync("docs/instructions.md", "utf8")).to.include(`\n${instructionTable()}\n`);
  });

  it("comes out of the decoder as it went into the encoder", () => {
    fc.assert(
      fc.property(instructions, (given) => {
        const jobs = decode(given);
        const flip = given.unsigned * 128;
        const streamed = given.streamed === 1;
        const windows = given.opcode === 2;
        const pick = (...names: FieldName[]): Partial<Instruction> =>
          Object.fromEntries(names.map((name) => [name, given[name]]));
        const mine = [0, 1].map((p) => Math.max(0, Math.min(given.rows - p * given.partRows, given.partRows)));
        expect(jobs["walk"]).to.deep.equal({
          ...pick("rows", "partRows", "rowTiles", "blockTiles", "columnTiles", "chunkTiles", "words"),
          ...pick("inputSlots", "outputSlots", "outputSlotWords", "rowStride"),
          ...pick("tileRows"),
          streamed,
          windows,
        });
        expect(jobs["sequence"]).to.deep.equal({
          ...pick("words", "lastBytes", "segmentWords", "weightSlots", "segments", "gap"),
          windows,
        });
        expect(jobs["routes0"]).to.equal(windows);
        expect(jobs["lines0"]).to.deep.equal(
          windows
            ? {
                ...pick("inHeight", "inWidth", "kernelHeight", "kernelWidth", "strideHeight", "strideWidth"),
                ...pick("padTop", "padLeft", "inputZero", "weightZero", "beats"),
                outHeight: given.rowTiles,
                outWidth: given.tileRows,
                slots: given.lineSlots,
                groups: given.columnTiles,
                flip,
              }
            : undefined,
        );
        expect(jobs["terms"]).to.deep.equal(windows ? undefined : pick("rowTiles", "weightZero"));
        expect(jobs["parameters"]).to.deep.equal(pick("columnTiles"));
        expect(jobs["clamps"]).to.deep.equal({
          vectors: given.raw === 1 ? (given.vectors * 4) >>> 0 : given.vectors,
          zero: given.outputZero,
          min: given.clampMin,
          max: given.clampMax,
          flip: given.raw === 1 ? 0 : flip,
        });
        expect(jobs["shifts"]).to.deep.equal({
          ...pick("vectors"),
          raw: given.raw === 1,
          planeWords: given.rowStride >> 2,
        });
        for (const p of [0, 1]) {
          expect(jobs[`inputs${p}`]).to.deep.equal(
            windows ? undefined : { ...pick("rowTiles", "words"), rows: mine[p], slots: given.inputSlots, flip },
          );
          expect(jobs[`outputs${p}`]).to.deep.equal({
            ...pick("rowWords", "rowStride", "tileRows"),
            rows: mine[p],
            lastBytes: given.outputBytes,
            slots: given.outputSlots,
            slotWords: given.outputSlotWords,
          });
          expect(jobs[`weights${p}`]).to.deep.equal({
            ...pick("passes", "columnTiles", "words", "segmentWords"),
            slots: given.weightSlots,
            flip,
          });
        }
      }),
      { numRuns: 40 },
    );
  });

  it("refuses values that do not fit", () => {
    const zero = Object.fromEntries(fields.map(({ name }) => [name, 0])) as Instruction;
    expect(() => encode({ ...zero, lastBytes: 256 })).to.throw(TandemError, "lastBytes = 256 does not fit 8 bits");
    expect(() => encode({ ...zero, weightZero: 128 })).to.throw(TandemError, "weightZero = 128");
    expect(() => encode({ ...zero, rows: 1.5 })).to.throw(TandemError, "rows = 1.5");
  });
});
