/**
 * Serves a device on a TCP port (docs/protocol.md). Several clients may be connected; their requests take turns, each run
 * starts from reset, and a client sees only the programs that it has loaded itself.
 */
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { TandemError } from "../../hw/errors.js";
import type { Device } from "../device.js";
import { formatTcpAddress, type TcpAddress } from "./address.js";
import { FrameSocket } from "./frame-socket.js";
import { FrameError, MAX_PAYLOAD, type Frame } from "./frames.js";
import { decodeMessage, encodeMessage, errorReply, isRequest, type Reply, type Request } from "./messages.js";
import { DeviceService } from "./service.js";

export interface TcpServerOptions {
  /** Address to bind: this machine only (127.0.0.1) unless asked otherwise. */
  readonly host?: string;
  /** 0, the default, takes a free one. */
  readonly port?: number;
  readonly maxPayload?: number;
  readonly maxClients?: number;
  /** Time for a client's greeting; 5 s by default. */
  readonly helloMs?: number;
  /** How often a client hears that its request is being worked on; 1 s by default. */
  readonly aliveMs?: number;
  /** How long a frame under way, in either direction, may stand still; 30 s by default. */
  readonly stallMs?: number;
  /** One line for the operator about each connection that ended badly. */
  readonly log?: (line: string) => void;
}

const MAX_CLIENTS = 16;
const HELLO_MS = 5000;
const ALIVE_MS = 1000;
const STALL_MS = 30_000;

export class TcpServer {
  readonly #device: Device;
  readonly #options: TcpServerOptions;
  readonly #server: Server;
  readonly #clients = new Set<FrameSocket>();
  readonly #serving = new Set<Promise<void>>();
  /** Requests of all clients, one after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  #closing = false;

  /** Listen; rejects with a `TandemError` where the port cannot be had. `device` stays the caller's to close. */
  static async listen(device: Device, options: TcpServerOptions = {}): Promise<TcpServer> {
    const server = new TcpServer(device, options);
    const host = options.host ?? "127.0.0.1";
    const port = options.port ?? 0;
    await new Promise<void>((resolve, reject) => {
      server.#server.once("error", (error: NodeJS.ErrnoException) => {
        const reasons: Readonly<Record<string, [string, string]>> = {
          EADDRINUSE: ["the port is taken", "Choose another, or --port 0 for a free one."],
          EACCES: ["no right to listen on that port", "Ports below 1024 are the system's: choose a higher one."],
          EADDRNOTAVAIL: ["this machine has no such address", "Use --host 127.0.0.1, or an address of this machine."],
          ENOTFOUND: ["there is no such host", "Use --host 127.0.0.1, or an address of this machine."],
        };
        const [what, hint] = reasons[error.code ?? ""] ?? [error.message, "Choose another --host or --port."];
        reject(new TandemError(`Cannot serve on ${formatTcpAddress({ host, port })}: ${what}`, { hint, cause: error }));
      });
      server.#server.listen({ host, port }, resolve);
    });
    return server;
  }

  private constructor(device: Device, options: TcpServerOptions) {
    this.#device = device;
    this.#options = options;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  get address(): TcpAddress {
    const { address, port } = this.#server.address() as AddressInfo;
    return { host: address, port };
  }

  /** Stop listening and part from all clients; resolves once the request under way has ended. */
  async close(): Promise<void> {
    this.#closing = true;
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const client of this.#clients) this.#reject(client, "it is shutting down");
    await closed;
    await Promise.all(this.#serving);
  }

  #accept(socket: Socket): void {
    const { maxPayload = MAX_PAYLOAD, stallMs = STALL_MS, maxClients = MAX_CLIENTS } = this.#options;
    const client = new FrameSocket(socket, maxPayload, stallMs);
    if (this.#closing || this.#clients.size >= maxClients) {
      this.#reject(client, this.#closing ? "it is shutting down" : `it has ${maxClients} clients already`);
      return;
    }
    this.#clients.add(client);
    const serving = this.#serve(client).finally(() => {
      this.#clients.delete(client);
      this.#serving.delete(serving);
    });
    this.#serving.add(serving);
  }

  async #serve(client: FrameSocket): Promise<void> {
    const { socket } = client;
    const { helloMs = HELLO_MS, log } = this.#options;
    const peer = `${socket.remoteAddress ?? "?"}:${socket.remotePort ?? 0}`;
    const service = new DeviceService(this.#device);
    let greeted = false;
    socket.on("timeout", () => {
      log?.(`${peer}: ${greeted ? "stood still in the middle of a frame" : "did not greet in time"}`);
      socket.destroy();
    });
    try {
      for await (const frame of client.frames(() => (greeted ? 0 : helloMs))) {
        if (!greeted) {
          if (frame.kind !== "hello") throw new TandemError(`expected "hello" first, got "${frame.kind}"`);
          greeted = true;
          await client.send("welcome", 0);
        } else await this.#answer(client, service, frame);
        if (this.#closing) break;
      }
    } catch (error) {
      if (error instanceof TandemError) {
        log?.(`${peer}: ${error.message}`);
        this.#reject(client, error.message, error instanceof FrameError && error.reason === "foreign");
      }
      // Anything else is a connection that broke: the client knows.
    } finally {
      if (!socket.writableEnded) socket.destroy();
      await this.#inTurn(() => service.release()).catch(() => undefined);
    }
  }

  async #answer(client: FrameSocket, service: DeviceService, { kind, id, payload }: Frame): Promise<void> {
    if (kind !== "request") throw new TandemError(`expected "request", got "${kind}"`);
    const message = decodeMessage(payload);
    if (!isRequest(message)) throw new TandemError(`"${message.type}" is no request`);
    const { aliveMs = ALIVE_MS, maxPayload = MAX_PAYLOAD, stallMs = STALL_MS } = this.#options;
    // Nothing piles up for a client that does not read.
    const say = (kind: "alive" | "progress", body: readonly Uint8Array[] = []): void => {
      if (!client.socket.writableNeedDrain) client.send(kind, id, body).catch(() => undefined);
    };
    const timer = setInterval(() => say("alive"), aliveMs);
    let reply: readonly Uint8Array[];
    try {
      reply = encodeMessage(await this.#work(client, service, message, (body) => say("progress", body)));
      const bytes = reply.reduce((sum, piece) => sum + piece.length, 0);
      if (bytes > maxPayload)
        reply = encodeMessage(
          errorReply(new TandemError(`The reply to "${message.type}" has ${bytes} bytes; a frame holds ${maxPayload}`)),
        );
    } finally {
      clearInterval(timer);
    }
    client.socket.setTimeout(stallMs);
    await client.send("reply", id, reply);
    client.socket.setTimeout(0);
  }

  /** Wait for the turn, then do it, unless the client has left by then. */
  #work(
    client: FrameSocket,
    service: DeviceService,
    request: Request,
    onProgress: (body: readonly Uint8Array[]) => void,
  ): Promise<Reply> {
    return this.#inTurn(() => {
      if (client.socket.destroyed) throw new Error("the client has left");
      return service.call(request, (progress) => onProgress(encodeMessage(progress)));
    });
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(action);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** Say why, in the other end's own protocol where that is easy, and part. */
  #reject(client: FrameSocket, reason: string, foreign = false): void {
    const { socket } = client;
    if (socket.destroyed || socket.writableEnded) return;
    const text = Buffer.from(reason);
    if (foreign) {
      const body =
        "This port speaks the device protocol of Tandem, not HTTP. Use it with: tandem run --on tcp://HOST:PORT\n";
      socket.end(
        `HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
      );
    } else {
      client.send("reject", 0, [text]).catch(() => undefined);
      socket.end();
    }
    // A client that does not read what it is told is cut off.
    setTimeout(() => socket.destroy(), 1000).unref();
  }
}
