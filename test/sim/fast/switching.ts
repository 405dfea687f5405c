/** A process whose loop has a mode: a sequencer that sends to one side or to the other as well, and rests in one mode. */
import { assert, bool, Module, struct, u16, u8, type Process, type ValueOf } from "../../../hw/index.js";
import type { Random } from "./random.js";

export const SwitchJob = struct({ wide: bool, words: u8, tiles: u8, start: u16 });

export class Switching extends Module {
  static readonly source = import.meta.url;
  readonly jobs = this.channelIn(SwitchJob);
  readonly left = this.channelOut(u16);
  readonly right = this.channelOut(u16);
  readonly ends = this.channelOut(u16);

  constructor() {
    super(null, "switching");
    this.clocked(this.run);
  }

  *run(): Process {
    let all = u16(0);
    for (;;) {
      const job = yield* this.jobs.pop();
      assert(job.tiles >= 1 && job.words >= 1, "a job has words");
      let base = job.start;
      for (let tile = u8(0); tile < job.tiles; tile = u8(tile + 1)) {
        const step = u16(job.wide ? tile + 3 : 1);
        for (let word = u8(0); word < job.words; word = u8(word + 1)) {
          const last = word === job.words - 1;
          if (!job.wide) yield* this.left.push(u16(base + word));
          yield* this.right.push(u16(job.wide ? base * 3 + word : base));
          if (job.wide && last) yield;
          if (last && step > 1) base = u16(base + step);
          all = u16(all + step);
          yield;
        }
        yield* this.ends.push(all);
      }
    }
  }
}

export function randomSwitchJobs(random: Random): ValueOf<typeof SwitchJob>[] {
  return Array.from({ length: 2 + random.below(5) }, () => ({
    wide: random.chance(0.5),
    words: u8(1 + random.below(9)),
    tiles: u8(1 + random.below(4)),
    start: u16(random.below(65536)),
  }));
}
