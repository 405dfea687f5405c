/** A process as a Wasm function of its own, which does what follows it (followers.ts) in place. */
import type { Expr, Loop } from "../../hw/ir/ir.js";
import { emitPush, emitPushSlot, type Globals } from "./channel-code.js";
import type { Pushing } from "./chain-code.js";
import { Takers, type ChainContext } from "./takers.js";
import type { Link } from "./followers.js";
import type { GridCode } from "./grid-code.js";
import type { Passings } from "./passing.js";
import { placeAt } from "./place.js";
import type { ChannelPlan, Plan } from "./plan.js";
import { StatementCompiler } from "./process.js";
import type { ClusterState } from "./rounds-code.js";
import { Code } from "./wasm.js";

export class ProcessCompiler extends StatementCompiler {
  override readonly news: number;
  override readonly horizon: number;
  readonly #grids: readonly GridCode[];
  #takers: Takers | undefined;
  #passings: Passings | undefined;

  constructor(
    plan: Plan,
    globals: Globals,
    actor: number,
    grids: readonly GridCode[],
    parks: ReadonlyMap<Loop, ClusterState>,
    news: number | undefined,
  ) {
    super(plan, globals, actor, grids, plan.ir.processes[actor]!, new Code(), parks);
    [this.news, this.horizon] = [news ?? plan.heap.take(4), this.code.local("i32")];
    this.code.globalGet(globals.horizon).set(this.horizon);
    this.#grids = grids;
  }

  /** In front of `compile`: who takes tokens in this function. Their own functions have been compiled. */
  follow(
    links: readonly Link[],
    shared: Pick<ChainContext, keyof Pushing | "compiled" | "within" | "actorType">,
  ): void {
    this.#passings = shared.passings;
    if (links.length === 0) return;
    const { plan, globals, code, horizon } = this;
    this.#takers = new Takers({ plan, globals, grids: this.#grids, code, horizon, ...shared }, links);
  }

  /** A token that nobody takes here may be taken elsewhere; there it is seen in the rings. */
  protected override putToken(channel: ChannelPlan, value: Expr): void {
    if (!this.#takers?.takes(channel)) this.#passings?.emitAlone(this.code, channel);
    super.putToken(channel, value);
  }

  protected override pushInto(channel: ChannelPlan, id: number): void {
    if (this.#takers?.takes(channel)) {
      const token = placeAt(channel.layout, 0, emitPushSlot(this.code, channel));
      this.#takers.emitPush(this, channel, token, true, id);
    } else emitPush(this, channel, id);
  }

  protected override leaving(): void {
    this.#takers?.emitLeave();
  }
}
