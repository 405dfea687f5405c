/**
 * A matrix-product accelerator around an array of multipliers: all modules and their connections. Outer ports are streams:
 * `instructions`, `input0..`, `weight0..` and `output0..`; see README.md for the block diagram.
 */
import type { ClockedLevel } from "../../driver/design.js";
import type { GemmConfig } from "../../driver/gemm/config.js";
import { beatType, type Beat } from "../../driver/stream.js";
import { Module, type ChannelIn, type ChannelOut, type I32, type I8, type ValueOf } from "../../hw/index.js";
import { Collector } from "./collector.js";
import { Decoder, INSTRUCTION_BEAT } from "./decoder.js";
import { InputBuffer } from "./input-buffer.js";
import { OutputBuffer } from "./output-buffer.js";
import { PostProcessor } from "./post-processor.js";
import { PostProcessorModel } from "./post-processor-model.js";
import { Sequencer } from "./sequencer.js";
import type { FeedCommand, LineJob } from "./tokens.js";
import { Walker } from "./walker.js";
import { WeightBuffer } from "./weight-buffer.js";

/** What stands between the operand buffers and the collector. */
export interface MacArrayPorts {
  readonly commands: ChannelIn<ValueOf<typeof FeedCommand>>;
  readonly inputs: readonly ChannelIn<readonly (readonly I8[])[]>[];
  readonly weights: readonly ChannelIn<readonly (readonly I8[])[]>[];
  /** The rows of a tile, one after the other. */
  readonly results: ChannelOut<readonly (readonly I32[])[]>;
  readonly credits: ChannelIn<boolean>;
}

/** What stands before the first input buffer in a design that has depthwise convolutions. */
export interface LinePorts {
  /** True: what comes on the stream is for windows. */
  readonly route: ChannelIn<boolean>;
  readonly job: ChannelIn<ValueOf<typeof LineJob>>;
  readonly stream: ChannelIn<Beat>;
  /** To the input buffer. */
  readonly through: ChannelOut<Beat>;
}

export class GemmAccelerator extends Module {
  readonly instructions = this.channelIn(beatType(INSTRUCTION_BEAT));
  readonly input;
  readonly weight;
  readonly output;

  /**
   * `makeArray` makes the array as a child of the accelerator; `makeLines` what leads the first input either to its buffer or to
   * the array as windows of a depthwise convolution, of whose columns each takes `columnBytes` bytes of K. At level `cycle` the post-processor is a model with an estimate, beside
   * modules that are hardware already.
   */
  constructor(
    name: string,
    config: GemmConfig,
    makeArray: (parent: Module) => MacArrayPorts,
    level: ClockedLevel = "rtl",
    makeLines?: (parent: Module) => LinePorts,
    columnBytes = 0,
  ) {
    super(null, name);
    const { streams, weightStreams, streamBytes, slots } = config;
    const beat = beatType(streamBytes);
    const times = <T>(n: number, make: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i));
    this.input = times(streams, () => this.channelIn(beat));
    this.weight = times(weightStreams, () => this.channelIn(beat));
    this.output = times(streams, () => this.channelOut(beat));

    const decoder = new Decoder(this, "decoder", config, makeLines !== undefined);
    const inputs = times(streams, (i) => new InputBuffer(this, `inputBuffer${i}`, config));
    const weights = times(weightStreams, (i) => new WeightBuffer(this, `weightBuffer${i}`, config));
    const walker = new Walker(this, "walker", config);
    const sequencer = new Sequencer(this, "sequencer", config, columnBytes);
    const array = makeArray(this);
    const lines = makeLines?.(this);
    const collector = new Collector(this, "collector", config);
    const post = new (level === "rtl" ? PostProcessor : PostProcessorModel)(this, "postProcessor", config);
    const outputs = times(streams, (i) => new OutputBuffer(this, `outputBuffer${i}`, config));

    this.connect(this.instructions, decoder.stream);
    this.connect(decoder.walk, walker.job);
    this.connect(decoder.sequence, sequencer.job);
    this.connect(decoder.terms, collector.job);
    this.connect(decoder.parameters, post.job);
    this.connect(decoder.shifts, post.shiftJob);
    this.connect(decoder.clamps, post.clampJob);

    this.connect(walker.tiles, sequencer.tiles);
    // The collector follows the array: as many tiles behind as stand between the two.
    this.connect(walker.results, collector.tiles, { depth: config.resultTiles + 4 });
    this.connect(sequencer.feeds, array.commands, { depth: 4 });
    this.connect(array.results, collector.results, { depth: config.resultTiles * config.rows });
    this.connect(collector.credits, array.credits, { depth: config.resultTiles });
    this.connect(collector.out, post.sums);
    this.connect(post.stored, sequencer.stored, { depth: slots });

    inputs.forEach((buffer, i) => {
      if (lines && i === 0) {
        this.connect(this.input[i]!, lines.stream);
        this.connect(lines.through, buffer.stream);
      } else this.connect(this.input[i]!, buffer.stream);
      this.connect(decoder.inputs[i]!, buffer.job);
      this.connect(buffer.loaded, sequencer.inputLoaded[i]!, { depth: slots });
      this.connect(buffer.sums, collector.sums[i]!, { depth: config.partRows });
      this.connect(sequencer.inputReads[i]!, buffer.reads);
      this.connect(buffer.out, array.inputs[i]!, { depth: 1 });
    });
    weights.forEach((buffer, i) => {
      this.connect(this.weight[i]!, buffer.stream);
      this.connect(decoder.weights[i]!, buffer.job);
      this.connect(buffer.loaded, sequencer.weightLoaded[i]!, { depth: slots });
      this.connect(buffer.parameters, post.parameters[i]!);
      this.connect(sequencer.weightReads[i]!, buffer.reads);
      // A window takes two words of weights in three clocks, which a depth of 1 would make four.
      this.connect(buffer.out, array.weights[i]!, { depth: lines ? 2 : 1 });
    });
    if (lines) {
      this.connect(decoder.routes[0]!, lines.route);
      this.connect(decoder.lines[0]!, lines.job);
    }
    outputs.forEach((buffer, i) => {
      this.connect(decoder.outputs[i]!, buffer.job);
      this.connect(post.out[i]!, buffer.in);
      this.connect(buffer.free, collector.free[i]!, { depth: slots });
      this.connect(buffer.stream, this.output[i]!);
      this.connect(buffer.done, decoder.done[i]!);
    });
  }
}
