/**
 * What is the same in all runs of a program on the fast engine: which buffers stand in the engine's memory, where the beats of each transfer are
 * there, and which outputs are received as a whole.
 */
import type { PacedStream } from "../../sim/platform/arbiter.js";
import type { Program, StreamPort, Transfer } from "../program.js";
import { pacedStreams } from "./dma.js";
import { transfersOf } from "./local.js";

/** Bytes between which buffers begin. */
const ALIGNED = 16;

/** Beats that are sent: how many, and where the data and TLAST of the first of them stand, from the start of what is sent. */
export interface SentPiece {
  readonly tokens: number;
  readonly data: number;
  readonly last: number;
}

export interface StreamWork {
  readonly port: StreamPort;
  readonly transfers: readonly Transfer[];
  readonly beats: number;
  /** None of an output. */
  readonly pieces: readonly SentPiece[];
}

/**
 * A piece of memory with all that is sent: buffers as they are, then TLAST of the longest transfer, a byte for each beat. Every transfer ends
 * there, so it is the TLAST of all of them.
 */
export interface Sent {
  readonly bytes: number;
  /** By number in the program: the first byte of a buffer. */
  readonly buffers: ReadonlyMap<number, number>;
  readonly last: { readonly at: number; readonly beats: number };
}

export interface ProgramWork {
  readonly streams: readonly StreamWork[];
  readonly sent: Sent;
  readonly paced: readonly PacedStream[];
  /** Output buffers that are not received as a whole. */
  readonly partly: readonly number[];
}

export function programWork(program: Program, ports: readonly StreamPort[]): ProgramWork {
  const streams = ports.map((port) => {
    const transfers = transfersOf(program, port.name).map(({ transfer }) => transfer);
    return { port, transfers, beats: transfers.reduce((sum, { length }) => sum + length / port.bytes, 0) };
  });
  const sent = sentOf(
    program,
    streams.filter(({ port }) => port.direction === "in"),
  );
  const end = sent.last.at + sent.last.beats;
  return {
    streams: streams.map((stream) => ({
      ...stream,
      pieces: stream.transfers.flatMap(({ kind, buffer, offset, length }) => {
        const tokens = length / stream.port.bytes;
        return kind === "send" ? [{ tokens, data: sent.buffers.get(buffer)! + offset, last: end - tokens }] : [];
      }),
    })),
    sent,
    paced: pacedStreams(program, ports),
    partly: program.buffers.flatMap(({ role }, i) => (role === "output" && !isReceived(program, i) ? [i] : [])),
  };
}

function sentOf({ buffers }: Program, streams: readonly Pick<StreamWork, "port" | "transfers">[]): Sent {
  const up = (bytes: number): number => Math.ceil(bytes / ALIGNED) * ALIGNED;
  const places = new Map<number, number>();
  let [at, beats] = [0, 0];
  for (const { port, transfers } of streams)
    for (const { buffer, length } of transfers) {
      beats = Math.max(beats, length / port.bytes);
      if (places.has(buffer)) continue;
      places.set(buffer, at);
      at += up(buffers[buffer]!.bytes);
    }
  return { bytes: at + beats, buffers: places, last: { at, beats } };
}

/** Transfers fill in all of a buffer. */
function isReceived({ buffers, steps }: Program, buffer: number): boolean {
  const parts = steps.flatMap((step) => (step.kind === "receive" && step.buffer === buffer ? [step] : []));
  parts.sort((a, b) => a.offset - b.offset);
  let end = 0;
  for (const { offset, length } of parts) if (offset <= end) end = Math.max(end, offset + length);
  return end === buffers[buffer]!.bytes;
}
