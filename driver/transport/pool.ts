/**
 * Several devices of one design as one: each run goes to a device that is free, in the order in which it was asked for. A run is from
 * reset, so it does not matter where it happens, or after what.
 */
import { TandemError } from "../../hw/errors.js";
import type { Device, DeviceDescription, ProgramHandle, RunProgress, RunResult } from "../device.js";
import type { Program } from "../program.js";

interface Pooled {
  readonly program: Program;
  /** Where the program is loaded. */
  readonly handles: Map<Device, Promise<ProgramHandle>>;
}

export class DevicePool implements Device {
  readonly #devices: readonly Device[];
  readonly #free: Device[];
  readonly #waiting: ((device: Device) => void)[] = [];
  readonly #programs = new Map<ProgramHandle, Pooled>();
  #last = 0;

  /** At least one; they belong to the pool from now on. */
  constructor(devices: readonly Device[]) {
    this.#devices = devices;
    this.#free = [...devices];
  }

  describe(): Promise<DeviceDescription> {
    return this.#devices[0]!.describe();
  }

  /** A device checks the program; the others get it when they run it. */
  load(program: Program): Promise<ProgramHandle> {
    return this.#with(undefined, async (device) => {
      const handles = new Map([[device, Promise.resolve(await device.load(program))]]);
      this.#programs.set(++this.#last, { program, handles });
      return this.#last;
    });
  }

  async run(
    handle: ProgramHandle,
    inputs: Readonly<Record<string, Uint8Array>>,
    progress?: RunProgress,
  ): Promise<RunResult> {
    const pooled = this.#of(handle);
    return this.#with(pooled, async (device) => {
      let loaded = pooled.handles.get(device);
      if (!loaded) pooled.handles.set(device, (loaded = device.load(pooled.program)));
      const start = performance.now();
      const result = await device.run(await loaded, inputs, progress);
      return { ...result, wallMs: performance.now() - start };
    });
  }

  async unload(handle: ProgramHandle): Promise<void> {
    const { handles } = this.#of(handle);
    this.#programs.delete(handle);
    await Promise.all([...handles].map(async ([device, loaded]) => device.unload(await loaded)));
  }

  async close(): Promise<void> {
    await Promise.all(this.#devices.map((device) => device.close()));
  }

  #of(handle: ProgramHandle): Pooled {
    const pooled = this.#programs.get(handle);
    if (!pooled) throw new TandemError(`The device holds no program ${handle}`);
    return pooled;
  }

  /** On a device for itself, if possible one that knows the program. */
  async #with<T>(known: Pooled | undefined, action: (device: Device) => Promise<T>): Promise<T> {
    const knows = known ? this.#free.findIndex((device) => known.handles.has(device)) : -1;
    const [free] = this.#free.splice(Math.max(0, knows), 1);
    const device = free ?? (await new Promise<Device>((resolve) => this.#waiting.push(resolve)));
    try {
      return await action(device);
    } finally {
      const next = this.#waiting.shift();
      if (next) next(device);
      else this.#free.push(device);
    }
  }
}
