/**
 * Typed binding for a SystemC design in WebAssembly: create clocks, signals and FIFOs, bind them to the ports of the
 * design, run, read and write, trace, stop. Node and browser; in a worker through Comlink, see worker.ts.
 */
import { TandemError } from "../../hw/errors.js";
import { SystemCInstance, type ProgramImage } from "./instance.js";

/** A thing outside of the design that its ports are bound to. */
export interface Endpoint {
  readonly id: number;
}
export type SignalType = "bool" | "int32" | "uint32";

/** Functions that a program has to export for this binding. */
export const BINDING_EXPORTS = [
  ...["tb_error", "tb_constant", "tb_instantiate", "tb_clock", "tb_signal", "tb_fifo", "tb_bind", "tb_run", "tb_time"],
  ...["tb_delta", "tb_read", "tb_write", "tb_push", "tb_pop", "tb_trace_open", "tb_trace", "tb_trace_close", "tb_stop"],
  ...["tb_dma", "tb_job"],
];

export class SystemCModel {
  private readonly instance: SystemCInstance;

  private constructor(instance: SystemCInstance) {
    this.instance = instance;
  }

  /** A fresh simulation of the design: one per model, as SystemC cannot start over. */
  static async load(image: ProgramImage): Promise<SystemCModel> {
    const model = new SystemCModel(await SystemCInstance.create(image));
    model.check(model.instance.call("tb_instantiate"));
    return model;
  }

  /** What the design and SystemC printed so far. */
  get output(): readonly string[] {
    return this.instance.output;
  }

  /** `period` in picoseconds. */
  createClock(name: string, period: number): Endpoint {
    return this.named("tb_clock", name, period);
  }
  createSignal(name: string, type: SignalType): Endpoint {
    return this.named("tb_signal", name, ["bool", "int32", "uint32"].indexOf(type));
  }
  /** A FIFO of 32-bit words. */
  createFifo(name: string, depth: number): Endpoint {
    return this.named("tb_fifo", name, depth);
  }
  /** Binds a port of the design; `port` is its name below the top module. */
  bind(port: string, endpoint: Endpoint): void {
    this.instance.withText(port, (text) => this.check(this.instance.call("tb_bind", text, endpoint.id)));
  }

  /** Simulates for a time in picoseconds; zero is one delta cycle. */
  run(duration: number): void {
    this.check(this.instance.call("tb_run", duration));
  }
  /** In picoseconds. */
  get time(): number {
    return this.instance.call("tb_time");
  }
  get deltaCount(): number {
    return this.instance.call("tb_delta");
  }
  read(endpoint: Endpoint): number {
    return this.instance.call("tb_read", endpoint.id);
  }
  /** Takes effect in the next delta cycle. */
  write(endpoint: Endpoint, value: number): void {
    this.check(this.instance.call("tb_write", endpoint.id, value));
  }
  /** Puts words into a FIFO; the number that found room. */
  push(fifo: Endpoint, words: Uint32Array): number {
    return this.instance.withBytes(bytesOf(words), (at) =>
      this.check(this.instance.call("tb_push", fifo.id, at, words.length)),
    );
  }
  /** Takes up to `count` words out of a FIFO. */
  pop(fifo: Endpoint, count: number): Uint32Array {
    return this.instance.withBytes(new Uint8Array(4 * count), (at) => {
      const found = this.check(this.instance.call("tb_pop", fifo.id, at, count));
      return new Uint32Array(this.instance.bytes.slice(at, at + 4 * found).buffer);
    });
  }

  /** Records what is traced into a VCD file until `endTrace`, which returns its text. */
  beginTrace(): void {
    this.instance.withText("trace", (path) => this.check(this.instance.call("tb_trace_open", path)));
  }
  trace(endpoint: Endpoint, name: string): void {
    this.instance.withText(name, (text) => this.check(this.instance.call("tb_trace", endpoint.id, text)));
  }
  endTrace(): string {
    this.check(this.instance.call("tb_trace_close"));
    return new TextDecoder().decode(this.instance.readFile("trace.vcd"));
  }

  /** Ends the simulation; `end_of_simulation` of the design is called. */
  stop(): void {
    this.check(this.instance.call("tb_stop"));
  }

  /** Makes jobs possible: words go in and out through these FIFOs, one a clock each. Before the first run. */
  attachDma(input: Endpoint, output: Endpoint, clock: Endpoint): void {
    this.check(this.instance.call("tb_dma", input.id, output.id, clock.id));
  }
  /** Sends words and waits for so many back; `idleClocks` without any word moving is an error. */
  job(words: Uint32Array, results: number, idleClocks = 100_000): { words: Uint32Array; clocks: number } {
    return this.instance.withBytes(bytesOf(words), (from) =>
      this.instance.withBytes(new Uint8Array(4 * results), (to) => {
        const clocks = this.check(this.instance.call("tb_job", from, words.length, to, results, idleClocks));
        return { words: new Uint32Array(this.instance.bytes.slice(to, to + 4 * results).buffer), clocks };
      }),
    );
  }

  /** A constant of the design's class; 0 where it has none. */
  constant(which: "COLUMNS" | "DEPTH" | "MACS_PER_CLOCK"): number {
    return this.instance.call("tb_constant", ["COLUMNS", "DEPTH", "MACS_PER_CLOCK"].indexOf(which));
  }

  private named(call: string, name: string, argument: number): Endpoint {
    return { id: this.instance.withText(name, (text) => this.check(this.instance.call(call, text, argument))) };
  }
  private check(result: number): number {
    if (result >= 0) return result;
    const text = this.instance.text(this.instance.call("tb_error"));
    throw new TandemError(`the SystemC design: ${text}`, {
      hint: "This comes from the design or from SystemC itself.",
    });
  }
}

function bytesOf(words: Uint32Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}
