/** The device's half of a transport: takes requests, asks the device, gives replies. It never throws. */
import type { Device, ProgramHandle } from "../device.js";
import { errorReply, type Progress, type Reply, type Request } from "./messages.js";

/** How a request travels to the device and its reply back; `onProgress` may be called in between. */
export type Call = (request: Request, onProgress?: (progress: Progress) => void) => Promise<Reply>;

/** One client's view of a device: the programs that it has loaded are its own. */
export class DeviceService {
  readonly #device: Device;
  readonly #handles = new Set<ProgramHandle>();

  constructor(device: Device) {
    this.#device = device;
  }

  readonly call: Call = async (request, onProgress) => {
    try {
      return await this.#handle(request, onProgress);
    } catch (error) {
      return errorReply(error);
    }
  };

  async #handle(request: Request, onProgress?: (progress: Progress) => void): Promise<Reply> {
    const device = this.#device;
    switch (request.type) {
      case "describe":
        return { type: "described", description: await device.describe() };
      case "load": {
        const handle = await device.load(request.program);
        this.#handles.add(handle);
        return { type: "loaded", handle };
      }
      case "run": {
        const { handle, inputs } = request;
        if (!this.#handles.has(handle)) return this.#unknown(handle);
        const onClocks = onProgress && ((clocks: number) => onProgress({ type: "progress", clocks }));
        return { type: "ran", result: await device.run(handle, inputs, onClocks ? { onClocks } : {}) };
      }
      case "unload": {
        const { handle } = request;
        if (!this.#handles.delete(handle)) return this.#unknown(handle);
        await device.unload(handle);
        return { type: "unloaded" };
      }
    }
  }

  #unknown(handle: ProgramHandle): Reply {
    return { type: "error", fault: "caller", message: `The device holds no program ${handle} of this client` };
  }

  /** The client is gone: forget its programs. */
  async release(): Promise<void> {
    for (const handle of this.#handles) await this.#device.unload(handle);
    this.#handles.clear();
  }
}
