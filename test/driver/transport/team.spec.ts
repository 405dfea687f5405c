import { expect } from "chai";
import { systolic } from "../../../designs/systolic/index.js";
import type { Device, RunResult, StartedRun } from "../../../driver/device.js";
import { FastSimulator } from "../../../driver/transport/fast-simulator.js";
import { startEarly } from "../../../driver/transport/members.js";
import { DeviceEnded } from "../../../driver/transport/restarting.js";
import { SimulatorTeam } from "../../../driver/transport/team.js";
import { TandemError } from "../../../hw/index.js";
import { pynqZ1 } from "../../../sim/platform/platform.js";
import { randomLayer } from "../../designs/layers.js";
import { rejection } from "../../support/rejection.js";
import { adderProgram, ramp } from "./adder.js";
import { successor } from "./successor.js";

const small = { rows: 4, cols: 4 };
const board = pynqZ1.board!;

/** The systolic design, small, at the board's pace. */
const openSystolic = (threads: number, timeline = false): Promise<SimulatorTeam> =>
  SimulatorTeam.open(
    {
      module: new URL("../../../designs/systolic/index.js", import.meta.url).href,
      export: "systolic",
      parameters: small,
      options: { board, timeline },
    },
    threads,
  );

const openSuccessor = (threads: number, ends = "never", lies = false): Promise<SimulatorTeam> =>
  SimulatorTeam.open(
    { module: new URL("./successor.js", import.meta.url).href, export: "successor", parameters: { ends, lies } },
    threads,
  );

/** The process's warnings while something happens. */
async function warnings(action: () => Promise<void>): Promise<string> {
  const said: string[] = [];
  const listen = ({ message }: Error): void => void said.push(message);
  process.on("warning", listen);
  try {
    await action();
    await new Promise((resolve) => setImmediate(resolve));
    return said.join();
  } finally {
    process.off("warning", listen);
  }
}

async function using<Opened extends Device>(opening: Promise<Opened>, action: (device: Opened) => Promise<void>) {
  const device = await opening;
  try {
    await action(device);
  } finally {
    await device.close();
  }
}

const untimed = ({ wallMs, ...result }: RunResult): Omit<RunResult, "wallMs"> => {
  expect(wallMs).to.be.at.least(0);
  return result;
};

const layers = [1, 2, 3, 4, 5, 6].map((seed) => {
  const shape = { height: 3 + seed, width: 5, inChannels: 7 * seed, outChannels: 5 + seed, kernel: 1 + (seed % 3) };
  const { layer, input } = randomLayer(shape, seed);
  const { program, inputs } = systolic.compile(layer, systolic.configure(small));
  return { program, inputs: inputs(input) };
});

/** Of each layer, by one simulator. */
async function expected(timeline = false): Promise<Omit<RunResult, "wallMs">[]> {
  const device = await FastSimulator.of(systolic, small, { board, timeline });
  const results: RunResult[] = [];
  for (const { program, inputs } of layers) results.push(await device.run(await device.load(program), inputs));
  return results;
}

/** Runs of adderProgram(bytes) that are offered: 1 is added to a ramp that starts at their number. */
const offer = (device: SimulatorTeam, handle: number, count: number, bytes = 16): StartedRun[] =>
  Array.from({ length: count }, (_, i) => device.start(handle, () => ({ x: ramp(bytes).map((x) => x + i) })));

describe("Simulators that share the work", () => {
  it("give the same bytes, clocks, counters and transfers as one, wherever a run happens", () =>
    using(openSystolic(3), async (device) => {
      const handles = await Promise.all(layers.map(({ program }) => device.load(program)));
      for (const help of [false, true]) {
        const started = layers.map(({ inputs }, i) => device.start(handles[i]!, () => inputs));
        if (help) for (const each of [...started].reverse()) each.help();
        const results = await Promise.all(started.map(({ result }) => result));
        expect(results.map(untimed)).to.deep.equal(await expected());
        expect(started.every((each) => each.finished())).to.equal(true);
      }
      const here = [];
      for (const [i, { inputs }] of layers.entries()) here.push(untimed(await device.run(handles[i]!, inputs)));
      expect(here).to.deep.equal(await expected());
    }));

  it("take no memory in a run for which room was made, on the board too", async () => {
    const { layer, input } = randomLayer({ height: 80, width: 80, inChannels: 64, outChannels: 48 }, 5);
    const { program, inputs } = systolic.compile(layer, systolic.configure(small));
    const grow = Object.getOwnPropertyDescriptor(WebAssembly.Memory.prototype, "grow")!;
    let grown = 0;
    const count = function (this: WebAssembly.Memory, pages: number): number {
      grown += pages;
      return (grow.value as typeof this.grow).call(this, pages);
    };
    /** A first run, with pages counted from its begin on. */
    const run = async (reserved: boolean): Promise<RunResult> => {
      const simulator = await FastSimulator.of(systolic, small, { board });
      const handle = await simulator.load(program);
      if (reserved) simulator.reserve(handle);
      grown = 0;
      return simulator.run(handle, inputs(input));
    };
    Object.defineProperty(WebAssembly.Memory.prototype, "grow", { ...grow, value: count });
    try {
      const result = await run(false);
      expect(grown).to.be.greaterThan(0);
      const again = await run(true);
      expect(grown).to.equal(0);
      expect(again).to.deep.equal(result);
    } finally {
      Object.defineProperty(WebAssembly.Memory.prototype, "grow", grow);
    }
  });

  it("record what happens over time, too", () =>
    using(openSystolic(2, true), async (device) => {
      const { program, inputs } = layers[0]!;
      const { timeline } = await device.start(await device.load(program), () => inputs).result;
      const { recordingMs: _, ...recorded } = timeline!;
      const { recordingMs: __, ...other } = (await expected(true))[0]!.timeline!;
      expect(recorded).to.deep.equal(other);
    }));

  it("take several runs of one program, filled in where they are to lie", () =>
    using(openSuccessor(2), async (device) => {
      const handle = await device.load(adderProgram(16));
      const copied = offer(device, handle, 5);
      const inPlace = device.start(handle, (room) => {
        room["x"]!.set(ramp(16));
        return room;
      });
      const results = await Promise.all([...copied, inPlace].map(({ result }) => result));
      results.forEach(({ outputs }, i) =>
        expect(outputs["sum"]).to.deep.equal(ramp(16).map((x) => x + 1 + (i < 5 ? i : 0))),
      );
    }));

  it("give the outputs where they lie to who takes them there, and say what goes wrong in that", () =>
    using(openSuccessor(2), async (device) => {
      const handle = await device.load(adderProgram(16));
      const first = device.start(
        handle,
        () => ({ x: ramp(16) }),
        ({ outputs }) => outputs["sum"]!,
      );
      expect((await first.result).buffer).to.be.instanceOf(SharedArrayBuffer);
      expect([...(await first.result)]).to.deep.equal([...ramp(16).map((x) => x + 1)]);
      const bad = device.start(
        handle,
        () => ({ x: ramp(16) }),
        () => {
          throw new TandemError("not these");
        },
      );
      await rejection(bad.result, TandemError, "not these");
      const [next] = offer(device, handle, 1);
      expect((await next!.result).outputs["sum"]!.buffer).not.to.be.instanceOf(SharedArrayBuffer);
    }));

  it("take the most urgent run first", () =>
    using(openSuccessor(2), async (device) => {
      const bytes = 1 << 20;
      const handles = [];
      for (let i = 0; i < 4; i++) handles.push(await device.load(adderProgram(16)));
      const [first] = offer(device, await device.load(adderProgram(bytes)), 1, bytes);
      while (first!.age() === undefined) await new Promise((resolve) => setImmediate(resolve));
      // The worker has enough to do until all of them are offered.
      const done: number[] = [];
      const runs = handles.flatMap((handle) => offer(device, handle, 1));
      [2, 4, 1, 3].forEach((urgency, i) => {
        runs[i]!.urge(urgency);
      });
      expect(first!.finished()).to.equal(false);
      await Promise.all(runs.map(({ result }, i) => result.then(() => done.push(i))));
      expect(done).to.deep.equal([1, 3, 0, 2]);
      expect(runs.every(({ age }) => age() !== undefined)).to.equal(true);
    }));

  it("leave a run that is under way to who has it, and do one that nobody has begun at once", () =>
    using(openSuccessor(1), async (device) => {
      // Without others, it is done when it is offered.
      const [alone] = offer(device, await device.load(adderProgram(16)), 1);
      expect([alone!.finished(), alone!.help()]).to.deep.equal([true, false]);
      expect((await alone!.result).clocks).to.be.greaterThan(0);
    }));

  it("pass on a user's errors with message and hint, from whichever thread", () =>
    using(openSuccessor(2), async (device) => {
      const program = adderProgram(16, 16, 32);
      const handle = await device.load(program);
      const here = await rejection(device.run(handle, { x: ramp(16) }), TandemError, "nothing moves any more");
      const there = await rejection(device.start(handle, () => ({ x: ramp(16) })).result, TandemError, here.message);
      expect(there.hint).to.equal(here.hint);
      const [next] = offer(device, await device.load(adderProgram(16)), 1);
      expect((await next!.result).outputs["sum"]).to.deep.equal(ramp(16).map((x) => x + 1));
    }));

  it("refuse inputs and programs that are not theirs, and work on", () =>
    using(openSuccessor(2), async (device) => {
      const handle = await device.load(adderProgram(16));
      const start = (inputs: Record<string, Uint8Array>, of = handle) => device.start(of, () => inputs);
      expect(() => start({ x: ramp(8) })).to.throw(TandemError, "takes 16 bytes, but got 8");
      expect(() => start({ z: ramp(16) })).to.throw(TandemError, 'no input buffer "z"');
      expect(() => start({ x: ramp(16) }, handle + 1)).to.throw(TandemError, `no program ${handle + 1}`);
      expect((await start({ x: ramp(16) }).result).outputs["sum"]).to.have.length(16);
      await device.unload(handle);
      expect(() => start({ x: ramp(16) })).to.throw(TandemError, `no program ${handle}`);
    }));

  it("work in threads that were started early, also where what they were to import is not there", async () => {
    const module = new URL("./successor.js", import.meta.url).href;
    startEarly(1, [module]);
    startEarly(1, [`${module}.absent`]);
    await using(openSuccessor(3), async (device) => {
      const handle = await device.load(adderProgram(1 << 16));
      const runs = offer(device, handle, 6, 1 << 16);
      const results = await Promise.all(runs.map(({ result }) => result));
      results.forEach(({ outputs }, i) => expect(outputs["sum"]![0]).to.equal(i + 1));
    });
  });

  it("do the work of a worker that never began, and say so", async () => {
    const said = await warnings(() =>
      using(openSuccessor(2, "start"), async (device) => {
        const runs = offer(device, await device.load(adderProgram(16)), 4);
        const results = await Promise.all(runs.map(({ result }) => result));
        results.forEach(({ outputs }, i) => expect(outputs["sum"]![0]).to.equal(i + 1));
      }),
    );
    expect(said).to.match(/ended by itself \(code 3\)/);
  });

  it("keep a worker that could not compile the layer with which it warms up", async () => {
    const said = await warnings(() =>
      using(openSuccessor(2, "never", true), async (device) => {
        const handle = await device.load(adderProgram(16));
        // A worker that has ended could have done the first, but not the second.
        for (let round = 0; round < 2; round++) {
          const results = await Promise.all(offer(device, handle, 4).map(({ result }) => result));
          results.forEach(({ outputs }, i) => expect(outputs["sum"]![0]).to.equal(i + 1));
        }
      }),
    );
    expect(said).to.equal("");
  });

  it("lose what a worker had begun when it ended, and nothing else", () =>
    using(openSuccessor(2, "run"), async (device) => {
      const runs = offer(device, await device.load(adderProgram(16)), 4);
      const results = await Promise.allSettled(runs.map(({ result }) => result));
      expect(results.map(({ status }) => status)).to.deep.equal(["rejected", "fulfilled", "fulfilled", "fulfilled"]);
      expect((results[0] as PromiseRejectedResult).reason).to.be.instanceOf(DeviceEnded);
    }));

  it("are closed with what is under way", async () => {
    const device = await openSuccessor(2);
    const handle = await device.load(adderProgram(4096));
    const runs = offer(device, handle, 3, 4096);
    const results = Promise.allSettled(runs.map(({ result }) => result));
    await device.close();
    for (const each of await results) if (each.status === "rejected") expect(each.reason).to.be.instanceOf(TandemError);
    expect(() => device.start(handle, () => ({ x: ramp(4096) }))).to.throw(TandemError, "was closed");
    await rejection(device.run(handle, { x: ramp(4096) }), TandemError, "was closed");
  });

  it("are not opened with parameters that the design refuses", () =>
    rejection(openSuccessor(2, "sometimes"), TandemError, "ends = sometimes").then(() => undefined));

  it("are what they say", () =>
    using(openSuccessor(2), async (device) => {
      expect(successor.levels).to.include((await device.describe()).level);
      expect((await device.describe()).engine).to.equal("fast");
    }));
});
