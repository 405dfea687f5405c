import { expect } from "chai";
import fc from "fast-check";
import { TandemError } from "../../../hw/errors.js";
import {
  encodeFrame,
  FrameError,
  FrameReader,
  HEADER_BYTES,
  type Frame,
  type FrameKind,
} from "../../../driver/transport/frames.js";
import { decodeMessage, encodeMessage, type Message } from "../../../driver/transport/messages.js";
import { adderProgram, ramp } from "./adder.js";

const messages: readonly Message[] = [
  { type: "describe" },
  { type: "load", program: adderProgram(64, 16) },
  {
    type: "load",
    program: {
      name: "constants",
      buffers: [
        { name: "w", role: "constant", bytes: 5, data: ramp(5) },
        { name: "empty", role: "constant", bytes: 0, data: new Uint8Array(0) },
      ],
      steps: [{ kind: "write", register: 16, value: 2 ** 32 - 1 }],
    },
  },
  { type: "run", handle: 3, inputs: { x: ramp(300), y: ramp(1) } },
  { type: "unload", handle: 3 },
  { type: "loaded", handle: 1 },
  { type: "unloaded" },
  { type: "progress", clocks: 123_456 },
  { type: "error", fault: "caller", message: "naïve “quotes”", hint: "日本" },
  {
    type: "ran",
    result: {
      outputs: { sum: ramp(64) },
      clocks: 18,
      exact: true,
      counters: {
        clocks: 18,
        processes: [
          { path: "a.run", busy: 16, idle: 0, estimated: 0, stalls: [{ channel: "a.x", on: "pop", clocks: 2 }] },
        ],
        channels: [{ path: "a.x", pushed: 16, popped: 16, meanOccupancy: 0.5, maxOccupancy: 1 }],
        memories: [{ path: "a.m", reads: 1, writes: 2 }],
        grids: [{ path: "a.g", waves: 1, cellSteps: 4 }],
      },
    },
  },
];

/** All frames in a stream of chunks. */
function read(chunks: readonly Uint8Array[], maxPayload?: number): Frame[] {
  const reader = new FrameReader(maxPayload);
  return chunks.flatMap((chunk) => [...reader.push(chunk)]);
}

function split(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return at.slice(1).map((end, i) => bytes.subarray(at[i], end));
}

const stream = (ids: readonly number[]): Buffer =>
  Buffer.concat(ids.flatMap((id, i) => encodeFrame("request", id, encodeMessage(messages[i % messages.length]!))));

describe("Frames", () => {
  it("are laid out as documented", () => {
    const [header, payload] = encodeFrame("request", 0x01020304, [Buffer.from("123456789")]);
    // Magic, version 1, kind 3, zero, id, length 9, CRC-32 of "123456789" (0xCBF43926, the standard's check value).
    expect(Buffer.from(header!.subarray(0, 20)).toString("hex")).to.equal("544e444d0100030004030201090000002639f4cb");
    expect(header).to.have.length(HEADER_BYTES);
    expect(Buffer.from(payload!).toString()).to.equal("123456789");
  });

  it("come out as they went in, however the bytes are split", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(2 ** 32 - 1), { minLength: 1, maxLength: 12 }),
        fc.array(fc.nat(), { maxLength: 40 }),
        (ids, cuts) => {
          const frames = read(split(stream(ids), cuts));
          expect(frames.map(({ id }) => id)).to.deep.equal(ids);
          frames.forEach(({ payload }, i) =>
            expect(decodeMessage(payload)).to.deep.equal(messages[i % messages.length]),
          );
        },
      ),
    );
  });

  it("come out when the bytes come one by one", () => {
    const bytes = stream([1, 2, 3]);
    expect(read([...bytes].map((_, i) => bytes.subarray(i, i + 1)))).to.have.length(3);
  });

  it("whatever bytes are changed: each frame is whole and right, or there is an error that says why", () => {
    const ids = [5, 6, 7, 8, 9, 10];
    const good = stream(ids);
    const untouched = read([good]);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 6 }),
        fc.array(fc.nat(), { maxLength: 8 }),
        (changes, cuts) => {
          const bytes = Buffer.from(good);
          for (const [at, mask] of changes) bytes[at]! ^= mask;
          if (bytes.equals(good)) return;
          const reader = new FrameReader();
          let count = 0;
          try {
            for (const chunk of split(bytes, cuts))
              for (const frame of reader.push(chunk)) expect(frame).to.deep.equal(untouched[count++]);
            // No error so far: it must still be waiting in the frame that was changed.
            expect(reader.partial).to.equal(true);
          } catch (error) {
            expect(error).to.be.instanceOf(FrameError);
          }
          expect(count).to.be.lessThan(ids.length);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("random bytes are never taken for a frame", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: HEADER_BYTES, maxLength: 200 }), (bytes) => {
        expect(() => read([bytes])).to.throw(FrameError);
      }),
    );
  });

  it("say what is wrong", () => {
    const check = (bytes: Uint8Array, reason: FrameError["reason"], max?: number): void => {
      try {
        read([bytes], max);
      } catch (error) {
        expect((error as FrameError).reason).to.equal(reason);
        return;
      }
      expect.fail(`no error for ${reason}`);
    };
    check(Buffer.from("GET / HTTP/1.1\r\n"), "foreign");
    check(Buffer.from("G"), "foreign");
    check(Buffer.concat(encodeFrame("hello", 0, [], 3)), "version");
    check(Buffer.concat(encodeFrame("hello", 0, [Buffer.alloc(101)])), "length", 100);
    const damaged = Buffer.concat(encodeFrame("hello", 0, [Buffer.alloc(9)]));
    damaged[HEADER_BYTES]! ^= 1;
    check(damaged, "damaged");
    check(Buffer.concat(encodeFrame("nonsense" as FrameKind, 0, [])), "damaged");
  });

  it("a length over the limit is refused before the payload comes", () => {
    const [header] = encodeFrame("request", 1, [Buffer.alloc(2000)]);
    expect(() => read([header!], 1000)).to.throw(FrameError, "A frame of 2000 bytes; the limit is 1000");
  });
});

describe("Messages", () => {
  for (const message of messages)
    it(`"${message.type}" comes out as it went in`, () => {
      expect(decodeMessage(Buffer.concat(encodeMessage(message)))).to.deep.equal(message);
    });

  it("changed, cut or lengthened at random are messages still or an error, never a crash", () => {
    const encoded = messages.map((message) => Buffer.concat(encodeMessage(message)));
    fc.assert(
      fc.property(
        fc.nat(encoded.length - 1),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 5 }),
        fc.integer({ min: -20, max: 20 }),
        (which, changes, grow) => {
          const source = encoded[which]!;
          const bytes = Buffer.alloc(Math.max(0, source.length + grow));
          source.copy(bytes);
          for (const [at, value] of changes) if (bytes.length > 0) bytes[at % bytes.length] = value;
          try {
            decodeMessage(bytes);
          } catch (error) {
            expect(error).to.be.instanceOf(TandemError);
          }
        },
      ),
      { numRuns: 3000 },
    );
  });

  it("with fields missing or of the wrong kind are refused", () => {
    const bad = [
      {},
      { type: "toString" },
      { type: "run", handle: -1, inputs: {} },
      { type: "run", handle: 1, inputs: { x: "text" } },
      { type: "run", handle: 1 },
      { type: "load", program: { name: "p", buffers: [{}], steps: [] } },
      { type: "load", program: { name: "p", buffers: [], steps: [{ kind: "send", stream: "a" }] } },
      { type: "ran", result: { outputs: {}, clocks: 1.5, exact: true } },
      { type: "error", message: "m" },
    ];
    for (const message of bad)
      expect(
        () => decodeMessage(Buffer.concat(encodeMessage(message as unknown as Message))),
        JSON.stringify(message),
      ).to.throw(TandemError, "Malformed message");
  });
});
