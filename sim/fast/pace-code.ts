/**
 * The pace of a board's DMA at an outer port of the fast engine: the rules of a channel (sim/platform/dma.ts) in Wasm, per
 * beat. Questions to memory and processor are left in a record, with their clocks; who answers them is sim/fast/pacing.ts.
 * An actor runs ahead of the answers as far as its channel may, and leaves where it needs one that is not there yet.
 */
import type { Environment } from "./plan.js";
import type { Code } from "./wasm.js";

/** Fields of a channel's record, in bytes from its start. */
export const pace = {
  /** State: the transfer at hand, beats moved of it and of its burst, the burst over all transfers, whether it has begun. */
  transfer: 0,
  beat: 4,
  within: 8,
  burst: 12,
  begun: 16,
  /** Beats of the transfer; for a source the burst after its last, for a sink its first. */
  beats: 20,
  bound: 24,
  /** 64 bits: when the channel has dealt with the beat before. */
  free: 32,
  /** Bursts asked for; answers and begun transfers, written from outside; 1 while the actor waits for one of them. */
  asked: 40,
  answered: 44,
  begins: 48,
  waits: 52,
  /** Constants: 64-bit clocks of a beat and after a burst; beats in a burst; bursts under way. */
  beatClocks: 56,
  gap: 64,
  beatsPerBurst: 72,
  outstanding: 76,
  /** Addresses: transfers (see `transfer`), answers and clocks of the questions (64 bits each). */
  transfers: 80,
  answers: 84,
  asks: 88,
  /**
   * Of a source that waits for a burst: so many beats from there on are pushed as they come, and popped a clock later by somebody who does
   * nothing else meanwhile that others see, if the first comes at clock `least` or later; 1 if the arbiter goes by that (flow-code.ts).
   */
  flow: 92,
  least: 96,
  flowing: 100,
  /**
   * What the arbiter did with bursts that flow: it has done all those before `ahead`; addresses of `free` behind each burst (64 bits), and of the
   * clock of its first beat, 0 where the arbiter had nothing to do with it. A beat comes a clock after the one before.
   */
  ahead: 104,
  frees: 108,
  firsts: 112,
  bytes: 120,
} as const;

/**
 * A row of the table of transfers: beats; the clock from which its channel acts; 64-bit times at which the processor began to start it, at which it began,
 * and at which it was done; its stream's number, and its place in the program.
 */
export const transfer = {
  beats: 0,
  clock: 4,
  started: 8,
  issued: 16,
  done: 24,
  stream: 32,
  step: 36,
  bytes: 40,
} as const;

const NEVER = 0x7fffffff;

/** Emits the code of one port; `code` is that of its actor, `time` the actor's clock. */
export class PaceCode {
  protected readonly code: Code;
  protected readonly environment: Environment;
  readonly #source: boolean;
  protected readonly time: number;
  /** Address of the actor's clock of its first open question, which is a poll to the scheduler. */
  readonly #question: number;
  protected readonly record: number;
  protected readonly state: Readonly<Record<"beat" | "within" | "burst" | "begun" | "beats" | "bound", number>>;
  protected readonly free: number;

  constructor(code: Code, environment: Environment, source: boolean, time: number, question: number) {
    this.code = code;
    this.environment = environment;
    this.#source = source;
    this.time = time;
    this.#question = question;
    this.record = code.local("i32");
    const local = (): number => code.local("i32");
    this.state = { beat: local(), within: local(), burst: local(), begun: local(), beats: local(), bound: local() };
    this.free = code.local("f64");
  }

  /** State to locals; the record's address is 0 where there is no pace. */
  load(): void {
    const code = this.code;
    code.loadAt(this.environment.pace).tee(this.record).if();
    for (const [name, local] of Object.entries(this.state)) this.field(name as keyof typeof pace).set(local);
    code.get(this.record).mem("f64.load", pace.free).set(this.free);
    code.end();
  }

  save(): void {
    const code = this.code;
    code.get(this.record).if();
    for (const [name, local] of Object.entries(this.state))
      code
        .get(this.record)
        .get(local)
        .mem("i32.store", pace[name as keyof typeof pace]);
    code.get(this.record).get(this.free).mem("f64.store", pace.free);
    for (const field of ["flow", "flowing"] as const) code.get(this.record).i32(0).mem("i32.store", pace[field]);
    code.end();
  }

  /** Nonzero on the stack if a source's next `tokens` beats can move without a wait for the board; so they can without one. */
  emitHas(tokens: number): void {
    const code = this.code;
    code.get(this.record).if("i32");
    this.available();
    code.i32(tokens).op("i32.ge_s").else().i32(1).end();
  }

  /** On the stack, beats of a source's transfer that have their answers; none or fewer if it has not begun. */
  protected available(): void {
    const code = this.code;
    const { begun, beat, beats, burst, within } = this.state;
    const [left, answered] = [code.temp("i32"), code.temp("i32")];
    code.get(begun).if("i32");
    // Only the last burst of a transfer has fewer beats than the others.
    this.field("answered").get(burst).op("i32.sub");
    this.perBurst().op("i32.mul").get(within).op("i32.sub").set(answered);
    code.get(beats).get(beat).op("i32.sub").tee(left).get(answered);
    code.get(left).get(answered).op("i32.lt_s").op("select");
    code.else().i32(0).end();
    code.free("i32", left, answered);
  }

  /** Move the clock on to the earliest of the next beat; `wait` leaves, to come back to this code. */
  next(horizon: () => void, wait: () => void): void {
    const code = this.code;
    const { begun, burst, within, bound, beats } = this.state;
    const entry = code.local("i32");
    code.get(this.record).if();
    // A question beyond the horizon is not put yet.
    horizon();
    code.get(begun).op("i32.eqz").if();
    this.field("transfer");
    this.#waitUnless(() => this.field("begins"), wait);
    this.field("transfers").get(this.record).mem("i32.load", pace.transfer).i32(transfer.bytes).op("i32.mul");
    code.op("i32.add").set(entry);
    code.get(entry).mem("i32.load", transfer.clock);
    this.#raise();
    horizon();
    code.i32(1).set(begun);
    code.get(entry).mem("f64.load", transfer.started).set(this.free);
    code.get(entry).mem("i32.load", transfer.beats).set(beats);
    if (this.#source) {
      code.get(bound).get(beats);
      this.field("beatsPerBurst").op("i32.add").i32(1).op("i32.sub");
      this.field("beatsPerBurst").op("i32.div_u").op("i32.add").set(bound);
      this.#askAhead();
    } else code.get(burst).set(bound);
    code.end();
    const ready = code.local("f64");
    code.get(this.free).set(ready);
    const answer = code.local("i32");
    if (this.#source) {
      code.get(burst).tee(answer);
      this.#waitUnless(() => this.field("answered"), wait);
      this.beatAnswered(answer, ready);
    } else {
      code.get(burst);
      this.field("outstanding").op("i32.sub").set(answer);
      code.get(within).op("i32.eqz").get(answer).get(bound).op("i32.ge_s").op("i32.and").if();
      code.get(answer);
      this.#waitUnless(() => this.field("answered"), wait);
      this.answer(answer);
      code.get(ready).op("f64.max").set(ready);
      code.end();
    }
    this.raiseTo(ready);
    code.end();
  }

  /** `ready` becomes no less than the time at which the answer to `burst` lets the next beat of it be there. */
  protected beatAnswered(burst: number, ready: number, within = this.state.within): void {
    const code = this.code;
    this.answer(burst);
    code.get(within).op("f64.convert_i32_s");
    this.constant("beatClocks").op("f64.mul").op("f64.add");
    code.get(ready).op("f64.max").set(ready);
  }

  /** Raise the clock to the edge at or after `ready`. */
  protected raiseTo(ready: number): void {
    this.code.get(ready).f64(1e-9).op("f64.sub").op("f64.ceil").op("i32.trunc_sat_f64_s");
    this.#raise();
  }

  /** A beat has moved in this clock. `paced`: `free` is known already. */
  moved(paced = false): void {
    const code = this.code;
    const { beat, within } = this.state;
    code.get(this.record).if();
    code.get(beat).i32(1).op("i32.add").set(beat);
    code.get(within).i32(1).op("i32.add").set(within);
    if (!paced) {
      const now = code.temp("f64");
      code.get(this.time).op("f64.convert_i32_s").set(now);
      this.freed(this.free, now);
      code.free("f64", now);
    }
    this.over(paced);
    code.end();
  }

  /** Behind a beat: if it was the last of its burst, or of its transfer, on to the next. */
  protected over(paced: boolean): void {
    const code = this.code;
    const { beat, within, burst, begun, beats } = this.state;
    code.get(within);
    this.perBurst().op("i32.ge_s").get(beat).get(beats).op("i32.eq").op("i32.or").if();
    code.i32(0).set(within);
    code.get(burst).i32(1).op("i32.add").set(burst);
    if (!paced) {
      code.get(this.free);
      this.constant("gap").op("f64.add").set(this.free);
    }
    if (this.#source) this.#askAhead();
    else this.#ask(1);
    code.get(beat).get(beats).op("i32.eq").if();
    // The end of a transfer is a question too: when the next one begins.
    if (this.#source) this.#open(1);
    code.i32(0).set(beat).i32(0).set(begun);
    code.get(this.record);
    this.field("transfer").i32(1).op("i32.add").mem("i32.store", pace.transfer);
    code.end();
    code.end();
  }

  /** `free`, a local, after a beat that moved at `now`. */
  protected freed(free: number, now: number): void {
    const code = this.code;
    code.get(free).get(now);
    code.get(now).get(free).op("f64.sub").f64(1).op("f64.lt").op("select");
    this.constant("beatClocks").op("f64.add").set(free);
  }

  protected field(field: keyof typeof pace): Code {
    return this.code.get(this.record).mem("i32.load", pace[field]);
  }

  protected perBurst(): Code {
    return this.field("beatsPerBurst");
  }

  /** Clocks of a beat, or after a burst. */
  protected constant(field: "beatClocks" | "gap"): Code {
    return this.code.get(this.record).mem("f64.load", pace[field]);
  }

  protected answer(index: number): void {
    this.field("answers").get(index).i32(3).op("i32.shl").op("i32.add").mem("f64.load");
  }

  /** Raise the clock to the value on the stack. */
  #raise(): void {
    const code = this.code;
    const other = code.temp("i32");
    code.tee(other).get(this.time).get(other).get(this.time).op("i32.gt_s").op("select").set(this.time);
    code.free("i32", other);
  }

  /** Leave if the number on the stack is not below that of `there`. */
  #waitUnless(there: () => void, wait: () => void): void {
    const code = this.code;
    there();
    code.op("i32.ge_s").if();
    code.get(this.record).i32(1).mem("i32.store", pace.waits);
    wait();
    code.end();
  }

  /** A source asks for bursts as far ahead as it may. */
  #askAhead(): void {
    const code = this.code;
    const { burst, bound } = this.state;
    const until = code.local("i32");
    code.get(burst);
    this.field("outstanding").op("i32.add").tee(until).get(bound);
    code.get(until).get(bound).op("i32.lt_s").op("select").set(until);
    const loop = code.loop();
    this.field("asked").get(until).op("i32.lt_s").if();
    this.#ask(0);
    code.br(loop);
    code.end();
    code.end();
  }

  #ask(later: number): void {
    const code = this.code;
    this.field("asks");
    this.field("asked").i32(3).op("i32.shl").op("i32.add").get(this.time).i32(later).op("i32.add");
    code.op("f64.convert_i32_s").mem("f64.store");
    code.get(this.record);
    this.field("asked").i32(1).op("i32.add").mem("i32.store", pace.asked);
    this.#open(later);
  }

  /** The first open question is a poll: nobody may decide anything of a later clock before it. */
  #open(later: number): void {
    const code = this.code;
    code.loadAt(this.#question).i32(NEVER).op("i32.eq").if();
    code.storeAt(this.#question, () => code.get(this.time).i32(later).op("i32.add"));
    code.end();
  }
}
