/**
 * The rows of a tile leave a grid together, where the last wave lets all of them: what is asked for each row that leaves (grid-code.ts) is
 * asked once, for the first or the last of them, as their clocks follow each other.
 */
import { emitPushOccupancy, emitWake, slot } from "./channel-code.js";
import type { GridCode } from "./grid-code.js";
import { emitTell, toldBytes } from "./knowledge.js";
import { placeAt, type Place } from "./place.js";
import { rules } from "./rules.js";
import type { Code } from "./wasm.js";

/**
 * The rows of all results, whose last wave was fed in the clock in `time`, are pushed at once, and the function is left, if nothing waits on its way
 * out, no row has left in their clocks, and it is known that there is room. `put` puts that of a number in a local.
 */
export function emitAllLeaving(grid: GridCode, code: Code, time: number, put: (row: number, to: Place) => void): void {
  const { state, plan, results, globals } = grid;
  const { rows, cols } = grid.cell.grid;
  const { depth } = results.channel;
  if (plan.ir.processes.some(({ polls }) => polls)) return;
  const [at, i, row, value] = [code.local("i32"), code.local("i32"), code.local("i32"), code.local("i32")];
  const earlier = (ring: number, back: number): void => {
    slot(code, results, i, back);
    code.mem("i32.load", ring).get(at).op("i32.lt_s").op("i32.and");
  };
  const leaves = (back: number): void => {
    code.loadAt(state.tail).i32(back).op("i32.sub");
    code
      .i32(grid.leaveSlots - 1)
      .op("i32.and")
      .i32(2)
      .op("i32.shl");
  };
  // The clock in which the first is pushed; the others follow, one a clock.
  code
    .get(time)
    .i32(rules.ring.leave + cols)
    .op("i32.add")
    .set(at);
  code.loadAt(state.tail).loadAt(state.head).op("i32.eq");
  code
    .get(at)
    .i32(rows - 1)
    .op("i32.add");
  if (rules.round.leaveFar !== 0) code.i32(rules.round.leaveFar).op("i32.sub");
  code.globalGet(globals!.horizon).op("i32.lt_s").op("i32.and");
  code.loadAt(results.pushed).tee(i).loadAt(results.popped).op("i32.sub");
  code
    .i32(depth - rows)
    .op("i32.le_s")
    .op("i32.and");
  earlier(results.popTimes, depth - (rows - 1));
  earlier(results.pushTimes, 1);
  leaves(1);
  code.mem("i32.load", state.leaveTimes).get(at).op("i32.lt_s");
  code.loadAt(state.tail).op("i32.eqz").op("i32.or").op("i32.and").if();
  code.i32(0).set(row);
  const again = code.loop();
  code
    .get(at)
    .i32(cols)
    .op("i32.sub")
    .tee(value)
    .i32(grid.usedSlots - 1)
    .op("i32.and");
  code.i32(2).op("i32.shl").get(value).mem("i32.store", grid.used);
  slot(code, results, i, 0);
  code.get(at).mem("i32.store", results.pushTimes);
  const to = (bytes: number): void => {
    code.get(i).i32(results.slots - 1);
    code.op("i32.and").i32(bytes).op("i32.mul").set(value);
  };
  to(toldBytes(results.told));
  emitTell(code, results.told, [value, results.knowledge], plan.known[grid.actor]!);
  to(grid.emitted.bytes);
  put(row, placeAt(grid.emitted, results.values, value));
  emitPushOccupancy(code, results, i, at);
  code.get(i).i32(1).op("i32.add").set(i).get(at).i32(1).op("i32.add").set(at);
  code.get(row).i32(1).op("i32.add").tee(row).i32(rows).op("i32.lt_s").brIf(again).end();
  code.storeAt(results.pushed, () => code.get(i));
  for (const count of [state.tail, state.head]) code.storeAt(count, () => code.loadAt(count).i32(rows).op("i32.add"));
  leaves(1);
  code.get(at).i32(1).op("i32.sub").mem("i32.store", state.leaveTimes);
  const actor = {
    ...{ code, plan, globals: globals!, actor: grid.actor },
    ...{ time: at, polls: false, suspend: () => undefined },
  };
  if (results.consumer >= 0) emitWake(actor, results.popWaits, results.consumer);
  code.op("return").end();
}
