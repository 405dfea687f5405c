/**
 * Frames on a byte stream (docs/protocol.md). All numbers are little-endian:
 *
 *      0  4  magic "TNDM"          8  4  request id             16  4  CRC-32 of the payload
 *      4  2  protocol version     12  4  length of the payload  20  4  CRC-32 of bytes 0 to 19
 *      6  1  kind                                               24     payload
 *      7  1  zero
 *
 * The header has a checksum of its own, so that a damaged length is never waited for. The first 24 bytes keep their
 * meaning in all versions to come. CRC-32 is the one of IEEE 802.3 and zlib.
 */
import { crc32 } from "node:zlib";
import { TandemError } from "../../hw/errors.js";

export const PROTOCOL_VERSION = 1;
export const HEADER_BYTES = 24;
/** Greatest payload, unless both ends are told otherwise: 64 MiB. */
export const MAX_PAYLOAD = 2 ** 26;
const MAGIC = Buffer.from("TNDM", "latin1");

/** `hello` and `welcome` open a connection; `alive` says that a request is still being worked on; `reject` ends a connection. */
export const frameKinds = { hello: 1, welcome: 2, request: 3, reply: 4, progress: 5, alive: 6, reject: 7 } as const;
export type FrameKind = keyof typeof frameKinds;
const kindNames = new Map<number, FrameKind>(
  Object.entries(frameKinds).map(([name, code]) => [code, name as FrameKind]),
);

export interface Frame {
  readonly kind: FrameKind;
  /** Number of the request that this frame belongs to; 0 for none. */
  readonly id: number;
  readonly payload: Uint8Array;
}

/** What is wrong with a stream of frames; after it the connection is of no more use. */
export class FrameError extends TandemError {
  /** `foreign`: not this protocol at all; `version`: another version of it; `damaged`; `length`: over the limit. */
  readonly reason: "foreign" | "version" | "damaged" | "length";

  constructor(reason: FrameError["reason"], message: string, hint?: string) {
    super(message, hint === undefined ? {} : { hint });
    this.reason = reason;
  }
}

/** A frame as pieces of bytes that follow one another. `version` is another one only in tests. */
export function encodeFrame(
  kind: FrameKind,
  id: number,
  payload: readonly Uint8Array[],
  version = PROTOCOL_VERSION,
): Uint8Array[] {
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  header.writeUInt16LE(version, 4);
  header.writeUInt8(frameKinds[kind], 6);
  header.writeUInt32LE(id, 8);
  let length = 0;
  let crc = 0;
  for (const piece of payload) {
    length += piece.length;
    crc = crc32(piece, crc);
  }
  header.writeUInt32LE(length, 12);
  header.writeUInt32LE(crc, 16);
  header.writeUInt32LE(crc32(header.subarray(0, 20)), 20);
  return [header, ...payload];
}

interface Header {
  readonly kind: FrameKind;
  readonly id: number;
  readonly length: number;
  readonly crc: number;
}

/** Takes bytes as they come and gives whole frames. Holds at most one frame. */
export class FrameReader {
  readonly #maxPayload: number;
  #pieces: Uint8Array[] = [];
  #held = 0;
  #header: Header | undefined;

  constructor(maxPayload = MAX_PAYLOAD) {
    this.#maxPayload = maxPayload;
  }

  /** True in the middle of a frame. */
  get partial(): boolean {
    return this.#held > 0 || this.#header !== undefined;
  }

  /** The frames that `bytes` completes. Throws a `FrameError` for what is no frame. */
  *push(bytes: Uint8Array): Generator<Frame, void> {
    this.#pieces.push(bytes);
    this.#held += bytes.length;
    for (;;) {
      if (!this.#header) {
        this.#checkMagic();
        if (this.#held < HEADER_BYTES) return;
        this.#header = this.#readHeader(this.#take(HEADER_BYTES));
      }
      const { kind, id, length, crc } = this.#header;
      if (this.#held < length) return;
      const payload = this.#take(length);
      if (crc32(payload) !== crc)
        throw new FrameError("damaged", `A frame of ${length} bytes came damaged: its checksum does not match`);
      this.#header = undefined;
      yield { kind, id, payload };
    }
  }

  /** The next `count` bytes, which are there. */
  #take(count: number): Buffer {
    const all = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces);
    const rest = all.subarray(count);
    this.#pieces = rest.length > 0 ? [rest] : [];
    this.#held -= count;
    return Buffer.from(all.buffer, all.byteOffset, count);
  }

  /** A foreign protocol shows in its first bytes: do not wait for a whole header of it. */
  #checkMagic(): void {
    if (this.#held === 0) return;
    const start = Buffer.concat(this.#pieces.map((piece) => piece.subarray(0, HEADER_BYTES)));
    const known = Math.min(start.length, MAGIC.length);
    if (start.subarray(0, known).equals(MAGIC.subarray(0, known))) return;
    const shown = JSON.stringify(
      start
        .subarray(0, HEADER_BYTES)
        .toString("latin1")
        .replace(/[^ -~]/g, "."),
    );
    throw new FrameError("foreign", `What came is not Tandem's protocol; it starts with ${shown}`);
  }

  #readHeader(header: Buffer): Header {
    if (crc32(header.subarray(0, 20)) !== header.readUInt32LE(20))
      throw new FrameError("damaged", "The header of a frame came damaged: its checksum does not match");
    const version = header.readUInt16LE(4);
    if (version !== PROTOCOL_VERSION)
      throw new FrameError(
        "version",
        `The other end speaks version ${version} of the protocol, this one version ${PROTOCOL_VERSION}`,
        "Use the same version of Tandem on both ends.",
      );
    const kind = kindNames.get(header.readUInt8(6));
    if (!kind || header.readUInt8(7) !== 0)
      throw new FrameError("damaged", `A frame has the unknown kind ${header.readUInt8(6)}`);
    const length = header.readUInt32LE(12);
    if (length > this.#maxPayload)
      throw new FrameError("length", `A frame of ${length} bytes; the limit is ${this.#maxPayload}`);
    return { kind, id: header.readUInt32LE(8), length, crc: header.readUInt32LE(16) };
  }
}
