/** Whoever takes what a function pushes: processes that follow (follower.ts), alone or in step, and sinks. */
import type { Actor, Globals } from "./channel-code.js";
import { emitPushTo, type Pushing, type Taker } from "./chain-code.js";
import { Follower } from "./follower.js";
import type { Link } from "./followers.js";
import type { GridCode } from "./grid-code.js";
import { learningCode, type Stages } from "./in-step-code.js";
import type { Place } from "./place.js";
import type { ChannelPlan, Plan } from "./plan.js";
import type { ProcessCompiler } from "./process-compiler.js";
import { SinkTaker } from "./sink.js";
import type { Code } from "./wasm.js";

/** What the takers of one function have in common. */
export interface ChainContext extends Pushing {
  readonly plan: Plan;
  readonly globals: Globals;
  readonly grids: readonly GridCode[];
  readonly code: Code;
  /** `Actor.horizon` of all that push in this function. */
  readonly horizon: number;
  readonly compiled: (actor: number) => ProcessCompiler;
  /** Who may be at work in the function of a process, other than that one. */
  readonly within: (actor: number) => ReadonlySet<number>;
  /** Of the functions of processes; their numbers in the table are those of the processes. */
  readonly actorType: number;
}

/** The takers of what an actor pushes, by channel, and all behind them. */
export class Takers {
  /** Outer outputs among them. */
  readonly #sinks: readonly SinkTaker[];
  readonly #context: ChainContext;
  readonly #direct: ReadonlyMap<ChannelPlan, Taker>;

  constructor(context: ChainContext, links: readonly Link[]) {
    this.#context = context;
    const sinks: SinkTaker[] = [];
    this.#direct = new Map<ChannelPlan, Taker>(
      links.map((link) => {
        const channel = context.plan.channels.get(link.channel)!;
        if (!link.follower) {
          const sink = new SinkTaker(context, channel);
          sinks.push(sink);
          return [channel, sink];
        }
        const next = new Takers(context, link.next);
        sinks.push(...next.#sinks);
        return [channel, new Follower(context, link.follower, channel, next)];
      }),
    );
    this.#sinks = sinks;
  }

  takes(channel: ChannelPlan): boolean {
    return this.#direct.has(channel);
  }
  /** Push a token (chain-code.ts). */
  emitPush(actor: Actor, channel: ChannelPlan, token: Place, inSlot: boolean, id: number): void {
    emitPushTo(actor, this.#direct.get(channel)!, this.#context, token, inSlot, id, this.#inStep(actor, channel));
  }

  /** Those in step from this channel on, if all of them are taken along here. */
  #inStep(actor: Actor, first: ChannelPlan): Stages | undefined {
    const { plan, steps, learning } = this.#context;
    const inStep = steps.from(first.channel);
    if (!inStep) return undefined;
    const stages: Follower[] = [];
    for (const key of inStep.channels) {
      const takers: Takers = stages.at(-1)?.takers ?? this;
      const taker = takers.#direct.get(plan.channels.get(key)!);
      if (!(taker instanceof Follower)) return undefined;
      stages.push(taker);
    }
    return { inStep, stages, learning: learning(first, () => learningCode(plan, actor, stages)) };
  }

  /** The function is left, or another is called. All but the outside have their variables in memory anyway. */
  emitLeave(): void {
    for (const sink of this.#sinks) sink.emitApart();
  }
}
