/**
 * The DMA channels of a program as the simulator sees them: for every stream, the beats of its transfers in order, ideal
 * memory behind them (a beat a clock, no latency). Each channel knows how far it has come, which is what the report
 * of a run that stopped too early needs.
 */
import { TandemError } from "../../hw/errors.js";
import type { U8 } from "../../hw/index.js";
import type { PacedStream } from "../../sim/platform/dma.js";
import type { Program, StreamPort, Transfer } from "../program.js";
import type { Beat } from "../stream.js";
import { transfersOf } from "./local.js";

interface Work {
  readonly step: number;
  readonly transfer: Transfer;
}

/** One stream's transfers, in order, and the place reached in them. */
abstract class DmaChannel {
  readonly port: StreamPort;
  protected readonly work: readonly Work[];
  protected readonly memory: readonly Uint8Array[];
  readonly #program: string;
  protected at = 0;
  protected beat = 0;

  constructor(program: Program, port: StreamPort, memory: readonly Uint8Array[]) {
    this.port = port;
    this.memory = memory;
    this.#program = program.name;
    this.work = transfersOf(program, port.name);
  }

  get done(): boolean {
    return this.at === this.work.length;
  }

  /** Where it stands, for a report: `output: beat 3 of 16 of step 7`. */
  get position(): string {
    const { step, transfer } = this.work[this.at]!;
    return `${this.port.name}: beat ${this.beat + 1} of ${transfer.length / this.port.bytes} of step ${step}`;
  }

  /** True if the beat at hand is the last of its transfer. */
  protected get ending(): boolean {
    return (this.beat + 1) * this.port.bytes === this.work[this.at]!.transfer.length;
  }

  /** On to the next beat. */
  protected advance(): void {
    const { ending } = this;
    this.at += ending ? 1 : 0;
    this.beat = ending ? 0 : this.beat + 1;
  }

  protected fail(message: string, hint: string): never {
    throw new TandemError(`Program ${this.#program}: ${message}`, { hint });
  }
}

/** Memory to accelerator. */
export class SendChannel extends DmaChannel {
  #offered = false;

  /** The next beat, and undefined at the end of the last transfer. Called once the one before was taken. */
  next(): Beat | undefined {
    if (this.#offered) this.advance();
    this.#offered = !this.done;
    if (this.done) return undefined;
    const { transfer } = this.work[this.at]!;
    const { bytes } = this.port;
    const buffer = this.memory[transfer.buffer]!;
    const from = transfer.offset + this.beat * bytes;
    const data = new Array<U8>(bytes);
    for (let i = 0; i < bytes; i++) data[i] = buffer[from + i]! as U8;
    return { data, last: this.ending };
  }
}

/** Accelerator to memory. */
export class ReceiveChannel extends DmaChannel {
  /** Store a beat; false once all transfers have ended. */
  take({ data, last }: Beat): boolean {
    const position = this.position;
    const { transfer } = this.work[this.at]!;
    const buffer = this.memory[transfer.buffer]!;
    const at = transfer.offset + this.beat * this.port.bytes;
    for (let i = 0; i < data.length; i++) buffer[at + i] = data[i]!;
    const ends = this.ending;
    this.advance();
    if (last && !ends)
      this.fail(`${position} came with TLAST, before the transfer's end`, "The design sent less than was asked for.");
    if (ends && !last)
      this.fail(`${position} came without TLAST`, "The design has more to send than the transfer takes.");
    return !this.done;
  }
}

/** The streams of a program, as the timing model of a board's DMA wants them. */
export function pacedStreams(program: Program, streams: readonly StreamPort[]): PacedStream[] {
  return streams.map(({ name, direction, bytes }) => ({
    name,
    direction,
    bytes,
    transfers: transfersOf(program, name).map(({ step, transfer }) => ({ step, beats: transfer.length / bytes })),
  }));
}
