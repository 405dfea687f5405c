import { expect } from "chai";
import { TandemError } from "../../../hw/errors.js";
import type { Device, ParameterValue, RunResult } from "../../../driver/device.js";
import { DevicePool } from "../../../driver/transport/pool.js";
import { RemoteDevice } from "../../../driver/transport/remote.js";
import { RestartingDevice } from "../../../driver/transport/restarting.js";
import { DeviceService } from "../../../driver/transport/service.js";
import { Simulator } from "../../../driver/transport/simulator.js";
import { openTcp } from "../../../driver/transport/tcp-client.js";
import { TcpServer } from "../../../driver/transport/tcp-server.js";
import { openWorker } from "../../../driver/transport/worker.js";
import { rejection } from "../../support/rejection.js";
import { adder, adderProgram, ramp } from "./adder.js";

type Parameters = Readonly<Record<string, ParameterValue>>;

const inWorker = (parameters: Parameters): Promise<RemoteDevice> =>
  openWorker({ module: new URL("./adder.js", import.meta.url).href, export: "adder", parameters });

/** Every way to reach a simulator; each closes all that it opened. */
const transports: Readonly<
  Record<string, (parameters: Parameters) => Promise<{ device: Device; close(): Promise<void> }>>
> = {
  "in-process": (parameters) => {
    const device = Simulator.of(adder, parameters);
    return Promise.resolve({ device, close: () => device.close() });
  },
  "in-process, by messages": (parameters) => {
    const simulator = Simulator.of(adder, parameters);
    const { call } = new DeviceService(simulator);
    const device = new RemoteDevice({ name: "memory", call, close: () => simulator.close() });
    return Promise.resolve({ device, close: () => device.close() });
  },
  worker: async (parameters) => {
    const device = await inWorker(parameters);
    return { device, close: () => device.close() };
  },
  "two workers, as one": async (parameters) => {
    const device = new DevicePool(await Promise.all([inWorker(parameters), inWorker(parameters)]));
    return { device, close: () => device.close() };
  },
  tcp: async (parameters) => {
    const simulator = Simulator.of(adder, parameters);
    const server = await TcpServer.listen(simulator);
    const device = await openTcp(server.address);
    return {
      device,
      async close() {
        await device.close();
        await server.close();
      },
    };
  },
  "tcp to a worker": async (parameters) => {
    const worker = await inWorker(parameters);
    const server = await TcpServer.listen(worker);
    const device = await openTcp(server.address);
    return {
      device,
      async close() {
        await device.close();
        await server.close();
        await worker.close();
      },
    };
  },
};

async function reference(bytes: number, parameters: Parameters): Promise<RunResult> {
  const simulator = Simulator.of(adder, parameters);
  return simulator.run(await simulator.load(adderProgram(bytes, 64)), { x: ramp(bytes) });
}

for (const [name, open] of Object.entries(transports))
  describe(`A device reached ${name}`, () => {
    const using = async (parameters: Parameters, action: (device: Device) => Promise<void>): Promise<void> => {
      const { device, close } = await open(parameters);
      try {
        await action(device);
      } finally {
        await close();
      }
    };

    it("gives the same bytes, clocks and counters as the simulator itself", () =>
      using({ add: 9 }, async (device) => {
        const handle = await device.load(adderProgram(1024, 64));
        for (let i = 0; i < 3; i++) {
          const { wallMs: _, ...result } = await device.run(handle, { x: ramp(1024) });
          expect(result).to.deep.equal(await reference(1024, { add: 9 }));
        }
      }));

    it("describes itself", () =>
      using({ width: 2 }, async (device) => {
        const description = await device.describe();
        expect(description.parameters).to.deep.equal({ add: 1, width: 2, estimate: 0, fault: "none" });
        expect(description.streams.map(({ bytes }) => bytes)).to.deep.equal([2, 2]);
      }));

    it("passes a user's errors on with message and hint", () =>
      using({ fault: "swallow" }, async (device) => {
        const handle = await device.load(adderProgram(16));
        const error = await rejection(device.run(handle, { x: ramp(16) }), TandemError);
        const simulator = Simulator.of(adder, { fault: "swallow" });
        const direct = await rejection(
          simulator.run(await simulator.load(adderProgram(16)), { x: ramp(16) }),
          TandemError,
        );
        expect(error.message).to.equal(direct.message);
        expect(error.hint).to.equal(direct.hint);
      }));

    it("works on after an error, and forgets programs", () =>
      using({}, async (device) => {
        const handle = await device.load(adderProgram(16));
        await rejection(device.run(handle, { x: ramp(8) }), TandemError, "takes 16 bytes, but got 8");
        await rejection(device.run(handle + 1, {}), TandemError, `no program ${handle + 1}`);
        expect((await device.run(handle, { x: ramp(16) })).clocks).to.be.greaterThan(0);
        await device.unload(handle);
        await rejection(device.run(handle, { x: ramp(16) }), TandemError, `no program ${handle}`);
      }));

    it("carries an empty buffer and a large one", () =>
      using({ width: 64 }, async (device) => {
        const bytes = 64 * 1024;
        const program = adderProgram(bytes);
        const handle = await device.load({
          ...program,
          buffers: [...program.buffers, { name: "nothing", role: "input", bytes: 0 }],
        });
        const { outputs } = await device.run(handle, { x: ramp(bytes), nothing: new Uint8Array(0) });
        expect(outputs["sum"]).to.deep.equal(ramp(bytes).map((x) => x + 1));
      }));

    it("reports progress", () =>
      using({ fault: "slow" }, async (device) => {
        const seen: number[] = [];
        const handle = await device.load(adderProgram(40));
        const { clocks } = await device.run(handle, { x: ramp(40) }, { onClocks: (n) => seen.push(n) });
        expect(seen.length).to.be.greaterThan(0);
        for (const n of seen) expect(n).to.be.within(1, clocks);
      }));

    it("takes calls that do not wait for one another, in order", () =>
      using({}, async (device) => {
        const handle = await device.load(adderProgram(16));
        const runs = [1, 2, 3, 4].map((k) => device.run(handle, { x: ramp(16).map((x) => x + k) }));
        const results = await Promise.all(runs);
        results.forEach(({ outputs }, i) => expect(outputs["sum"]).to.deep.equal(ramp(16).map((x) => x + i + 2)));
      }));
  });

describe("A worker", () => {
  it("names its design's own error for bad parameters", () =>
    rejection(inWorker({ add: 1000 }), TandemError, "add = 1000").then((error) =>
      expect(error.hint).to.equal("Expected an integer from 0 to 255."),
    ));

  it("says which module has no such design", () =>
    rejection(
      openWorker({ module: new URL("./adder.js", import.meta.url).href, export: "subtracter" }),
      TandemError,
      'exports no "subtracter"',
    ));

  it("says that a design failed where it has a defect, and lives on", async () => {
    const device = await inWorker({ fault: "crash" });
    const handle = await device.load(adderProgram(16));
    const error = await rejection(device.run(handle, { x: ramp(16) }), TandemError, "a defect of the design");
    expect(error.hint).to.include("report");
    expect((await device.describe()).design).to.equal("adder");
    await device.close();
  });

  it("says that it ended by itself", async () => {
    const device = await inWorker({ fault: "exit" });
    const handle = await device.load(adderProgram(16));
    await rejection(device.run(handle, { x: ramp(16).fill(255) }), TandemError, "ended by itself (code 3)");
    await device.close();
  });

  it("that ended by itself is started again behind a server: one request fails, the next ones do not", async () => {
    const lines: string[] = [];
    const device = await RestartingDevice.of(
      () => inWorker({ fault: "exit" }),
      (line) => lines.push(line),
    );
    const server = await TcpServer.listen(device);
    const client = await openTcp(server.address);
    const handle = await client.load(adderProgram(16));
    for (const times of [1, 2]) {
      const error = await rejection(
        client.run(handle, { x: ramp(16).fill(255) }),
        TandemError,
        "the next request starts it again",
      );
      expect(error.hint).to.match(/^Ask again/);
      expect(lines).to.have.lengthOf(times);
      // The program was loaded before: the client need not know what happened.
      const { outputs } = await client.run(handle, { x: ramp(16) });
      expect(outputs["sum"]).to.deep.equal(ramp(16).map((x) => x + 1));
    }
    await client.unload(handle);
    expect((await client.describe()).design).to.equal("adder");
    await client.close();
    await server.close();
    await device.close();
  });

  it("can be closed in the middle of a run", async () => {
    const device = await inWorker({ fault: "spin" });
    const handle = await device.load(adderProgram(16));
    const running = rejection(device.run(handle, { x: ramp(16) }), TandemError, "was closed");
    await new Promise((resolve) => setTimeout(resolve, 50));
    await device.close();
    await running;
  });

  it("leaves this thread free while it runs", async () => {
    const device = await inWorker({ fault: "slow" });
    const handle = await device.load(adderProgram(400));
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    await device.run(handle, { x: ramp(400) });
    clearInterval(timer);
    await device.close();
    expect(ticks).to.be.greaterThan(3);
  });
});
