/** Rounds (rounds-code.ts) of the source of an outer input with whoever takes its tokens, as one Wasm function. */
import type { Channel } from "../../hw/channel.js";
import { resume } from "./environment-code.js";
import { pace } from "./pace-code.js";
import { frame } from "./plan.js";
import { exitOf } from "./pass-reader.js";
import { Ranges } from "./ranges.js";
import { RoundChannel } from "./round-channel.js";
import { RoundSource } from "./round-source.js";
import {
  clocksOf,
  emitEnqueue,
  emitPatience,
  emitRounds,
  member,
  type ClusterState,
  type Surroundings,
} from "./rounds-code.js";
import type { Intake, Pass } from "./rounds.js";
import { Code } from "./wasm.js";

/** Rounds of the source of an outer input with whoever takes its tokens. */
export function intakeCode(around: Surroundings, { channel, passes }: Intake, state: ClusterState): Code {
  const { plan } = around;
  const code = new Code();
  const [rounds, full] = [code.local("i32"), code.local("i32")];
  code.storeAt(state.parked, () => code.i32(0));
  const ended = code.local("i32");
  for (const pass of passes) {
    // The last pass of its loop is a round too; it goes on behind it.
    const over = code.local("i32");
    const last = endsInRounds(pass);
    const between = new RoundChannel(code, plan, plan.channels.get(channel)!, [pass]);
    const source = new RoundSource(code, plan, between, tokensOf(pass));
    const guards = pass.guards.filter((guard) => !pass.follows.includes(guard));
    const own = last ? { ...pass, guards, around: pass.wayBehind } : pass;
    const taker = member(around, own, code, new Map([[channel, between]]), last, () => undefined, source);
    if (last) taker.over = over;
    const sides = [source, taker];
    const ranges = Ranges.of(plan, pass, code, { between, source, taker });
    emitRounds(around, {
      code,
      rounds,
      full,
      state,
      channels: [{ state: between, producer: 0, consumer: 0 }],
      standing: [pass],
      clocks: 2 * clocksOf([pass]),
      sides,
      turns: [
        {
          leaps: taker.leaps,
          settle: (passes) => taker.emitSettle(passes),
          ready: (limit, leap) => {
            source.emitHas();
            taker.emitReady(limit, leap);
            code.op("i32.and");
          },
          asBefore: () => {
            taker.emitAsBefore();
            source.emitAsBefore();
            code.op("i32.and");
          },
          pass: (leap) => {
            taker.emitPass(full, leap);
            if (last) taker.emitOver(over);
          },
          many: ranges && ((most, did, period) => ranges.emitLeap(most, did, period)),
        },
      ],
      ...(last ? { over } : {}),
      last: ranges && (() => ranges.emitPromise(over)),
      others: ranges && ((limit, count) => ranges.emitFlow(limit, count)),
    });
    if (!last) continue;
    code.get(over).if();
    const behind = around.compilers[pass.actor]!.behind(pass.loop);
    code.storeAt(plan.frames[pass.actor]! + frame.resume, () => code.i32(behind));
    code.storeAt(plan.channels.get(channel)!.popWaits, () => code.i32(0));
    emitEnqueue(code, around, pass.actor);
    code.i32(1).set(ended).end();
  }
  emitPatience(code, state, rounds);
  emitWaits(code, around, channel).op("i32.eqz").if();
  // A source stands in front of its next token, not behind the place where it parks; if a loop has ended, it can park there again.
  code.loadAt(state.alone).get(ended).op("i32.or").op("i32.eqz").if();
  code.storeAt(state.alone, () => code.i32(1));
  code.end();
  emitEnqueue(code, around, plan.channels.get(channel)!.producer);
  code.end();
  return code;
}

/** A source that waited for an answer and has it parks, as its own code would; nonzero on the stack if so. */
export function emitParksAgain(
  { code, plan, globals }: Pick<Surroundings, "plan" | "globals"> & { readonly code: Code },
  channel: Channel,
  { alone, parked }: ClusterState,
): void {
  const { pace: record, gaps } = plan.environments.get(channel)!;
  const at = plan.frames[plan.channels.get(channel)!.producer]!;
  const parks = code.temp("i32");
  const field = (name: "begun" | "burst" | "answered"): Code => code.loadAt(record).mem("i32.load", pace[name]);
  field("begun");
  field("burst");
  field("answered").op("i32.lt_s").op("i32.and");
  code
    .loadAt(at + frame.resume)
    .i32(resume.pace)
    .op("i32.eq")
    .op("i32.and");
  code
    .loadAt(at + frame.time)
    .globalGet(globals.horizon)
    .op("i32.lt_s")
    .op("i32.and");
  code.loadAt(gaps).loadAt(alone).op("i32.or").op("i32.eqz").op("i32.and").tee(parks).if();
  code.storeAt(parked, () => code.i32(1));
  code.storeAt(at + frame.resume, () => code.i32(resume.next));
  code.end();
  code.get(parks);
  code.free("i32", parks);
}

/** The loop's last pass can be done in rounds. */
export const endsInRounds = ({ loop }: Pass): boolean => exitOf(loop) === undefined;

/** A source whose next token needs an answer of the board waits for it, as its own code would; nonzero on the stack if so. */
function emitWaits(code: Code, { plan, globals }: Surroundings, channel: Channel): Code {
  const { pace: record, gaps, done, count } = plan.environments.get(channel)!;
  const { producer } = plan.channels.get(channel)!;
  const at = code.local("i32");
  const field = (name: "begun" | "burst" | "answered"): Code => code.get(at).mem("i32.load", pace[name]);
  code.loadAt(record).tee(at).if("i32");
  field("begun");
  field("burst");
  field("answered").op("i32.ge_s").op("i32.and");
  code.loadAt(done).loadAt(count).op("i32.lt_s").op("i32.and");
  code.loadAt(gaps).op("i32.eqz").op("i32.and");
  code
    .loadAt(plan.frames[producer]! + frame.time)
    .globalGet(globals.horizon)
    .op("i32.lt_s")
    .op("i32.and");
  code.else().i32(0).end();
  const waits = code.local("i32");
  code.tee(waits).if();
  code.get(at).i32(1).mem("i32.store", pace.waits);
  code.storeAt(plan.frames[producer]! + frame.resume, () => code.i32(resume.pace));
  code.end();
  return code.get(waits);
}

/** Tokens that a pass of an intake pops. */
export const tokensOf = ({ steps }: Pass): number => steps.filter(({ kind }) => kind === "pop").length;
