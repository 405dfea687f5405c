/** Combinational loops that the fast engine does at once: a lane that is picked, banks read together, moves written out, sums. */
import type { Loop, Stmt } from "../../hw/ir/ir.js";
import { bankLoop, emitGroupRead, movingLoop, pickLoop, readingLoop, readsTogether } from "./bank-code.js";
import { gatherLoop } from "./gather-loop.js";
import { PlainStatements } from "./plain-statements.js";
import { rules } from "./rules.js";
import { emitSimdLeaf } from "./simd.js";
import type { Label } from "./wasm.js";

export abstract class ShortLoops extends PlainStatements {
  /** Statements without suspension points. */
  abstract emitBody(stmts: readonly Stmt[]): void;

  /** In a combinational loop over banks: do what it does at once, if nothing is amiss, and leave it. */
  protected shortWay(loop: Loop, out: Label): void {
    const { code } = this;
    const [pick, banks, moving] = [pickLoop(loop), bankLoop(loop), movingLoop(loop)];
    const adding = this.plan.sums.loop(loop);
    const gathering = gatherLoop(loop);
    const reading = banks ? undefined : readingLoop(loop);
    const writtenOut = moving ?? reading;
    const counted = adding ?? pick ?? banks ?? gathering ?? writtenOut;
    const counter = counted && this.bindings.get(counted.counter);
    if (!counter || "place" in counter) return;
    const group = banks && this.portGroup(banks.read.port.parts);
    code.get(counter.local).op("i32.eqz");
    const constant = pick && this.exprs.constant(pick.picked);
    if (adding) {
      code.if();
      if (this.plan.sums.emitLoop(this.exprs, adding)) code.i32(adding.trips).set(counter.local).br(out);
      code.end();
    } else if (gathering) {
      const [to, ...more] = this.exprs.resolvePlace(gathering.target, []) ?? [];
      code.if();
      if (to && more.length === 0 && emitSimdLeaf(this.exprs, to, gathering.value))
        code.i32(gathering.trips).set(counter.local).br(out);
      code.end();
    } else if (writtenOut) {
      code.if();
      for (let lane = reading ? rules.round.readLane : 0; lane < writtenOut.trips; lane++)
        this.exprs.withLane(writtenOut.counter, { lane }, () => this.emitBody(writtenOut.body));
      code.i32(writtenOut.trips).set(counter.local).br(out).end();
    } else if (pick && constant !== undefined) {
      code.if();
      if (constant >= 0 && constant < pick.trips)
        this.exprs.withLane(pick.counter, { lane: constant }, () => this.emitBody(pick.then));
      code.i32(pick.trips).set(counter.local).br(out).end();
    } else if (pick) {
      const picked = this.value(pick.picked);
      code.if();
      code.get(picked).i32(pick.trips).op("i32.lt_u").if();
      code.get(picked).set(counter.local);
      this.emitBody(pick.then);
      code.end();
      code.i32(pick.trips).set(counter.local).br(out).end();
    } else if (banks && group && group.ports.length === banks.trips && readsTogether(this, group)) {
      if (banks.used) {
        this.exprs.emit32(banks.used);
        code.i32(banks.trips).op("i32.ge_s").op("i32.and");
      }
      code.if();
      const done = code.local("i32");
      emitGroupRead(this, group, this.value(banks.read.address), done);
      code.get(done).if();
      code.i32(banks.trips).set(counter.local).br(out);
      code.end().end();
    } else code.op("drop");
  }
}
