/** A GEMM unit of SECDA's VM, with the post-processor that is its own. */
import { beatType, type Beat } from "../../../driver/stream.js";
import {
  assert,
  bits,
  bool,
  clamp,
  doublingHighMul,
  i32,
  Module,
  roundingShiftRight,
  shl,
  u16,
  u8,
  vec,
  xorU,
} from "../../../hw/index.js";
import type { ChannelOut, Process } from "../../../hw/index.js";
import { BLOCK, INPUT_WORDS, JOB_START, POST_PROCESS, UNIT_AFTER, UNIT_BEFORE, WEIGHT_WORDS } from "./facts.js";
import { Fill, Job, Result, Word } from "./tokens.js";

const Sums = vec(vec(i32, BLOCK), BLOCK);
const Row = vec(i32, BLOCK);
const Bytes = vec(u8, BLOCK);

export class Unit extends Module {
  static readonly source = import.meta.url;
  readonly fills = this.channelIn(Fill);
  readonly jobs = this.channelIn(Job);
  /** The products of a job are done and on their way. */
  readonly done = this.channelOut(bool);
  /** The outputs of a tile's last job have left. */
  readonly drained = this.channelOut(bool);
  readonly stream: ChannelOut<Beat>;

  readonly block = this.channel(bool, { name: "block", depth: 8 });
  readonly idle = this.channel(bool, { name: "idle" });
  readonly results = this.channel(Result, { name: "results" });
  readonly inputs = this.memory(Word, INPUT_WORDS / BLOCK);
  readonly weights = this.memory(Word, WEIGHT_WORDS);
  readonly inputWrite = this.inputs.writePort();
  readonly inputRead = this.inputs.readPort();
  readonly weightWrite = this.weights.writePort();
  readonly weightRead = this.weights.readPort();

  constructor(parent: Module, name: string) {
    super(parent, name);
    this.stream = this.channelOut(beatType(BLOCK));
    this.clocked(this.fill);
    this.clocked(this.multiply);
    this.clocked(this.postProcess);
  }

  *fill(): Process {
    for (;;) {
      const { weights, address, word, last } = yield* this.fills.pop();
      if (weights) {
        assert(address < WEIGHT_WORDS, "the weights of a tile fit");
        this.weightWrite.write(address, word);
      } else {
        assert(address < INPUT_WORDS / BLOCK, "a block of inputs fits");
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
      // The clock in which the job came is the first of these.
      yield* this.estimate(UNIT_BEFORE - 1);
      let sums = Sums.zero();
      for (let k = u16(0); k < job.depth; k = u16(k + 1)) {
        const place = u16(job.weights + k);
        assert(k < INPUT_WORDS / BLOCK && place < WEIGHT_WORDS, "the operands stand in their memories");
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
      yield* this.done.push(true);
      yield;
      const { parameters, terms, ending, final, last } = job;
      yield* this.results.push({ sums, parameters, terms, ending, final, last });
    }
  }

  *postProcess(): Process {
    for (;;) {
      yield* this.idle.push(true);
      const { sums, parameters, terms, ending, final, last } = yield* this.results.pop();
      yield* this.estimate(POST_PROCESS - BLOCK);
      for (let r = u8(0); r < BLOCK; r = u8(r + 1)) {
        const data = Bytes((c) => {
          const sum = i32(sums[r]![c]! + parameters.bias[c]! - terms[r]!);
          const left = parameters.left[c]!;
          const half = i32(shl(sum, bits(left, 3, 0)));
          const scaled = doublingHighMul(i32(shl(half, bits(left, 4, 4) * 16)), parameters.multiplier[c]!);
          const value = roundingShiftRight(scaled, parameters.right[c]!) + ending.zero;
          return u8(xorU(u8(clamp(value, ending.min, ending.max)), ending.flip));
        });
        yield* this.stream.push({ data, last: last && r === BLOCK - 1 });
        yield;
      }
      if (final) yield* this.drained.push(true);
    }
  }
}
