/** The outside of a design in the fast engine: sources that push tokens from a buffer, and sinks that fill one. */
import { emitPop, emitPush, emitPushSlot, type Actor, type Globals } from "./channel-code.js";
import { PaceCode } from "./pace-code.js";
import { emitCopy, inColumns, placeAt } from "./place.js";
import type { ClusterState } from "./rounds-code.js";
import { frame } from "./frame.js";
import type { ChannelPlan, Environment, Plan } from "./plan.js";
import { Code } from "./wasm.js";

/** Where a source or sink goes on: with the next token, at the channel, or with the pace of the next token. */
export const resume = { next: 0, operation: 1, pace: 2 } as const;

/**
 * A source or sink: for each of `count` tokens, wait as many clocks as the gap says and as the pace of a board's DMA allows,
 * then push or pop. Tokens stand in columns, an array for each leaf of the channel's type; `times` takes the clocks in which they
 * moved; `gaps` and `pace` are 0 if there are none. With `parks` a source stops in front of a token, to be taken through many at
 * once, if it can go on by as many as `parks` says.
 */
export function environmentCode(
  plan: Plan,
  globals: Globals,
  channel: ChannelPlan,
  source: boolean,
  parks?: { readonly state: ClusterState; readonly tokens: number },
): Code {
  const code = new Code();
  const actor = source ? channel.producer : channel.consumer;
  const at = plan.frames[actor]!;
  const buffer = plan.environments.get(channel.channel)!;
  const [time, state] = [code.local("i32"), code.local("i32")];
  const i = code.local("i32");
  const columns = buffer.tokens.map((address) => {
    const column = code.local("i32");
    code.loadAt(address).set(column);
    return column;
  });
  const pace = new PaceCode(code, buffer, source, time, at + frame.pollTime);
  const leave = code.block();
  const save = (to: number): void => {
    code.i32(to).set(state).br(leave);
  };
  const horizon = (to: number): void => {
    code.get(time).globalGet(globals.horizon).op("i32.ge_s").if();
    save(to);
    code.end();
  };
  const self: Actor = { code, plan, globals, actor, time, polls: false, suspend: () => save(resume.operation) };
  code
    .loadAt(at + frame.time)
    .set(time)
    .loadAt(at + frame.resume)
    .set(state)
    .loadAt(buffer.done)
    .set(i);
  pace.load();
  const next = code.loop();
  const operation = code.block();
  const pacing = code.block();
  const start = code.block();
  code.get(state).op("i32.eqz").brIf(start);
  code.get(state).i32(resume.pace).op("i32.eq");
  // Without gaps it can as well begin anew with this token.
  if (parks) code.loadAt(buffer.gaps).i32(0).op("i32.ne").op("i32.and");
  code.brIf(pacing);
  if (parks) code.get(state).i32(resume.pace).op("i32.eq").brIf(start);
  code.br(operation);
  code.end();
  code.get(i).loadAt(buffer.count).op("i32.ge_s").if();
  save(resume.next);
  code.end();
  if (source) emitPiece(code, buffer, columns, i);
  if (parks) {
    const { alone, parked } = parks.state;
    code.loadAt(buffer.gaps).op("i32.eqz");
    code.get(time).globalGet(globals.horizon).op("i32.lt_s").op("i32.and");
    code.if();
    code.loadAt(alone).if();
    code.storeAt(alone, () => code.loadAt(alone).i32(1).op("i32.sub"));
    code.else();
    pace.emitHas(parks.tokens);
    code.if();
    code.storeAt(parked, () => code.i32(1));
    save(resume.next);
    code.end();
    code.end();
    code.end();
  }
  emitGap(code, buffer, time, i);
  code.end();
  pace.next(
    () => horizon(resume.pace),
    () => save(resume.pace),
  );
  code.end();
  code.i32(resume.next).set(state);
  // Also when it is back from a wait beyond the horizon of an earlier run.
  horizon(resume.operation);
  const place = inColumns(channel.layout, columns, i);
  if (source) {
    emitCopy(code, placeAt(channel.layout, 0, emitPushSlot(code, channel)), place);
    emitPush(self, channel, resume.operation);
  } else
    emitPop(self, channel, resume.operation, (address) => emitCopy(code, place, placeAt(channel.layout, 0, address)));
  emitTokenMoved(code, buffer, time, i);
  pace.moved();
  code.br(next);
  code.end();
  code.end();
  code.storeAt(at + frame.time, () => code.get(time));
  code.storeAt(at + frame.resume, () => code.get(state));
  code.storeAt(buffer.done, () => code.get(i));
  pace.save();
  return code;
}

/** If token `i` is the first of its piece, `columns` (locals) become those of that piece. */
function emitPiece(code: Code, { end, piece, tokens }: Environment, columns: readonly number[], i: number): void {
  code.get(i).loadAt(end).op("i32.ge_s").if();
  const row = code.local("i32");
  code.loadAt(piece).set(row);
  code.storeAt(end, () => code.get(row).mem("i32.load"));
  columns.forEach((column, leaf) => {
    code
      .get(row)
      .mem("i32.load", 4 + leaf * 4)
      .set(column);
    code.storeAt(tokens[leaf]!, () => code.get(column));
  });
  code.storeAt(piece, () =>
    code
      .get(row)
      .i32(4 + columns.length * 4)
      .op("i32.add"),
  );
  code.end();
}

/** The clock moves on by the gap before token `i`. */
export function emitGap(code: Code, { gaps }: Environment, time: number, i: number): void {
  code.loadAt(gaps).if();
  code.get(time).get(i).i32(2).op("i32.shl").loadAt(gaps).op("i32.add").mem("i32.load").op("i32.add").set(time);
  code.end();
}

/** Token `i` has moved in this clock; the next one is at hand. */
export function emitTokenMoved(code: Code, { times }: Environment, time: number, i: number): void {
  code.loadAt(times).if();
  code.get(i).i32(2).op("i32.shl").loadAt(times).op("i32.add").get(time).mem("i32.store");
  code.end();
  code.get(i).i32(1).op("i32.add").set(i);
}
