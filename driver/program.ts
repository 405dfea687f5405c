/**
 * What an accelerator is given to do: buffers in the memory that it shares with the CPU, and an ordered list of transfers
 * between them and its streams. The same program, byte for byte, goes to the kernel, the fast engine, Verilator and the
 * board; so a transfer is what an AXI DMA engine in simple mode does: one contiguous piece of one buffer, whole beats.
 *
 * Each stream has a DMA channel of its own: the transfers of one stream happen in the order of the list, those of
 * different streams at the same time. A register write waits for all transfers that stand before it, and all that stand
 * behind it wait for the write. A program ends when every transfer has ended.
 */
import { TandemError } from "../hw/errors.js";

/** `constant` comes with its data; `input` is given for each run; `output` is what a run returns; `scratch` is neither. */
export type BufferRole = "constant" | "input" | "output" | "scratch";

export interface ProgramBuffer {
  readonly name: string;
  readonly role: BufferRole;
  /** Size in bytes. */
  readonly bytes: number;
  /** The contents of a `constant`, exactly `bytes` long; absent for the other roles. */
  readonly data?: Uint8Array;
}

/** Memory to accelerator (`send`, AXI DMA's MM2S) or back (`receive`, S2MM). */
export interface Transfer {
  readonly kind: "send" | "receive";
  /** Name of the accelerator's outer port. */
  readonly stream: string;
  /** Index into the program's buffers. */
  readonly buffer: number;
  /** First byte, and count of bytes: multiples of the stream's width; TLAST goes with the last beat. */
  readonly offset: number;
  readonly length: number;
}

/** A 32-bit write to a control register, by byte address (AXI-Lite). */
export interface RegisterWrite {
  readonly kind: "write";
  readonly register: number;
  readonly value: number;
}

export type Step = Transfer | RegisterWrite;

export interface Program {
  readonly name: string;
  readonly buffers: readonly ProgramBuffer[];
  readonly steps: readonly Step[];
}

/** A stream of an accelerator: a port that takes or gives beats of `bytes` bytes (see driver/stream.ts). */
export interface StreamPort {
  readonly name: string;
  /** As the accelerator sees it. */
  readonly direction: "in" | "out";
  /** Bytes in a beat. */
  readonly bytes: number;
}

/** Greatest length of one transfer: the AXI DMA's length register has 26 bits. */
export const MAX_TRANSFER = 2 ** 26 - 1;

/** Bytes that the transfers of a program move into and out of the accelerator. */
export function programTraffic(program: Program): { bytesIn: number; bytesOut: number } {
  let bytesIn = 0;
  let bytesOut = 0;
  for (const step of program.steps)
    if (step.kind === "send") bytesIn += step.length;
    else if (step.kind === "receive") bytesOut += step.length;
  return { bytesIn, bytesOut };
}

/** Throws a `TandemError` where a program is not one that the streams can carry out. */
export function checkProgram(program: Program, streams: readonly StreamPort[]): void {
  const fail = (message: string, hint?: string): never => {
    throw new TandemError(`Program ${program.name}: ${message}`, hint === undefined ? {} : { hint });
  };
  const names = new Set<string>();
  for (const { name, role, bytes, data } of program.buffers) {
    if (names.has(name)) fail(`two buffers are named "${name}"`);
    names.add(name);
    if (!Number.isSafeInteger(bytes) || bytes < 0) fail(`buffer "${name}" has ${bytes} bytes`);
    if (role === "constant" && data?.length !== bytes)
      fail(`constant buffer "${name}" has ${bytes} bytes, but its data ${data?.length ?? "none"}`);
    if (role !== "constant" && data) fail(`buffer "${name}" of role ${role} comes with data`);
  }
  program.steps.forEach((step, index) => {
    if (step.kind === "write") {
      if (!isU32(step.register) || !isU32(step.value)) fail(`step ${index} writes ${step.value} to ${step.register}`);
      return;
    }
    const { kind, stream, offset, length } = step;
    const port = streams.find(({ name }) => name === stream);
    if (!port)
      return fail(
        `step ${index} uses stream "${stream}"`,
        `The design has ${streams.map(({ name }) => name).join(", ")}.`,
      );
    if ((port.direction === "in") !== (kind === "send"))
      fail(`step ${index}: cannot ${kind} on stream "${stream}", its direction is ${port.direction}`);
    const buffer = program.buffers[step.buffer];
    if (!buffer) return fail(`step ${index} uses buffer ${step.buffer} of ${program.buffers.length}`);
    if (kind === "receive" && buffer.role !== "output" && buffer.role !== "scratch")
      fail(`step ${index} receives into "${buffer.name}", whose role is ${buffer.role}`);
    if (!(offset >= 0 && length > 0 && length <= MAX_TRANSFER && offset + length <= buffer.bytes))
      fail(`step ${index}: bytes ${offset} to ${offset + length} of buffer "${buffer.name}" (${buffer.bytes} bytes)`);
    if (offset % port.bytes !== 0 || length % port.bytes !== 0)
      fail(`step ${index}: offset ${offset}, length ${length} on a stream of ${port.bytes} bytes`);
  });
}

const isU32 = (x: number): boolean => Number.isInteger(x) && x >= 0 && x < 2 ** 32;
