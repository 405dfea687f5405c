/**
 * A device that is opened again when it has ended by itself (a worker that ran out of memory, say). The request that it ended under is answered
 * with an error; whatever comes after is done by the new one, programs included.
 */
import { TandemError } from "../../hw/errors.js";
import type { Device, DeviceDescription, ProgramHandle, RunProgress, RunResult } from "../device.js";
import type { Program } from "../program.js";

/** Thrown by a device that is no more. */
export class DeviceEnded extends TandemError {}

interface Held {
  readonly program: Program;
  /** Where it is loaded now. */
  at?: { readonly device: Device; readonly handle: Promise<ProgramHandle> };
}

export class RestartingDevice implements Device {
  readonly #open: () => Promise<Device>;
  readonly #log: (line: string) => void;
  readonly #programs = new Map<ProgramHandle, Held>();
  /** Undefined from an end to the next request. */
  #device: Promise<Device> | undefined;
  #last = 0;
  #closed = false;

  private constructor(open: () => Promise<Device>, device: Device, log: (line: string) => void) {
    this.#open = open;
    this.#device = Promise.resolve(device);
    this.#log = log;
  }

  /** Rejects as `open` does. `log` hears of each end. */
  static async of(
    open: () => Promise<Device>,
    log: (line: string) => void = () => undefined,
  ): Promise<RestartingDevice> {
    return new RestartingDevice(open, await open(), log);
  }

  describe(): Promise<DeviceDescription> {
    return this.#with((device) => device.describe());
  }

  load(program: Program): Promise<ProgramHandle> {
    return this.#with(async (device) => {
      const handle = Promise.resolve(await device.load(program));
      this.#programs.set(++this.#last, { program, at: { device, handle } });
      return this.#last;
    });
  }

  async run(
    handle: ProgramHandle,
    inputs: Readonly<Record<string, Uint8Array>>,
    progress?: RunProgress,
  ): Promise<RunResult> {
    const held = this.#of(handle);
    return this.#with(async (device) => {
      if (held.at?.device !== device) held.at = { device, handle: device.load(held.program) };
      return device.run(await held.at.handle, inputs, progress);
    });
  }

  async unload(handle: ProgramHandle): Promise<void> {
    const { at } = this.#of(handle);
    this.#programs.delete(handle);
    await this.#with(async (device) => {
      if (at?.device === device) await device.unload(await at.handle);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await (await this.#device?.catch(() => undefined))?.close();
  }

  #of(handle: ProgramHandle): Held {
    const held = this.#programs.get(handle);
    if (!held) throw new TandemError(`The device holds no program ${handle}`);
    return held;
  }

  async #with<T>(action: (device: Device) => Promise<T>): Promise<T> {
    const opened = (this.#device ??= this.#open());
    try {
      return await action(await opened);
    } catch (error) {
      if (!(error instanceof DeviceEnded) || this.#closed) {
        // One that could not be opened is tried again with the next request.
        if (this.#device === opened) await opened.catch(() => (this.#device = undefined));
        throw error;
      }
      if (this.#device === opened) {
        this.#device = undefined;
        this.#log(`${error.message}; the next request starts it again`);
      }
      throw new TandemError(`${error.message} while it worked on this request; the next request starts it again`, {
        hint: "Ask again; if it ends again, the request is too large for it or the design has a defect.",
        cause: error,
      });
    }
  }
}
