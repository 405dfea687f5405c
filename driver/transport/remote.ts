/** The driver's half of a transport: a device that is somewhere else, reached by messages. One request at a time. */
import { TandemError } from "../../hw/errors.js";
import type { Device, DeviceDescription, ProgramHandle, RunProgress, RunResult } from "../device.js";
import type { Program } from "../program.js";
import { errorFrom, type Reply, type Request } from "./messages.js";
import type { Call } from "./service.js";

/** A connection to the far end, opened. */
export interface Link {
  /** For error messages: `tcp://127.0.0.1:4017`, `the simulator's worker`. */
  readonly name: string;
  readonly call: Call;
  /** Calls that are under way reject. */
  close(): Promise<void>;
}

export class RemoteDevice implements Device {
  readonly #link: Link;
  #last: Promise<unknown> = Promise.resolve();

  constructor(link: Link) {
    this.#link = link;
  }

  async describe(): Promise<DeviceDescription> {
    return (await this.#ask({ type: "describe" }, "described")).description;
  }

  async load(program: Program): Promise<ProgramHandle> {
    return (await this.#ask({ type: "load", program }, "loaded")).handle;
  }

  async run(
    handle: ProgramHandle,
    inputs: Readonly<Record<string, Uint8Array>>,
    progress: RunProgress = {},
  ): Promise<RunResult> {
    return (await this.#ask({ type: "run", handle, inputs }, "ran", progress)).result;
  }

  async unload(handle: ProgramHandle): Promise<void> {
    await this.#ask({ type: "unload", handle }, "unloaded");
  }

  async close(): Promise<void> {
    await this.#link.close();
  }

  async #ask<T extends Reply["type"]>(
    request: Request,
    expected: T,
    progress: RunProgress = {},
  ): Promise<Extract<Reply, { type: T }>> {
    const { onClocks } = progress;
    const send = (): Promise<Reply> => this.#link.call(request, onClocks && (({ clocks }) => onClocks(clocks)));
    const turn = this.#last.then(send, send);
    this.#last = turn.catch(() => undefined);
    const reply = await turn;
    if (reply.type === "error") throw errorFrom(reply, this.#link.name);
    if (reply.type !== expected)
      throw new TandemError(`${this.#link.name} answered "${request.type}" with "${reply.type}"`);
    return reply as Extract<Reply, { type: T }>;
  }
}
