/** The outside of a design in the fast engine: sources that push tokens from a buffer, and sinks that fill one. */
import { emitPop, emitPush, emitPushSlot, type Actor, type Globals } from "./channel-code.js";
import { placeAt, emitCopy } from "./place.js";
import { frame, type ChannelPlan, type Plan } from "./plan.js";
import { Code } from "./wasm.js";

/**
 * A source or sink: for each of `count` tokens, wait as many clocks as the gap says, then push or pop. Tokens stand in the
 * buffer in the layout of the channel's type; `times` takes the clocks in which they moved, and is 0 if nobody asks;
 * `gaps` is 0 if there are none.
 */
export function environmentCode(plan: Plan, globals: Globals, channel: ChannelPlan, source: boolean): Code {
  const code = new Code();
  const actor = source ? channel.producer : channel.consumer;
  const at = plan.frames[actor]!;
  const buffer = plan.environments.get(channel.channel)!;
  const [time, resume] = [code.local("i32"), code.local("i32")];
  const [i, token] = [code.local("i32"), code.local("i32")];
  const save = (state: number): void => {
    code.storeAt(at + frame.time, () => code.get(time));
    code.storeAt(at + frame.resume, () => code.i32(state));
    code.storeAt(buffer.done, () => code.get(i));
    code.op("return");
  };
  const self: Actor = { code, plan, globals, actor, time, polls: false, suspend: () => save(1) };
  code
    .loadAt(at + frame.time)
    .set(time)
    .loadAt(at + frame.resume)
    .set(resume)
    .loadAt(buffer.done)
    .set(i);
  const next = code.loop();
  const operation = code.block();
  const start = code.block();
  code.get(resume).op("i32.eqz").brIf(start);
  code.get(resume).i32(1).op("i32.eq").brIf(operation);
  code.end();
  code.get(i).loadAt(buffer.count).op("i32.ge_s").if();
  code.i32(0).set(resume);
  save(0);
  code.end();
  code.loadAt(buffer.gaps).if();
  code.get(time).get(i).i32(2).op("i32.shl").loadAt(buffer.gaps).op("i32.add").mem("i32.load").op("i32.add").set(time);
  code.get(time).globalGet(globals.horizon).op("i32.ge_s").if();
  save(1);
  code.end();
  code.end();
  code.end();
  code.i32(0).set(resume);
  // Back from a wait beyond the horizon of an earlier run.
  code.get(time).globalGet(globals.horizon).op("i32.ge_s").if();
  save(1);
  code.end();
  code.get(i).i32(channel.layout.bytes).op("i32.mul").loadAt(buffer.tokens).op("i32.add").set(token);
  const place = placeAt(channel.layout, 0, token);
  if (source) {
    emitCopy(code, placeAt(channel.layout, 0, emitPushSlot(code, channel)), place);
    emitPush(self, channel, 1);
  } else emitPop(self, channel, 1, (address) => emitCopy(code, place, placeAt(channel.layout, 0, address)));
  code.loadAt(buffer.times).if();
  code.get(i).i32(2).op("i32.shl").loadAt(buffer.times).op("i32.add").get(time).mem("i32.store");
  code.end();
  code.get(i).i32(1).op("i32.add").set(i).br(next);
  code.end();
  return code;
}
