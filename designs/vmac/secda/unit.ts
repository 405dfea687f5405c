/** A GEMM unit of SECDA's VM. */
import { assert, bool, i32, Module, u16, u8, vec, type Process } from "../../../hw/index.js";
import { BLOCK, JOB_START, UNIT_AFTER, UNIT_BEFORE, UNIT_READY, VM_SIZES } from "../../secda/facts.js";
import { Fill, Job, Result, Word } from "../../secda/tokens.js";

const Sums = vec(vec(i32, BLOCK), BLOCK);
const Row = vec(i32, BLOCK);
const WEIGHT_WORDS = VM_SIZES.weightWords;
/** Of a block of 4 rows. */
const BLOCK_WORDS = VM_SIZES.inputWords / BLOCK;

export class Unit extends Module {
  static readonly source = import.meta.url;
  readonly fills = this.channelIn(Fill);
  readonly jobs = this.channelIn(Job);
  /** The products of a job are done and on their way. */
  readonly done = this.channelOut(bool);
  /** The post-processor is free, and the way to it. */
  readonly idle = this.channelIn(bool);
  readonly results = this.channelOut(Result);

  readonly block = this.channel(bool, { name: "block", depth: 8 });
  readonly inputs = this.memory(Word, BLOCK_WORDS);
  readonly weights = this.memory(Word, WEIGHT_WORDS);
  readonly inputWrite = this.inputs.writePort();
  readonly inputRead = this.inputs.readPort();
  readonly weightWrite = this.weights.writePort();
  readonly weightRead = this.weights.readPort();

  constructor(parent: Module, name: string) {
    super(parent, name);
    this.clocked(this.fill);
    this.clocked(this.multiply);
  }

  *fill(): Process {
    for (;;) {
      const { weights, address, word, last } = yield* this.fills.pop();
      if (weights) {
        assert(address < WEIGHT_WORDS, "the weights of a tile fit");
        this.weightWrite.write(address, word);
      } else {
        assert(address < BLOCK_WORDS, "a block of inputs fits");
        this.inputWrite.write(address, word);
      }
      if (last) yield* this.block.push(true);
      yield;
    }
  }

  *multiply(): Process {
    for (;;) {
      const job = yield* this.jobs.pop();
      assert(job.depth >= 1, "a job has products");
      for (let i = u8(0); i < job.waits; i = u8(i + 1)) yield* this.block.pop();
      yield* this.estimate(UNIT_BEFORE);
      let sums = Sums.zero();
      for (let k = u16(0); k < job.depth; k = u16(k + 1)) {
        const place = u16(job.weights + k);
        assert(k < BLOCK_WORDS && place < WEIGHT_WORDS, "the operands stand in their memories");
        this.inputRead.read(k);
        this.weightRead.read(place);
        yield;
        const before = sums;
        const x = this.inputRead.q;
        const w = this.weightRead.q;
        sums = Sums((r) =>
          Row((c) =>
            i32(
              before[r]![c]! +
                x[r]![0]! * w[c]![0]! +
                x[r]![1]! * w[c]![1]! +
                x[r]![2]! * w[c]![2]! +
                x[r]![3]! * w[c]![3]!,
            ),
          ),
        );
      }
      yield* this.estimate(JOB_START + UNIT_AFTER);
      yield* this.idle.pop();
      const { parameters, terms, ending, last } = job;
      yield* this.results.push({ sums, parameters, terms, ending, last });
      yield* this.estimate(UNIT_READY);
      yield* this.done.push(true);
    }
  }
}
