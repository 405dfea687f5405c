import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { systolic } from "../../../designs/systolic/index.js";
import { TandemError } from "../../../hw/errors.js";
import type { ParameterValue, RunResult } from "../../../driver/device.js";
import type { Program } from "../../../driver/program.js";
import { FastSimulator } from "../../../driver/transport/fast-simulator.js";
import { Simulator, type SimulatorOptions } from "../../../driver/transport/simulator.js";
import { randomLayer } from "../../designs/layers.js";
import { rejection } from "../../support/rejection.js";
import { adder, adderProgram, ramp } from "./adder.js";

async function runOnce(
  program: Program,
  inputs: Record<string, Uint8Array>,
  parameters: Record<string, ParameterValue> = {},
  options: SimulatorOptions = {},
): Promise<RunResult> {
  const simulator = Simulator.of(adder, parameters, options);
  return simulator.run(await simulator.load(program), inputs);
}

describe("The simulator as a device", () => {
  it("says what it is", async () => {
    expect(await Simulator.of(adder, { width: 8 }).describe()).to.deep.equal({
      design: "adder",
      parameters: { add: 1, width: 8, estimate: 0, fault: "none" },
      engine: "kernel",
      level: "cycle",
      streams: [
        { name: "a", direction: "in", bytes: 8 },
        { name: "y", direction: "out", bytes: 8 },
      ],
    });
  });

  it("has read its inputs when a run was asked for, on the fast engine: their memory may be used again", async () => {
    const simulator = await FastSimulator.of(adder, { add: 5 }, { cache: false });
    const x = ramp(64);
    const result = simulator.run(await simulator.load(adderProgram(64, 16)), { x });
    expect(simulator.readsAtOnce).to.equal(true);
    x.fill(0);
    expect((await result).outputs["sum"]).to.deep.equal(ramp(64).map((each) => each + 5));
  });

  it("has room for the inputs of the next run, on the fast engine: what is put there is not copied", async () => {
    const simulator = await FastSimulator.of(adder, { add: 5 }, { cache: false });
    const [small, large] = [adderProgram(64, 16), adderProgram(1_000_000, 80_000)];
    const handles = [await simulator.load(small), await simulator.load(large), await simulator.load(small)];
    for (const [i, handle] of [...handles, ...handles].entries()) {
      const bytes = i % 3 === 1 ? 1_000_000 : 64;
      const { x } = simulator.room(handle);
      expect(x!.length).to.equal(bytes);
      const filled = ramp(bytes).map((each) => each ^ i);
      x!.set(filled);
      const { outputs } = await simulator.run(handle, { x: x! });
      expect(
        Buffer.compare(
          outputs["sum"]!,
          filled.map((each) => each + 5),
        ),
      ).to.equal(0);
      // Memory of the caller's own does as well.
      const again = await simulator.run(handle, { x: filled });
      expect(Buffer.compare(again.outputs["sum"]!, outputs["sum"]!)).to.equal(0);
    }
    // Not what is elsewhere in the engine's memory, as room for another run may be.
    const { x } = simulator.room(handles[0]!);
    const elsewhere = new Uint8Array(x!.buffer, x!.byteOffset + 8, 64);
    const error = await rejection(simulator.run(handles[0]!, { x: elsewhere }), TandemError);
    expect(error.message).to.include('buffer "x" is in the simulator\'s memory for another run');
    const into = await rejection(simulator.run(handles[0]!, { x: ramp(64) }, { outputs: { sum: x! } }), TandemError);
    expect(into.message).to.include('buffer "sum" is in the simulator\'s memory');
  });

  it("tells what was wrong with a run whose inputs were put there, also where the design is kept without its texts", async () => {
    const cache = mkdtempSync(join(tmpdir(), "tandem-test-"));
    const set = { rows: 4, cols: 4 };
    const { layer, input } = randomLayer({ height: 4, width: 4, inChannels: 16, outChannels: 8 }, 3);
    const { program, inputs } = systolic.compile(layer, systolic.configure(set));
    const buffers = program.buffers.map((each) => {
      const instructions = each.name === "instructions" && each.data!.map(() => 255);
      return instructions ? { ...each, data: instructions } : each;
    });
    try {
      for (let i = 0; i < 2; i++) {
        const simulator = await FastSimulator.of(systolic, set, { cache });
        const handle = await simulator.load({ ...program, buffers });
        const error = await rejection(simulator.run(handle, inputs(input, simulator.room(handle))), TandemError);
        expect(error.message).to.include("the design has this opcode");
      }
    } finally {
      rmSync(cache, { recursive: true });
    }
  });

  it("puts outputs where it is told to, on the fast engine: what no transfer fills in is zero", async () => {
    const simulator = await FastSimulator.of(adder, { add: 5 }, { cache: false });
    const program = adderProgram(64, 16);
    const buffers = program.buffers.map((each) => (each.role === "output" ? { ...each, bytes: 96 } : each));
    const handle = await simulator.load({ ...program, buffers });
    const x = ramp(64);
    const expected = [...x.map((each) => each + 5), ...new Uint8Array(32)];
    const own = await simulator.run(handle, { x });
    const sum = new Uint8Array(96).fill(7);
    const { outputs } = await simulator.run(handle, { x }, { outputs: { sum } });
    expect(outputs["sum"]).to.equal(sum);
    expect([...sum]).to.deep.equal(expected);
    // Outputs in memory of its own stay what they are.
    expect([...own.outputs["sum"]!]).to.deep.equal(expected);
    for (const [wrong, message] of [
      [{ sum: new Uint8Array(64) }, 'output buffer "sum" takes 96 bytes, but got memory of 64'],
      [{ x: new Uint8Array(64) }, 'has no output buffer "x"'],
    ] as const)
      expect((await rejection(simulator.run(handle, { x }, { outputs: wrong }), TandemError)).message).to.include(
        message,
      );
    // Their memory may be that of the inputs.
    const whole = await simulator.load(program);
    await simulator.run(whole, { x }, { outputs: { sum: x } });
    expect([...x]).to.deep.equal(expected.slice(0, 64));
  });

  it("moves the bytes of all transfers, in order, and counts the clocks", async () => {
    const result = await runOnce(adderProgram(64, 16), { x: ramp(64) }, { add: 5 });
    expect(result.outputs["sum"]).to.deep.equal(ramp(64).map((x) => x + 5));
    // 16 beats, one a clock: the first is pushed in 0, passes the adder in 1, and leaves in 2.
    expect(result.clocks).to.equal(18);
    expect(result.exact).to.equal(true);
    expect(result.counters!.processes.map(({ path }) => path)).to.deep.equal(["adder.run"]);
  });

  it("sends transfers of one buffer as often as the program does, also in parts and over each other", async () => {
    const places: readonly (readonly [offset: number, length: number])[] = [
      [0, 64],
      [16, 32],
      [0, 64],
      [0, 64],
      [16, 32],
      [48, 16],
      [0, 16],
    ];
    const bytes = places.reduce((sum, [, length]) => sum + length, 0);
    let at = 0;
    // TLAST comes with the end of each transfer, so those that are received are as long.
    const receives = places.map(([, length]) => {
      at += length;
      return { kind: "receive" as const, stream: "y", buffer: 1, offset: at - length, length };
    });
    const program: Program = {
      name: "again",
      buffers: [
        { name: "x", role: "input", bytes: 64 },
        { name: "sum", role: "output", bytes },
      ],
      steps: [
        ...places.map(([offset, length]) => ({ kind: "send" as const, stream: "a", buffer: 0, offset, length })),
        ...receives,
      ],
    };
    const x = ramp(64);
    const expected = places.flatMap(([offset, length]) => [...x.subarray(offset, offset + length)]);
    const results = [];
    for (const device of [Simulator.of(adder), await FastSimulator.of(adder, {}, { cache: false })])
      results.push(await device.run(await device.load(program), { x }));
    for (const { outputs, clocks } of results) {
      expect([...outputs["sum"]!]).to.deep.equal(expected.map((byte) => (byte + 1) % 256));
      expect(clocks).to.equal(results[0]!.clocks);
    }
  });

  it("runs every program from reset: same inputs, same result", async () => {
    const simulator = Simulator.of(adder);
    const long = await simulator.load(adderProgram(64, 16));
    const short = await simulator.load(adderProgram(8));
    const first = await simulator.run(long, { x: ramp(64) });
    await simulator.run(short, { x: ramp(8) });
    expect(await simulator.run(long, { x: ramp(64) })).to.deep.equal(first);
  });

  it("gives the same bytes whatever the neighbours' stalls, and the same clocks for the same seed", async () => {
    const plain = await runOnce(adderProgram(256, 32), { x: ramp(256) });
    const clocks = new Set<number>();
    for (const seed of [1, 2, 3]) {
      const stalls = { seed, chance: 0.3, most: 5 };
      const slow = await runOnce(adderProgram(256, 32), { x: ramp(256) }, {}, { stalls });
      expect(slow.outputs, `seed ${seed}`).to.deep.equal(plain.outputs);
      expect(slow.clocks).to.be.greaterThan(plain.clocks);
      expect(await runOnce(adderProgram(256, 32), { x: ramp(256) }, {}, { stalls })).to.deep.equal(slow);
      clocks.add(slow.clocks);
    }
    expect(clocks.size).to.be.greaterThan(1);
  });

  it("says that clocks hold estimates", async () => {
    const result = await runOnce(adderProgram(16), { x: ramp(16) }, { estimate: 3 });
    expect(result.exact).to.equal(false);
    expect(result.counters!.processes[0]!.estimated).to.equal(4 * 3);
  });

  it("reports progress in clocks that grow", async () => {
    const simulator = Simulator.of(adder);
    const seen: number[] = [];
    const handle = await simulator.load(adderProgram(40_000));
    const { clocks } = await simulator.run(handle, { x: ramp(40_000) }, { onClocks: (n) => seen.push(n) });
    expect(clocks).to.be.greaterThan(10_000);
    expect(seen.length).to.be.greaterThan(3);
    expect(seen).to.deep.equal([...seen].sort((a, b) => a - b));
  });

  describe("a design that does not do what the program asks", () => {
    it("sends too little: who waits on what", async () => {
      const error = await rejection(runOnce(adderProgram(16, 4), { x: ramp(16) }, { fault: "swallow" }), TandemError);
      expect(error.message).to.match(
        /nothing moves any more after clock \d+; unfinished transfers: y: beat 1 of 1 of step 7/,
      );
      expect(error.hint).to.match(/Stalled: adder\.run on pop of adder\.a since \d+/);
    });

    it("does not take all that is sent", async () => {
      const error = await rejection(runOnce(adderProgram(64, 4, 4), { x: ramp(64) }), TandemError);
      expect(error.message).to.match(/unfinished transfers: a: beat 1 of 1 of step \d+/);
      expect(error.hint).to.include("adder.run on push of adder.y");
    });

    it("sends more than was asked for", async () => {
      const error = await rejection(runOnce(adderProgram(16), { x: ramp(16) }, { fault: "surplus" }), TandemError);
      expect(error.message).to.include("beats that nobody asked for: 1 on y");
    });

    it("ends a transfer early or late, by TLAST", async () => {
      const late = await rejection(runOnce(adderProgram(16), { x: ramp(16) }, { fault: "nolast" }), TandemError);
      expect(late.message).to.include("y: beat 4 of 4 of step 1 came without TLAST");
      const program = adderProgram(16, 8);
      const early = await rejection(
        runOnce(
          { ...program, steps: [...program.steps.slice(0, 2), { ...adderProgram(16).steps[1]! }] },
          { x: ramp(16) },
        ),
        TandemError,
      );
      expect(early.message).to.include("y: beat 2 of 4 of step 2 came with TLAST");
    });

    it("ends a transfer early or late, by TLAST, on the fast engine", async () => {
      const run = async (program: Program, parameters: Record<string, ParameterValue>): Promise<TandemError> => {
        const simulator = await FastSimulator.of(adder, parameters, { cache: false });
        return rejection(simulator.run(await simulator.load(program), { x: ramp(16) }), TandemError);
      };
      const late = await run(adderProgram(16), { fault: "nolast" });
      expect(late.message).to.include("y: beat 4 came without TLAST, at the transfer's end");
      const program = adderProgram(16, 8);
      const steps = [...program.steps.slice(0, 2), { ...adderProgram(16).steps[1]! }];
      const early = await run({ ...program, steps }, {});
      expect(early.message).to.include("y: beat 2 came with TLAST, before the transfer's end");
    });

    it("runs on without end", async () => {
      const error = await rejection(
        runOnce(adderProgram(16), { x: ramp(16) }, { fault: "spin" }, { patience: 50_000 }),
        TandemError,
      );
      expect(error.message).to.match(/no beat has moved on any stream for \d+ clocks.*unfinished transfers: y: beat 4/);
    });

    it("and is used again after it", async () => {
      const simulator = Simulator.of(adder, { fault: "swallow" });
      const bad = await simulator.load(adderProgram(16));
      const good = await simulator.load(adderProgram(8));
      await rejection(simulator.run(bad, { x: ramp(16) }), TandemError);
      const { outputs } = await simulator.run(good, { x: ramp(8) });
      expect(outputs["sum"]).to.deep.equal(ramp(8).map((x) => x + 1));
    });
  });

  it("refuses programs and inputs that do not fit", async () => {
    const simulator = Simulator.of(adder);
    const program = adderProgram(16);
    const handle = await simulator.load(program);
    const refusals: [Promise<unknown>, string][] = [
      [
        simulator.load({ ...program, steps: [{ kind: "send", stream: "b", buffer: 0, offset: 0, length: 4 }] }),
        'stream "b"',
      ],
      [simulator.load({ ...program, steps: [{ kind: "write", register: 0, value: 1 }] }), "writes registers"],
      [
        simulator.load({ name: "big", buffers: [{ name: "x", role: "scratch", bytes: 2 ** 40 }], steps: [] }),
        "at most",
      ],
      [simulator.run(handle, {}), 'input buffer "x" takes 16 bytes, but got none'],
      [simulator.run(handle, { x: ramp(12) }), "takes 16 bytes, but got 12"],
      [simulator.run(handle, { x: ramp(16), z: ramp(1) }), 'no input buffer "z"'],
      [simulator.run(99, {}), "no program 99"],
    ];
    for (const [promise, message] of refusals)
      expect((await rejection(promise, TandemError)).message).to.include(message);
    await simulator.unload(handle);
    await rejection(simulator.run(handle, { x: ramp(16) }), TandemError, `no program ${handle}`);
    await simulator.close();
    await rejection(simulator.describe(), TandemError, "was closed");
  });

  it("refuses bad parameters and levels", () => {
    expect(() => Simulator.of(adder, { add: 256 })).to.throw(TandemError, "add = 256");
    expect(() => Simulator.of(adder, {}, { level: "rtl" })).to.throw(TandemError, "no level rtl");
  });
});
