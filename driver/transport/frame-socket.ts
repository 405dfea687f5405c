/** A TCP socket that carries frames: reading pauses while a frame is being dealt with, writing waits where the other end is slow. */
import type { Socket } from "node:net";
import { encodeFrame, FrameReader, type Frame, type FrameKind } from "./frames.js";

export class FrameSocket {
  readonly socket: Socket;
  readonly #reader: FrameReader;
  /** Milliseconds that a frame under way may stand still; the time-out between frames is the owner's. */
  readonly #stallMs: number;

  constructor(socket: Socket, maxPayload: number, stallMs: number) {
    this.socket = socket;
    this.#reader = new FrameReader(maxPayload);
    this.#stallMs = stallMs;
    // A frame is complete when it is written: waiting for more (Nagle) only costs time.
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 30_000);
    // Every failure also shows at the end of `frames` or in `send`; without a listener it would end the process.
    socket.on("error", () => undefined);
  }

  /**
   * Frames until the other end closes. The next one is read when the loop comes round again. `idleMs` is the time-out
   * between frames (0: none). Throws a `FrameError` for what is no frame, and the socket's error where it breaks.
   */
  async *frames(idleMs: () => number): AsyncGenerator<Frame, void> {
    this.socket.setTimeout(idleMs());
    // Whoever breaks off the loop may still have something to say: leaving it does not destroy the socket.
    const chunks = this.socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
    for await (const chunk of chunks) {
      for (const frame of this.#reader.push(chunk)) {
        this.socket.setTimeout(0);
        yield frame;
      }
      this.socket.setTimeout(this.#reader.partial ? this.#stallMs : idleMs());
    }
  }

  /** True in the middle of a frame that comes in. */
  get partial(): boolean {
    return this.#reader.partial;
  }

  /** Resolves once the frame is handed to the system; rejects where the connection is gone. */
  async send(kind: FrameKind, id: number, payload: readonly Uint8Array[] = []): Promise<void> {
    const { socket } = this;
    if (socket.destroyed || socket.writableEnded) throw new Error("The connection is closed");
    await new Promise<void>((resolve, reject) => {
      const pieces = encodeFrame(kind, id, payload);
      socket.cork();
      pieces.forEach((piece, i) => {
        const done = (error?: Error | null): void => (error ? reject(error) : resolve());
        socket.write(piece, i === pieces.length - 1 ? done : undefined);
      });
      socket.uncork();
    });
  }
}
