import { expect } from "chai";
import { checkProgram, programTraffic, type Program, type Step, type StreamPort } from "../../driver/program.js";
import { TandemError } from "../../hw/index.js";

const streams: StreamPort[] = [
  { name: "input0", direction: "in", bytes: 8 },
  { name: "output0", direction: "out", bytes: 8 },
];
const send: Step = { kind: "send", stream: "input0", buffer: 0, offset: 8, length: 16 };
const receive: Step = { kind: "receive", stream: "output0", buffer: 2, offset: 0, length: 8 };
const program: Program = {
  name: "layer",
  buffers: [
    { name: "weights", role: "constant", bytes: 24, data: new Uint8Array(24) },
    { name: "input", role: "input", bytes: 8 },
    { name: "output", role: "output", bytes: 8 },
  ],
  steps: [send, receive, { kind: "write", register: 16, value: 1 }],
};

describe("A program", () => {
  it("is whole beats of its buffers on streams that exist", () => {
    expect(() => {
      checkProgram(program, streams);
    }).not.to.throw();
    expect(programTraffic(program)).to.deep.equal({ bytesIn: 16, bytesOut: 8 });
  });

  const wrong: [string, Partial<Program>, string][] = [
    ["an unknown stream", { steps: [{ ...send, stream: "inptu0" }] }, 'step 0 uses stream "inptu0"'],
    ["the wrong direction", { steps: [{ ...send, stream: "output0" }] }, 'cannot send on stream "output0"'],
    ["part of a beat", { steps: [{ ...send, length: 12 }] }, "offset 8, length 12 on a stream of 8 bytes"],
    ["bytes beyond a buffer", { steps: [{ ...send, length: 24 }] }, 'bytes 8 to 32 of buffer "weights" (24 bytes)'],
    ["nothing", { steps: [{ ...send, length: 0 }] }, "bytes 8 to 8"],
    ["an unknown buffer", { steps: [{ ...send, buffer: 3 }] }, "uses buffer 3 of 3"],
    ["a receive into a constant", { steps: [{ ...receive, buffer: 0 }] }, 'receives into "weights"'],
    ["a register of more than 32 bits", { steps: [{ kind: "write", register: 0, value: 2 ** 32 }] }, "step 0 writes"],
    [
      "constants without their data",
      { buffers: [{ name: "weights", role: "constant", bytes: 24 }] },
      'constant buffer "weights"',
    ],
    [
      "two buffers of one name",
      { buffers: [program.buffers[1]!, { ...program.buffers[2]!, name: "input" }] },
      'two buffers are named "input"',
    ],
  ];
  for (const [name, change, message] of wrong)
    it(`is refused with ${name}`, () => {
      expect(() => {
        checkProgram({ ...program, ...change }, streams);
      }).to.throw(TandemError, message);
    });
});
