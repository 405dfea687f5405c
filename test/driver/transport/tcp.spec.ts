import { createServer as createHttpServer, get } from "node:http";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { expect } from "chai";
import { TandemError } from "../../../hw/errors.js";
import type { Device } from "../../../driver/device.js";
import { formatTcpAddress, parseTcpAddress } from "../../../driver/transport/address.js";
import { encodeFrame, FrameReader, type Frame } from "../../../driver/transport/frames.js";
import { decodeMessage, encodeMessage, type Message } from "../../../driver/transport/messages.js";
import { Simulator } from "../../../driver/transport/simulator.js";
import { openTcp, type TcpClientOptions } from "../../../driver/transport/tcp-client.js";
import { TcpServer, type TcpServerOptions } from "../../../driver/transport/tcp-server.js";
import { openWorker } from "../../../driver/transport/worker.js";
import { rejection } from "../../support/rejection.js";
import { adder, adderProgram, ramp } from "./adder.js";

const quick: TcpClientOptions = { connectMs: 300, silenceMs: 300 };

/** What to undo at the end of each test, last first. */
const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const action of undo.splice(0).reverse()) await action();
});

async function serve(options: TcpServerOptions = {}, device: Device = Simulator.of(adder)): Promise<TcpServer> {
  const server = await TcpServer.listen(device, options);
  undo.push(() => server.close());
  return server;
}

async function open(server: TcpServer, options: TcpClientOptions = {}): Promise<Device> {
  const device = await openTcp(server.address, options);
  undo.push(() => device.close());
  return device;
}

/** A server of the test's own, that does with each connection what it likes. */
async function fake(handle: (socket: Socket) => void): Promise<{ host: string; port: number }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket.on("error", () => undefined));
    handle(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  undo.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return { host: "127.0.0.1", port: (server.address() as AddressInfo).port };
}

/** A fake that greets, and hands later frames to `answer`. */
const greeting = (answer: (socket: Socket, frame: Frame) => void): ReturnType<typeof fake> =>
  fake((socket) => {
    const reader = new FrameReader();
    socket.on("data", (chunk: Buffer) => {
      for (const frame of reader.push(chunk))
        if (frame.kind === "hello") for (const piece of encodeFrame("welcome", 0, [])) socket.write(piece);
        else answer(socket, frame);
    });
  });

/** Talk to a server in raw bytes: all that it says until it closes. */
async function raw(server: TcpServer, bytes: Uint8Array): Promise<Buffer> {
  const socket = connect(server.address);
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.write(bytes);
  await new Promise<void>((resolve) => socket.on("close", () => resolve()).on("error", () => undefined));
  return Buffer.concat(chunks);
}

const frameBytes = (message: Message, id = 1): Buffer =>
  Buffer.concat(encodeFrame("request", id, encodeMessage(message)));
const hello = Buffer.concat(encodeFrame("hello", 0, []));
const rejectionText = (bytes: Buffer): string => {
  const frames = [...new FrameReader().push(bytes)];
  const last = frames.at(-1)!;
  expect(last.kind).to.equal("reject");
  return Buffer.from(last.payload).toString();
};

describe("A TCP client tells what is wrong at the far end", () => {
  it("nothing listens", async () => {
    const server = await TcpServer.listen(Simulator.of(adder));
    const { address } = server;
    await server.close();
    const error = await rejection(
      openTcp(address),
      TandemError,
      `tcp://127.0.0.1:${address.port}: nothing listens there`,
    );
    expect(error.hint).to.include("tandem serve");
  });

  it("no such host", () =>
    rejection(openTcp({ host: "no-such-host.invalid", port: 4017 }), TandemError, "tcp://no-such-host.invalid:4017: "));

  it("a web server", async () => {
    const web = createHttpServer((_, response) => response.end("hello"));
    await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
    undo.push(() => web.close());
    const address = { host: "127.0.0.1", port: (web.address() as AddressInfo).port };
    await rejection(
      openTcp(address),
      TandemError,
      "that is no Tandem server. What came is not Tandem's protocol; it starts with \"HTTP/1.1 400",
    );
  });

  it("a server that says nothing", async () => {
    const address = await fake(() => undefined);
    await rejection(openTcp(address, quick), TandemError, "nothing answered within 0.3 s");
  });

  it("another version of the protocol", async () => {
    const address = await fake((socket) => encodeFrame("welcome", 0, [], 7).forEach((piece) => socket.write(piece)));
    const error = await rejection(
      openTcp(address),
      TandemError,
      "speaks version 7 of the protocol, this one version 1",
    );
    expect(error.hint).to.include("same version");
  });

  it("a server that dies while it works", async () => {
    const address = await greeting((socket) => socket.destroy());
    const device = await openTcp(address);
    await rejection(device.describe(), TandemError, 'the server closed the connection while it worked on "describe"');
    await rejection(device.describe(), TandemError, "closed the connection");
  });

  it("a server that dies in the middle of a frame", async () => {
    const reply = Buffer.concat(encodeFrame("reply", 1, encodeMessage({ type: "unloaded" })));
    const address = await greeting((socket) => socket.end(reply.subarray(0, 30)));
    await rejection((await openTcp(address)).unload(1), TandemError, "the server closed the connection");
  });

  it("a connection that is half open: silence in the middle of the work", async () => {
    const address = await greeting(() => undefined);
    const error = await rejection((await openTcp(address, quick)).describe(), TandemError, "silent for 0.3 s");
    expect(error.message).to.include('while it worked on "describe"');
  });

  it("silence in the middle of a frame", async () => {
    const reply = Buffer.concat(encodeFrame("reply", 1, encodeMessage({ type: "unloaded" })));
    const address = await greeting((socket) => socket.write(reply.subarray(0, 30)));
    await rejection((await openTcp(address, quick)).unload(1), TandemError, "in the middle of a frame");
  });

  it("a damaged frame", async () => {
    const reply = Buffer.concat(encodeFrame("reply", 1, encodeMessage({ type: "unloaded" })));
    reply[30]! ^= 1;
    const address = await greeting((socket) => socket.write(reply));
    await rejection((await openTcp(address)).unload(1), TandemError, "checksum does not match");
  });

  it("a frame that is longer than the limit", async () => {
    const reply = Buffer.concat(encodeFrame("reply", 1, [Buffer.alloc(5000)]));
    const address = await greeting((socket) => socket.write(reply));
    const device = await openTcp(address, { maxPayload: 4096 });
    await rejection(device.unload(1), TandemError, "A frame of 5000 bytes; the limit is 4096");
  });

  it("answers that belong to nothing", async () => {
    const address = await greeting((socket) =>
      socket.write(Buffer.concat(encodeFrame("reply", 17, encodeMessage({ type: "unloaded" })))),
    );
    await rejection((await openTcp(address)).unload(1), TandemError, "request 17, which is not under way");
    const other = await greeting((socket, { id }) =>
      socket.write(Buffer.concat(encodeFrame("reply", id, encodeMessage({ type: "loaded", handle: 3 })))),
    );
    await rejection((await openTcp(other)).unload(1), TandemError, 'answered "unload" with "loaded"');
  });

  it("and its own messages that are too long", async () => {
    const device = await open(await serve(), { maxPayload: 1000 });
    const program = {
      name: "long",
      buffers: [{ name: "w", role: "constant" as const, bytes: 2000, data: ramp(2000) }],
      steps: [],
    };
    await rejection(device.load(program), TandemError, "a frame holds 1000");
    expect((await device.describe()).design).to.equal("adder");
  });

  it("a bad address", () => {
    expect(parseTcpAddress("tcp://127.0.0.1:4017")).to.deep.equal({ host: "127.0.0.1", port: 4017 });
    expect(formatTcpAddress(parseTcpAddress("tcp://[::1]:80"))).to.equal("tcp://[::1]:80");
    for (const bad of [
      "127.0.0.1:4017",
      "tcp://",
      "tcp://host",
      "tcp://host:0",
      "tcp://host:70000",
      "tcp://a b:1",
      "http://h:1",
    ])
      expect(() => parseTcpAddress(bad), bad).to.throw(TandemError, `Address "${bad}"`);
  });
});

describe("A TCP server", () => {
  it("binds this machine only, unless asked otherwise", async () => {
    expect((await serve()).address.host).to.equal("127.0.0.1");
    expect((await serve({ host: "0.0.0.0" })).address.host).to.equal("0.0.0.0");
  });

  it("says that its port is taken", async () => {
    const { port } = (await serve()).address;
    await rejection(
      TcpServer.listen(Simulator.of(adder), { port }),
      TandemError,
      `tcp://127.0.0.1:${port}: the port is taken`,
    );
  });

  it("tells a web browser what it is", async () => {
    const { port } = (await serve()).address;
    const [status, body] = await new Promise<[number, string]>((resolve, reject) => {
      get({ host: "127.0.0.1", port }, (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => (text += chunk.toString()));
        response.on("end", () => resolve([response.statusCode!, text]));
      }).on("error", reject);
    });
    expect(status).to.equal(400);
    expect(body).to.include("device protocol of Tandem");
  });

  it("tells another version which one it speaks", async () => {
    const answer = await raw(await serve(), Buffer.concat(encodeFrame("hello", 0, [], 2)));
    expect(rejectionText(answer)).to.include("The other end speaks version 2 of the protocol, this one version 1");
  });

  it("parts from clients whose frames are damaged, too long, out of order or no messages", async () => {
    const server = await serve({ maxPayload: 4096 });
    const damaged = frameBytes({ type: "describe" });
    damaged[damaged.length - 1]! ^= 0x40;
    const cases: [Buffer, string][] = [
      [Buffer.concat([hello, damaged]), "checksum does not match"],
      [
        Buffer.concat([hello, ...encodeFrame("request", 1, [Buffer.alloc(5000)])]),
        "A frame of 5000 bytes; the limit is 4096",
      ],
      [frameBytes({ type: "describe" }), 'expected "hello" first'],
      [Buffer.concat([hello, hello]), 'expected "request", got "hello"'],
      [Buffer.concat([hello, ...encodeFrame("request", 1, [Buffer.from("nonsense")])]), "Malformed message"],
      [Buffer.concat([hello, ...encodeFrame("request", 1, encodeMessage({ type: "unloaded" }))]), "is no request"],
    ];
    for (const [bytes, text] of cases) expect(rejectionText(await raw(server, bytes))).to.include(text);
    expect((await (await open(server)).describe()).design).to.equal("adder");
  });

  it("does not wait for ever for a greeting or for the rest of a frame", async () => {
    const lines: string[] = [];
    const server = await serve({ helloMs: 100, stallMs: 100, log: (line) => lines.push(line) });
    expect(await raw(server, new Uint8Array(0))).to.have.length(0);
    await raw(server, Buffer.concat([hello, frameBytes({ type: "describe" }).subarray(0, 26)]));
    expect(lines[0]).to.include("did not greet in time");
    expect(lines[1]).to.include("stood still in the middle of a frame");
  });

  it("serves several clients in turn and at once, each with programs of its own", async () => {
    const server = await serve();
    const expected = ramp(64).map((x) => x + 1);
    for (let i = 0; i < 3; i++) {
      const device = await openTcp(server.address);
      const { outputs } = await device.run(await device.load(adderProgram(64)), { x: ramp(64) });
      expect(outputs["sum"]).to.deep.equal(expected);
      await device.close();
    }
    const devices = await Promise.all([0, 1, 2].map(() => open(server)));
    const handles = await Promise.all(devices.map((device) => device.load(adderProgram(64))));
    const results = await Promise.all(devices.map((device, i) => device.run(handles[i]!, { x: ramp(64) })));
    for (const { outputs } of results) expect(outputs["sum"]).to.deep.equal(expected);
    await rejection(devices[0]!.run(handles[1]!, { x: ramp(64) }), TandemError, "no program");
  });

  it("refuses more clients than it has room for", async () => {
    const server = await serve({ maxClients: 1 });
    const first = await open(server);
    await rejection(openTcp(server.address), TandemError, "the server refuses: it has 1 clients already");
    expect((await first.describe()).design).to.equal("adder");
  });

  it("keeps a slow run's client waiting without a time-out: it hears that the work goes on", async () => {
    const worker = await openWorker({
      module: new URL("./adder.js", import.meta.url).href,
      export: "adder",
      parameters: { fault: "slow" },
    });
    undo.push(() => worker.close());
    const silenceMs = 600;
    const device = await open(await serve({ aliveMs: 50 }, worker), { silenceMs });
    // Longer and longer, until a run has outlasted the time-out on this machine.
    for (let bytes = 4000, took = 0; took <= silenceMs; bytes *= 2) {
      const handle = await device.load(adderProgram(bytes));
      const start = performance.now();
      await device.run(handle, { x: ramp(bytes) });
      took = performance.now() - start;
    }
  });

  it("lives on where a client leaves in the middle of a run", async () => {
    const worker = await openWorker({
      module: new URL("./adder.js", import.meta.url).href,
      export: "adder",
      parameters: { fault: "slow" },
    });
    undo.push(() => worker.close());
    const server = await serve({ aliveMs: 20 }, worker);
    const leaver = await openTcp(server.address);
    const handle = await leaver.load(adderProgram(200));
    const left = rejection(leaver.run(handle, { x: ramp(200) }), TandemError, "the connection was closed");
    await new Promise((resolve) => setTimeout(resolve, 50));
    await leaver.close();
    await left;
    expect((await (await open(server)).describe()).design).to.equal("adder");
  });

  it("closes in the middle of a run, and its client says so", async () => {
    const worker = await openWorker({
      module: new URL("./adder.js", import.meta.url).href,
      export: "adder",
      parameters: { fault: "spin" },
    });
    undo.push(() => worker.close());
    const server = await TcpServer.listen(worker);
    const device = await open(server);
    const handle = await device.load(adderProgram(16));
    const running = rejection(device.run(handle, { x: ramp(16) }), TandemError);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await Promise.all([worker.close(), server.close()]);
    expect((await running).message).to.match(/shutting down|closed/);
  });

  it("does not let replies pile up for a client that does not read", async () => {
    const server = await serve({ stallMs: 200, maxPayload: 2 ** 24 });
    const bytes = 2 ** 20;
    const socket = connect(server.address);
    undo.push(() => socket.destroy());
    socket.on("error", () => undefined);
    let answered = 0;
    const reader = new FrameReader();
    const handle = await new Promise<number>((resolve) => {
      socket.on("data", (chunk: Buffer) => {
        for (const { kind, payload } of reader.push(chunk)) {
          if (kind !== "reply") continue;
          const message = decodeMessage(payload);
          if (message.type === "loaded") resolve(message.handle);
          else answered++;
        }
      });
      socket.write(hello);
      socket.write(
        frameBytes({
          type: "load",
          program: { name: "dump", buffers: [{ name: "y", role: "output", bytes }], steps: [] },
        }),
      );
    });
    socket.pause();
    for (let i = 2; i < 60; i++) socket.write(frameBytes({ type: "run", handle, inputs: {} }, i));
    // The server waits for this client to read, and gives up; so far fewer than 58 replies of 1 MB have left it.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    socket.resume();
    await new Promise((resolve) => socket.on("close", resolve));
    expect(answered).to.be.lessThan(40);
    expect((await (await open(server)).describe()).design).to.equal("adder");
  });
});
