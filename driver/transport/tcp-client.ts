/**
 * A device behind a TCP socket (docs/protocol.md): the simulator of `tandem serve`, or a board. Whatever goes wrong, from a
 * port where nothing listens to a server that dies while it works, ends in one error that says which and what to do.
 */
import { connect, type Socket } from "node:net";
import { TandemError } from "../../hw/errors.js";
import { formatTcpAddress, type TcpAddress } from "./address.js";
import { FrameSocket } from "./frame-socket.js";
import { FrameError, MAX_PAYLOAD, type Frame } from "./frames.js";
import { decodeMessage, encodeMessage, isRequest, type Progress, type Reply, type Request } from "./messages.js";
import { RemoteDevice, type Link } from "./remote.js";

export interface TcpClientOptions {
  /** Time for the connection and for the greeting; 5 s by default. */
  readonly connectMs?: number;
  /** Longest silence of a server that works on a request; it speaks every second. 10 s by default. */
  readonly silenceMs?: number;
  /** Greatest payload of a frame, in bytes. */
  readonly maxPayload?: number;
}

interface Pending {
  readonly id: number;
  readonly request: Request["type"];
  readonly onProgress: ((progress: Progress) => void) | undefined;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

const CONNECT_MS = 5000;
const SILENCE_MS = 10_000;
const SERVE = "Start a server there: tandem serve --design NAME --port PORT.";

/** Connect and greet. */
export async function openTcp(address: TcpAddress, options: TcpClientOptions = {}): Promise<RemoteDevice> {
  const name = formatTcpAddress(address);
  const connectMs = options.connectMs ?? CONNECT_MS;
  const socket = await dial(address, name, connectMs);
  const link = new TcpLink(name, socket, options);
  await link.greet(connectMs);
  return new RemoteDevice(link);
}

function dial(address: TcpAddress, name: string, connectMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(address);
    const fail = (message: string, hint: string, cause?: Error): void => {
      socket.destroy();
      reject(new TandemError(`${name}: ${message}`, cause ? { hint, cause } : { hint }));
    };
    socket.setTimeout(connectMs, () =>
      fail(`no connection within ${connectMs / 1000} s`, "Is the host up and reachable?"),
    );
    socket.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNREFUSED") fail("nothing listens there", SERVE, error);
      else if (error.code === "ENOTFOUND" || error.code === "EAI_AGAIN")
        fail(`there is no host named ${address.host}`, "Check the address.", error);
      else fail(`cannot connect: ${error.message}`, "Check the address and the network.", error);
    });
    socket.once("connect", () => {
      socket.removeAllListeners("error");
      socket.removeAllListeners("timeout");
      socket.setTimeout(0);
      resolve(socket);
    });
  });
}

class TcpLink implements Link {
  readonly name: string;
  readonly #frames: FrameSocket;
  readonly #maxPayload: number;
  readonly #silenceMs: number;
  #pending: Pending | undefined;
  #greeted: { resolve: () => void; reject: (error: Error) => void } | undefined;
  #failure: TandemError | undefined;
  #lastId = 0;

  constructor(name: string, socket: Socket, options: TcpClientOptions) {
    this.name = name;
    this.#maxPayload = options.maxPayload ?? MAX_PAYLOAD;
    this.#silenceMs = options.silenceMs ?? SILENCE_MS;
    this.#frames = new FrameSocket(socket, this.#maxPayload, this.#silenceMs);
  }

  async greet(waitMs: number): Promise<void> {
    const answered = new Promise<void>((resolve, reject) => (this.#greeted = { resolve, reject }));
    const timer = setTimeout(
      () => this.#fail(`connected, but nothing answered within ${waitMs / 1000} s`, `Is it a Tandem server? ${SERVE}`),
      waitMs,
    );
    void this.#read();
    try {
      await this.#frames.send("hello", 0).catch(() => undefined);
      await answered;
    } finally {
      clearTimeout(timer);
    }
  }

  readonly call = async (request: Request, onProgress?: (progress: Progress) => void): Promise<Reply> => {
    if (this.#failure) throw this.#failure;
    const payload = encodeMessage(request);
    const bytes = payload.reduce((sum, piece) => sum + piece.length, 0);
    if (bytes > this.#maxPayload)
      throw new TandemError(
        `${this.name}: "${request.type}" is a message of ${bytes} bytes; a frame holds ${this.#maxPayload}`,
        { hint: "Split the layer, or run it in-process." },
      );
    const id = (this.#lastId = (this.#lastId + 1) >>> 0);
    return new Promise<Reply>((resolve, reject) => {
      this.#pending = { id, request: request.type, onProgress, resolve, reject };
      this.#frames.socket.setTimeout(this.#silenceMs);
      this.#frames.send("request", id, payload).catch(() => undefined);
    });
  };

  close(): Promise<void> {
    this.#fail("the connection was closed", "Open it again.");
    return Promise.resolve();
  }

  async #read(): Promise<void> {
    const { socket } = this.#frames;
    socket.on("timeout", () => {
      const { partial } = this.#frames;
      const doing = this.#pending ? ` while it worked on "${this.#pending.request}"` : "";
      this.#fail(
        `the server has been silent for ${this.#silenceMs / 1000} s${partial ? " in the middle of a frame" : doing}`,
        "Is its machine up, and the network between?",
      );
    });
    try {
      const idle = (): number => (this.#pending ? this.#silenceMs : 0);
      for await (const frame of this.#frames.frames(idle)) this.#take(frame);
      this.#ended();
    } catch (error) {
      if (error instanceof FrameError && error.reason === "foreign")
        this.#fail(`that is no Tandem server. ${error.message}`, `Check the port. ${SERVE}`);
      else if (error instanceof TandemError) this.#fail(error.message, error.hint);
      else this.#ended(error);
    }
  }

  #ended(error?: unknown): void {
    const doing = this.#pending ? ` while it worked on "${this.#pending.request}"` : "";
    const why = error instanceof Error ? ` (${error.message})` : "";
    this.#fail(`the server closed the connection${doing}${why}`, "See what the server printed, and start it again.");
  }

  #take({ kind, id, payload }: Frame): void {
    if (kind === "reject") throw new TandemError(`the server refuses: ${Buffer.from(payload).toString("utf8")}`);
    if (kind === "welcome" && this.#greeted) {
      this.#greeted.resolve();
      this.#greeted = undefined;
      return;
    }
    const pending = this.#pending;
    if (pending?.id !== id || this.#greeted)
      throw new TandemError(`the server sent "${kind}" for request ${id}, which is not under way`);
    if (kind === "alive") return;
    const message = decodeMessage(payload);
    if (kind === "progress" && message.type === "progress") pending.onProgress?.(message);
    else if (kind === "reply" && message.type !== "progress" && !isRequest(message)) {
      this.#pending = undefined;
      pending.resolve(message);
    } else throw new TandemError(`the server sent "${message.type}" in a "${kind}" frame`);
  }

  #fail(message: string, hint?: string): void {
    this.#failure ??= new TandemError(`${this.name}: ${message}`, hint === undefined ? {} : { hint });
    this.#frames.socket.destroy();
    this.#greeted?.reject(this.#failure);
    this.#pending?.reject(this.#failure);
    this.#greeted = this.#pending = undefined;
  }
}
