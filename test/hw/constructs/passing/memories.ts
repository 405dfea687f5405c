/** Memories: ports, banks, hand-over by tokens, and a grid. */
import { andU, assert, bool, Cell, i32, i8, Module, struct, u4, u8, vec, type Process } from "../../../../hw/index.js";
import type { Inputs, Mutable, Outputs, ValueOf } from "../../../../hw/index.js";

const Word = vec(u8, 2);

/** A port that reads and writes, in one process. */
export class Histogram extends Module {
  static readonly source = import.meta.url;
  readonly x = this.channelIn(u4);
  readonly y = this.channelOut(u8);
  readonly mem = this.memory(u8, 16, { init: Array.from({ length: 16 }, () => u8(0)) });
  readonly port = this.mem.port();

  constructor() {
    super(null, "histogram");
    this.clocked(this.run);
  }

  *run(): Process {
    for (;;) {
      const x = yield* this.x.pop();
      this.port.read(x);
      yield;
      const count = u8(this.port.q + 1);
      this.port.write(x, count);
      yield* this.y.push(count);
      yield;
    }
  }
}

/** The last words read, as a window that moves: lanes of the new word stand at other places than in it. */
export class Window extends Module {
  static readonly source = import.meta.url;
  readonly at = this.channelIn(u4);
  readonly y = this.channelOut(vec(u8, 12));
  readonly table = this.memory(vec(u8, 4), 16, {
    init: Array.from({ length: 16 }, (_, i) => [u8(i), u8(i * 3), u8(i * 5), u8(i * 7)]),
  });
  readonly port = this.table.readPort();
  readonly window = vec(u8, 12);
  recent = this.window.zero();

  constructor() {
    super(null, "window");
    this.clocked(this.run);
  }

  *run(): Process {
    for (;;) {
      const at = yield* this.at.pop();
      this.port.read(at);
      yield;
      this.recent = this.window((i) => (i < 8 ? this.recent[i + 4]! : this.port.q[i - 8]!));
      yield* this.y.push(this.recent);
    }
  }
}

/** Two banks in turn, filled by one process and read by another; a token hands each over, another gives it back. */
export class Banks extends Module {
  static readonly source = import.meta.url;
  static readonly tokens = { n: (r: () => number): number => 1 + Math.floor(r() * 4) };
  readonly n = this.channelIn(u8);
  readonly x = this.channelIn(Word);
  readonly y = this.channelOut(u8);
  readonly banks = [this.memory(Word, 8), this.memory(Word, 8)];
  readonly writes = this.banks.map((bank) => bank.writePort());
  readonly reads = this.banks.map((bank) => bank.readPort());
  readonly full = this.channel(u8, { name: "full" });
  readonly free = this.channel(bool, { name: "free" });
  filling = u4(0);
  taking = u4(0);

  constructor() {
    super(null, "banks");
    this.clocked(this.fill);
    this.clocked(this.take);
  }

  *fill(): Process {
    let started = u4(0);
    for (;;) {
      const n = yield* this.n.pop();
      assert(n >= 1 && n <= 8, "a bank has 8 words");
      if (started === 2) yield* this.free.pop();
      else started = u4(started + 1);
      for (let i = u8(0); i < n; i = u8(i + 1)) {
        const word = yield* this.x.pop();
        this.writes[this.filling & 1]!.write(
          i,
          Word((lane) => u8(word[lane]! + lane)),
        );
        yield;
      }
      this.filling = u4(1 - (this.filling & 1));
      yield* this.full.push(n);
    }
  }

  *take(): Process {
    for (;;) {
      const n = yield* this.full.pop();
      const bank = this.taking & 1;
      for (let i = u8(0); i < n; i = u8(i + 1)) {
        this.reads[bank]!.read(i);
        yield;
        const word = this.reads[bank]!.q;
        yield* this.y.push(u8(word[0]! + word[1]!));
      }
      this.taking = u4(1 - bank);
      yield* this.free.push(true);
    }
  }
}

const Place = struct({ row: u4, shift: u4 });

/** Four banks that are read in the same clock, each at an address of its own, and some not at all: rows above each other, dealt out in turn. */
export class BanksApart extends Module {
  static readonly source = import.meta.url;
  readonly at = this.channelIn(Place);
  readonly y = this.channelOut(vec(u8, 4));
  readonly banks = Array.from({ length: 4 }, (_, b) =>
    this.memory(u8, 16, { init: Array.from({ length: 16 }, (_, i) => u8(i * 7 + b * 61)) }),
  );
  readonly reads = this.banks.map((bank) => bank.readPort());

  constructor() {
    super(null, "banksapart");
    this.clocked(this.run);
  }

  *run(): Process {
    for (;;) {
      const { row, shift } = yield* this.at.pop();
      const turn = andU(shift, 3);
      for (let b = 0; b < 4; b++) {
        const address = u8(row + (b < turn ? 1 : 0));
        if (andU(b + 4 - turn, 3) < 3) {
          assert(address <= 16, "a row or the next one");
          this.reads[b]!.read(andU(address, 15));
        }
      }
      yield;
      yield* this.y.push(vec(u8, 4)((d) => (d < 3 ? this.reads[andU(d + turn, 3)]!.q : u8(0))));
    }
  }
}

const West = struct({ a: i8, first: bool, last: bool });
const State = struct({ acc: i32 });

class MacCell extends Cell<ValueOf<typeof West>, ReturnType<typeof i8>, ValueOf<typeof State>, ReturnType<typeof i32>> {
  static readonly source = import.meta.url;
  readonly west = West;
  readonly north = i8;
  readonly state = State;
  readonly emit = i32;

  step(
    { west: { a, first, last }, north: w }: Inputs<ValueOf<typeof West>, ReturnType<typeof i8>>,
    s: Mutable<ValueOf<typeof State>>,
    at: { row: number; col: number },
  ): Outputs<ValueOf<typeof West>, ReturnType<typeof i8>, ReturnType<typeof i32>> {
    const start = at.row === at.col ? 0 : 1;
    s.acc = i32((first ? start : s.acc) + a * w);
    return { east: { a, first, last }, south: w, emit: last ? s.acc : undefined };
  }
}

/** Takes the results of the array, a row a token, and gives a credit for each tile. */
class Collector extends Module {
  static readonly source = import.meta.url;
  readonly rows = this.channelIn(vec(i32, 2));
  readonly out = this.channelOut(vec(i32, 2));
  readonly credit = this.channelOut(bool);

  constructor(parent: Module) {
    super(parent, "collector");
    this.clocked(this.collect);
  }

  *collect(): Process {
    for (;;) {
      for (let r = 0; r < 3; r++) {
        const row = yield* this.rows.pop();
        yield* this.out.push(row);
      }
      yield* this.credit.push(true);
    }
  }
}

/** Feeds a small systolic array: tiles of K = 3 waves, each after a credit. */
class Feeder extends Module {
  static readonly source = import.meta.url;
  readonly a = this.channelIn(vec(i8, 3));
  readonly b = this.channelIn(vec(i8, 2));
  readonly credit = this.channelIn(bool);
  readonly array = this.grid(3, 2, new MacCell());
  readonly westType = vec(West, 3);

  constructor(parent: Module) {
    super(parent, "feeder");
    this.clocked(this.feed);
  }

  *feed(): Process {
    let open = u4(0);
    for (;;) {
      if (open === 1) yield* this.credit.pop();
      else open = u4(open + 1);
      for (let k = 0; k < 3; k++) {
        const a = yield* this.a.pop();
        const b = yield* this.b.pop();
        // keeps grid-feed: once a clock, by one process
        this.array.feed(
          this.westType((r) => ({ a: a[r]!, first: k === 0, last: k === 2 })),
          b,
        );
        yield;
      }
    }
  }
}

/** A grid of cells between two processes. */
export class Array3 extends Module {
  readonly a = this.channelIn(vec(i8, 3));
  readonly b = this.channelIn(vec(i8, 2));
  readonly out = this.channelOut(vec(i32, 2));

  constructor() {
    super(null, "array3");
    const feeder = new Feeder(this);
    const collector = new Collector(this);
    this.connect(this.a, feeder.a);
    this.connect(this.b, feeder.b);
    this.connect(feeder.array.results, collector.rows, { depth: 4 });
    this.connect(collector.credit, feeder.credit);
    this.connect(collector.out, this.out);
  }
}
