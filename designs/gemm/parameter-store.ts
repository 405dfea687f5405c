/**
 * What every post-processor has, however it computes: its ports, and the memory of the output channels' parameters with the
 * process that fills it.
 */
import type { GemmConfig } from "../../driver/gemm/config.js";
import { assert, bool, Module, u16, u8, vec } from "../../hw/index.js";
import type { ChannelIn, ChannelOut, Memory, Process, ReadPort, VecType, WritePort } from "../../hw/index.js";
import { ClampJob, outputType, Parameter, ParameterJob, ShiftJob, sumsType, type TokenOf } from "./tokens.js";

export abstract class ParameterStore extends Module {
  static readonly source = import.meta.url;
  readonly lanes: number;
  readonly depth: number;
  readonly weightParts: number;
  readonly groups: number;
  readonly parts: number;
  readonly word: VecType<Parameter>;
  /** Parameters that have come together. */
  readonly fresh: VecType<Parameter>;

  readonly job = this.channelIn(ParameterJob);
  readonly shiftJob = this.channelIn(ShiftJob);
  readonly clampJob = this.channelIn(ClampJob);
  /** Parameters of output channels, by stream: channel c comes from stream c mod streams. */
  readonly parameters: readonly ChannelIn<Parameter>[];
  /** The parameters of a column tile stand in the memory. */
  readonly stored = this.channelOut(bool);
  readonly sums: ChannelIn<TokenOf<typeof sumsType>>;
  /** By part. */
  readonly out: readonly ChannelOut<TokenOf<typeof outputType>>[];

  readonly memo: Memory<readonly Parameter[]>;
  readonly write: WritePort<readonly Parameter[]>;
  readonly read: ReadPort<readonly Parameter[]>;

  /** The word of parameters that is being put together. */
  gathered: readonly Parameter[];

  constructor(parent: Module, name: string, config: GemmConfig) {
    super(parent, name);
    const { lanes } = config;
    this.lanes = lanes;
    this.depth = config.parameterDepth;
    this.weightParts = config.weightStreams;
    this.groups = config.groups;
    this.parts = config.streams;
    this.word = vec(Parameter, lanes);
    this.fresh = vec(Parameter, this.weightParts);
    this.gathered = this.word.zero();
    this.parameters = Array.from({ length: this.weightParts }, () => this.channelIn(Parameter));
    this.sums = this.channelIn(sumsType(lanes));
    this.out = Array.from({ length: this.parts }, () => this.channelOut(outputType(lanes)));
    this.memo = this.memory(this.word, this.depth);
    this.write = this.memo.writePort();
    this.read = this.memo.readPort();
    this.clocked(this.store);
  }

  /** Parameters arrive one per stream and clock; `lanes` of them make a word. */
  *store(): Process {
    for (;;) {
      const job = yield* this.job.pop();
      assert(job.columnTiles >= 1, "a layer has channels");
      let address = u16(0);
      const fresh = this.fresh.zero();
      const kept = this.lanes - this.weightParts;
      for (let tile = u16(0); tile < job.columnTiles; tile = u16(tile + 1)) {
        for (let g = u8(0); g < this.groups; g = u8(g + 1)) {
          for (let n = u8(0); n < this.lanes; n = u8(n + this.weightParts)) {
            for (let p = 0; p < this.weightParts; p++) {
              const parameter = yield* this.parameters[p]!.pop();
              fresh[p] = Parameter(parameter);
            }
            // All streams at once: the word moves by one distance only.
            this.gathered = this.word((l) => (l >= kept ? fresh[l - kept]! : this.gathered[l + this.weightParts]!));
            yield;
          }
          assert(address < this.depth, "the parameters fit their memory");
          this.write.write(address, this.word(this.gathered));
          address = u16(address + 1);
          yield;
        }
        yield* this.stored.push(true);
      }
    }
  }
}
