/**
 * An intake's passes by the range (range-match.ts): how many can be done at once, their times, what they do with their tokens. Times go
 * first. In a leap (leap.ts) they are a series. At a board's pace tokens *flow*, if the channel makes nobody wait: each is pushed when its
 * beat is there and popped a clock later. That stays so, whatever comes late: who waits for a later push cannot be later
 * still, and a slot or a lane is only free for longer.
 */
import { rangeOf, type StepOf } from "./range-match.js";
import { RangeCode } from "./range-code.js";
import type { Range } from "./range-facts.js";
import type { MemberCode } from "./member-code.js";
import type { Plan } from "./plan.js";
import type { RelayCode } from "./relay-code.js";
import type { RoundChannel } from "./round-channel.js";
import type { RoundSource } from "./round-source.js";
import type { Pass } from "./rounds.js";
import { variablesOf } from "./rounds-code.js";
import { rules } from "./rules.js";
import type { Code } from "./wasm.js";

interface Parts {
  /** The channel into which the source pushes. */
  readonly between: RoundChannel;
  readonly source: RoundSource;
  readonly taker: MemberCode;
  /** It stands between that channel and the taker. */
  readonly relay: RelayCode | undefined;
  /** If the last pass of a loop is a round too: a local that is 1 if no other pass follows, and how to find out behind a pass. */
  readonly ends: { readonly over: number; emitOver(): void } | undefined;
}

/** Clocks from a relay's pop to its next, and from a push to its pop where tokens flow. */
const RELAY_CLOCKS = 1;
const FLOW_STAY = 1;

export class Ranges {
  readonly #code: Code;
  readonly #parts: Parts;
  /** A step is a pass, or a word of several; or, if it is there, a whole inner loop. */
  readonly #single: RangeCode;
  readonly #whole: RangeCode | undefined;
  /** Locals: steps, whether they are whole ones, tokens, the first of them, clocks from push to pop. */
  readonly #steps: number;
  readonly #large: number;
  readonly #tokens: number;
  readonly #first: number;
  readonly #stay: number;
  /** Room for the clocks that are asked for in a leap; they are written four at once. */
  readonly #times: number;

  private constructor(plan: Plan, code: Code, parts: Parts, single: RangeCode, whole: RangeCode | undefined) {
    this.#code = code;
    this.#parts = parts;
    this.#single = single;
    this.#whole = whole;
    const local = (): number => code.local("i32");
    [this.#steps, this.#large, this.#tokens, this.#first, this.#stay] = [local(), local(), local(), local(), local()];
    this.#times = plan.heap.take(this.#asked(false) * 4 + 2 * 16);
  }

  /** Undefined if a pass is no range. */
  static of(plan: Plan, pass: Pass, code: Code, parts: Parts): Ranges | undefined {
    const { channel } = parts.between;
    if (channel.told.length > 0 || parts.relay?.through.tellsOwn === true) return undefined;
    const { declared } = variablesOf(pass);
    const range = (stepOf: StepOf): Range | undefined =>
      rangeOf(pass, stepOf, channel.layout, (port) => plan.ports.get(port)!, declared);
    const one = range("pass");
    const [single, whole] = [one ?? range("word"), one && range("loop")].map(
      (range) => range && new RangeCode(code, range, parts.taker, parts.source),
    );
    return single && new Ranges(plan, code, parts, single, whole);
  }

  /** In a leap of `period` clocks a round: `most` tokens at most, `did` becomes how many. All are locals. */
  emitLeap(most: number, did: number, period: number): void {
    const code = this.#code;
    const { between, source, taker, relay } = this.#parts;
    code.i32(0).set(did);
    source.emitIsPaced();
    code.op("i32.eqz").if();
    const left = code.temp("i32");
    source.emitLeft();
    code.tee(left).get(most).get(left).get(most).op("i32.lt_s").op("select").set(most);
    code.free("i32", left);
    this.#chooseClear(most);
    code.get(this.#tokens).tee(did).if();
    code.get(source.next).set(this.#first).get(between.stayed);
    if (relay) code.get(relay.through.waitOf("push", 0)).op("i32.add").get(relay.through.stayed).op("i32.add");
    if (relay && rules.round.relayStay !== 0) code.i32(rules.round.relayStay).op("i32.add");
    code.set(this.#stay);
    source.emitAgain(did, period, this.#asked(false), this.#times);
    for (const { time } of relay ? [relay.member, taker] : [taker])
      code.get(time).get(did).get(period).op("i32.mul").op("i32.add").set(time);
    this.#move();
    code.end().end();
  }

  /** As `#choose`, and a relay does not end among them. */
  #chooseClear(most: number): void {
    const code = this.#code;
    const { relay, source } = this.#parts;
    this.#choose(most);
    if (!relay) return;
    code.get(this.#tokens).set(most);
    relay.emitClear(source.next, most);
    code.get(most).get(this.#tokens).op("i32.lt_s").if();
    this.#choose(most);
    code.end();
  }

  /** The first clock at which the source pushes so that all flows (`RoundChannel.emitFlows`), on the stack. */
  #emitLeast(): void {
    const code = this.#code;
    const { between, source, taker, relay } = this.#parts;
    const { clocks } = this.#single.range;
    if (!relay) {
      between.emitFlows(source.time, taker.time, clocks, source.apart(clocks));
      return;
    }
    const [one, other] = [code.temp("i32"), code.temp("i32")];
    between.emitFlows(source.time, relay.member.time, RELAY_CLOCKS, source.apart(RELAY_CLOCKS));
    code.set(one);
    relay.through.emitFlows(undefined, taker.time, clocks, 1);
    code.i32(FLOW_STAY).op("i32.sub").tee(other);
    code.get(one).get(other).get(one).op("i32.gt_s").op("select");
    code.free("i32", one, other);
  }

  /** Tokens can flow: a relay does so only if neither it nor who takes its tokens makes one wait. */
  get #flows(): boolean {
    const { between, relay } = this.#parts;
    if (!relay) return true;
    const deep = [between, relay.through].every(({ channel: { channel } }) => channel.depth > 1);
    return deep && this.#single.range.clocks === 1;
  }

  /** Of how many of the last tokens the times are asked for; `both`: there may be single steps behind whole ones. */
  #asked(both: boolean): number {
    const { between, relay } = this.#parts;
    const channels = relay ? [between, relay.through] : [between];
    const kept = channels.flatMap(({ channel: { channel } }) => [channel.depth, channel.lanes]);
    const [single, whole] = [this.#single.timesAsked, this.#whole?.timesAsked ?? 0];
    return both ? Math.max(...kept, single + whole) : Math.max(single, whole);
  }

  /** At a board's pace: all that can flow before the clock in `limit`; nonzero on the stack if it was any. */
  emitFlow(limit: number, count: (done: number) => void): void {
    const code = this.#code;
    const { between, source, taker, relay } = this.#parts;
    const { clocks } = this.#single.range;
    if (!this.#flows) {
      code.i32(0);
      return;
    }
    const [all, most, moved] = [code.local("i32"), code.local("i32"), code.local("i32")];
    const [least, before, end] = [code.local("i32"), code.local("i32"), code.local("i32")];
    code.i32(0).set(all);
    source.emitIsPaced();
    code.if();
    const out = code.block();
    // With a relay, who takes its tokens is further on.
    const until = relay ? code.local("i32") : limit;
    if (relay) {
      code
        .get(limit)
        .i32(FLOW_STAY + clocks)
        .op("i32.sub")
        .tee(until);
      code.get(taker.time).op("i32.le_s").brIf(out);
    }
    this.#emitLeast();
    code.set(least);
    const loop = code.loop();
    source.emitLeft();
    code.set(most);
    this.#chooseClear(most);
    code.get(this.#tokens).tee(most).op("i32.eqz").brIf(out);
    code.get(all).op("i32.eqz").if();
    (this.#whole ?? this.#single).emitWasWritten(taker.time);
    code.brIf(out);
    code.end();
    const stay = relay ? 2 * FLOW_STAY + rules.round.relayStay : FLOW_STAY;
    const { time, takes } = relay
      ? { time: relay.member.time, takes: RELAY_CLOCKS }
      : { time: taker.time, takes: clocks };
    code.get(source.next).set(this.#first).i32(stay).set(this.#stay).get(time).set(before);
    source.emitFlow({ most, moved, limit: until, least, taker: time, clocks: takes, asked: this.#asked(true) });
    code.get(moved).tee(this.#tokens).op("i32.eqz").brIf(out);
    code.get(source.next).i32(2).op("i32.shl").get(source.times).op("i32.add").set(end);
    between.emitFlowed(moved, end, before, takes);
    if (relay) {
      relay.through.emitFlowed(moved, end, taker.time, clocks, FLOW_STAY);
      code.get(time).i32(clocks).op("i32.add").set(taker.time);
    }
    code.get(all).get(moved).op("i32.add").set(all);
    this.#move();
    if (this.#parts.ends) code.get(this.#parts.ends.over).brIf(out);
    code.br(loop);
    code.end();
    code.end();
    count(all);
    code.end();
    code.get(all);
  }

  /**
   * At a board's pace: promise how many of the tokens that have no answer yet will flow, so that the arbiter can go on with them alone
   * (flow-code.ts). None are where the loop is over (a local).
   */
  emitPromise(over: number): void {
    const code = this.#code;
    const { source, relay } = this.#parts;
    const { clocks } = this.#single.range;
    if (source.apart(clocks) !== 1 || !this.#flows) return;
    const [flow, least] = [code.local("i32"), code.local("i32")];
    source.emitIsPaced();
    code.if();
    source.emitLeft();
    code.i32(1).op("i32.lt_s").get(over).op("i32.eqz").op("i32.and").if();
    code.i32(0).set(flow);
    if (this.#whole) {
      this.#whole.emitTaken();
      code.set(flow);
    }
    code.get(flow).op("i32.eqz").if();
    this.#single.emitTaken();
    code.set(flow).end();
    relay?.emitClear(source.next, flow);
    this.#emitLeast();
    code.set(least);
    source.emitPromise(flow, least);
    code.end().end();
  }

  /** How many tokens can be done at once, `most` (a local) at most, and how. */
  #choose(most: number): void {
    const code = this.#code;
    const stepsOf = (tokens: number): void => {
      code.get(most);
      if (tokens > 1) code.i32(0).get(most).i32(0).op("i32.gt_s").op("select").i32(tokens).op("i32.div_u");
      code.set(this.#steps);
    };
    const single = (): void => {
      code.i32(0).set(this.#large);
      stepsOf(this.#single.range.tokens);
      this.#single.emitSteps(this.#steps, this.#parts.ends !== undefined);
      code.get(this.#steps).i32(this.#single.range.tokens).op("i32.mul").set(this.#tokens);
    };
    if (!this.#whole) {
      single();
      return;
    }
    const { tokens } = this.#whole.range;
    stepsOf(tokens);
    code.get(this.#steps).if();
    this.#whole.emitSteps(this.#steps, false);
    code.end();
    code.get(this.#steps).i32(0).op("i32.gt_s").if();
    code.i32(1).set(this.#large).get(this.#steps).i32(tokens).op("i32.mul").set(this.#tokens);
    code.else();
    single();
    code.end();
  }

  /** Do what the passes do with `tokens` tokens from `first` on, which may be fewer than chosen. */
  #move(): void {
    const code = this.#code;
    this.#parts.relay?.emitBehind();
    if (this.#whole) {
      const { tokens } = this.#whole.range;
      code.get(this.#large).if();
      code.get(this.#tokens).i32(tokens).op("i32.div_u").tee(this.#steps).if();
      this.#whole.emitMove(this.#steps, this.#first, this.#stay);
      code.end();
      code.get(this.#steps).i32(tokens).op("i32.mul").tee(this.#steps);
      code.get(this.#first).op("i32.add").set(this.#first);
      code.get(this.#tokens).get(this.#steps).op("i32.sub").tee(this.#tokens).if();
      this.#single.emitAddresses();
      code.end().end();
    }
    code.get(this.#tokens).if();
    if (this.#single.range.perWord > 1) this.#moveWords();
    else this.#single.emitMove(this.#tokens, this.#first, this.#stay);
    if (rules.round.rangeOver === 0) this.#parts.ends?.emitOver();
    code.end();
  }

  /** Whole words; the tokens behind them that do not make one go where their passes put them, without the last. */
  #moveWords(): void {
    const code = this.#code;
    const { taker, ends, source } = this.#parts;
    const { perWord } = this.#single.range;
    const left = code.temp("i32");
    code.get(this.#tokens).i32(perWord).op("i32.div_u").tee(this.#steps).if();
    this.#single.emitMove(this.#steps, this.#first, this.#stay);
    code.get(this.#steps).i32(perWord).op("i32.mul").tee(this.#steps);
    code.get(this.#first).op("i32.add").set(this.#first);
    code.get(this.#tokens).get(this.#steps).op("i32.ne").if();
    ends?.emitOver();
    code.end().end();
    code.get(this.#tokens).get(this.#steps).op("i32.sub").tee(left).if();
    const loop = code.loop();
    if (rules.round.rangePart === 0) taker.emitTaken(source.tokenAt(this.#first));
    code.get(this.#first).i32(1).op("i32.add").set(this.#first);
    code.get(left).i32(1).op("i32.sub").tee(left).brIf(loop);
    code.end().end();
    code.free("i32", left);
  }
}
