/** The array of the `sim` benchmark in Tandem's language: the same cells, operands and checksum as verilog/mac_array.v. */
import { bool, Cell, i32, i8, Module, struct, vec, type I8, type Process, type ValueOf } from "../../hw/index.js";
import type { Inputs, Mutable, Outputs } from "../../hw/index.js";
import { cpuSeconds } from "./harness.js";
import { Kernel } from "../../sim/kernel/kernel.js";

const West = struct({ a: i8, first: bool, last: bool });
type West = ValueOf<typeof West>;
const State = struct({ sum: i32 });
type State = ValueOf<typeof State>;

class MacCell extends Cell<West, I8, State, number> {
  static readonly source = import.meta.url;
  readonly west = West;
  readonly north = i8;
  readonly state = State;
  readonly emit = i32;
  step({ west, north }: Inputs<West, I8>, s: Mutable<State>): Outputs<West, I8, number> {
    s.sum = i32((west.first ? 0 : s.sum) + west.a * north);
    return { east: west, south: north, emit: west.last ? s.sum : undefined };
  }
}

const GOLDEN_RATIO = 0x9e3779b9;
const operand = (state: number, i: number): I8 => i8(Math.imul(state ^ Math.imul(GOLDEN_RATIO, i), 0x85ebca6b) >> 24);

export class BenchArray extends Module {
  static readonly source = import.meta.url;
  readonly cells;
  readonly out;
  readonly westWave;
  readonly northWave;
  readonly size: number;
  readonly depth: number;

  constructor(size: number, depth: number) {
    super(null, "bench");
    this.size = size;
    this.depth = depth;
    this.westWave = vec(West, size);
    this.northWave = vec(i8, size);
    this.cells = this.grid(size, size, new MacCell());
    this.out = this.channelOut(this.cells.results.type);
    this.connect(this.cells.results, this.out);
    this.clocked(this.feed);
  }

  *feed(): Process {
    let state = 1;
    for (;;)
      for (let k = 0; k < this.depth; k++) {
        const [first, last] = [k === 0, k === this.depth - 1];
        this.cells.feed(
          this.westWave((r) => ({ a: operand(state, r), first, last })),
          this.northWave((c) => operand(state, this.size + c)),
        );
        state = (Math.imul(state, 1664525) + 1013904223) | 0;
        yield;
      }
  }
}

export interface ArrayRun {
  readonly rows: number;
  readonly checksum: number;
  /** Of processor time. */
  readonly seconds: number;
  readonly wallSeconds: number;
}

/** Run the array of `size` x `size` for `clocks` clocks on the kernel. */
export function runArray(size: number, depth: number, clocks: number): ArrayRun {
  const kernel = new Kernel(new BenchArray(size, depth));
  const out = kernel.design.outputs["out"]!;
  let rows = 0;
  let checksum = 0;
  kernel.spawn(function* take(): Process {
    for (;;) {
      const values = (yield* out.pop()) as readonly number[];
      for (const value of values) checksum = (Math.imul(checksum, 31) + value) | 0;
      rows++;
    }
  });
  const start = process.cpuUsage();
  const began = performance.now();
  kernel.run({ until: clocks });
  const wallSeconds = (performance.now() - began) / 1000;
  return { rows, checksum: checksum >>> 0, seconds: cpuSeconds(start), wallSeconds };
}
