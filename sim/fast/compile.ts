/** Compiles a design to one Wasm module: a function per actor, and the scheduler that calls those that can go on. */
import { TandemError } from "../../hw/errors.js";
import type { Channel } from "../../hw/channel.js";
import type { DesignIr } from "../../hw/ir/ir.js";
import { alonePush, fullerChannel, type Pushing } from "./chain-code.js";
import type { Globals } from "./channel-code.js";
import type { ChainContext } from "./takers.js";
import { environmentCode } from "./environment-code.js";
import { GridCode } from "./grid-code.js";
import { frame } from "./frame.js";
import { StepsOf } from "./in-step.js";
import { withoutLastMove } from "./last-move.js";
import { moveUp } from "./move-up.js";
import { Plan, type ChannelPlan } from "./plan.js";
import { Chains, withoutFollowers, type Link } from "./followers.js";
import { passedChannel, Passings } from "./passing.js";
import { ProcessCompiler } from "./process-compiler.js";
import { setApart } from "./process.js";
import { emitParksAgain, endsInRounds, intakeCode, passesOf, tokensOf } from "./intake-code.js";
import { besideCode, clusterState, emitEnqueue, roundsCode, type ClusterState } from "./rounds-code.js";
import { findRounds } from "./rounds.js";
import { addRunCode } from "./run-code.js";
import { settleCode } from "./settle-code.js";
import { traceCode } from "./trace-code.js";
import { unshare } from "./unshare.js";
import { unswitch } from "./unswitch.js";
import { Code, WasmModule } from "./wasm.js";

export interface Compiled {
  readonly plan: Plan;
  readonly grids: readonly GridCode[];
  /** Address of the packed counters. */
  readonly packed: number;
  /** Processes that poll. */
  readonly polling: readonly number[];
  /** Addresses of the counts of rounds. */
  readonly rounds: readonly Pick<ClusterState, "rounds" | "leapt" | "ranged" | "repeated">[];
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly pages: number;
}

const PAGE = 65536;
const NEVER = 0x7fffffff;

/** Throws a `TandemError` where the model of a black box cannot be compiled. */
export function compile(design: DesignIr): Compiled {
  const ir = {
    ...design,
    processes: design.processes.map((process) => unswitch(unshare(withoutLastMove(moveUp(process))))),
  };
  const [opaque] = ir.opaque ?? [];
  if (opaque)
    throw new TandemError(`The fast engine cannot run ${opaque.node.path}, the model of a black box: ${opaque.why}`, {
      hint: "Write the model within the language (tandem check), or run the design with --engine kernel or rtl.",
    });
  const module = new WasmModule();
  const plan = new Plan(ir, module);
  const globals: Globals = {
    head: module.global(),
    tail: module.global(),
    horizon: module.global(),
    pollLimit: module.global(),
  };
  const type = module.type([], []);
  const grids = ir.cells.map((cell) => new GridCode(cell, plan, module));
  const polling: number[] = [];
  const { inputs, outputs } = ir.design;
  const found = findRounds(ir.processes, new Set(Object.values(inputs)));
  const clusters = withoutFollowers(found.clusters, ir.processes).map((cluster) => ({
    cluster,
    state: clusterState(plan),
  }));
  const beside = clusters.flatMap(({ cluster }) =>
    cluster.slice(1).flatMap(({ actor, loop, head }) => (head ? [] : [{ actor, loop, state: clusterState(plan) }])),
  );
  const intakes = found.intakes.map((intake) => ({ intake, state: clusterState(plan) }));
  const besides = new Map(beside.map(({ loop, state }) => [loop, state]));
  const parks = new Map([...clusters.map(({ cluster, state }) => [cluster[0]!.loop, state] as const), ...besides]);
  const apart = [...clusters.flatMap(({ cluster }) => cluster), ...intakes.flatMap(({ intake }) => passesOf(intake))];
  const chains = new Chains(ir.processes, new Set(Object.values(outputs)), new Set(apart.map(({ actor }) => actor)));
  const steps = new StepsOf(plan, chains.followers);
  const compilers = ir.processes.map(
    (_, actor) => new ProcessCompiler(plan, globals, actor, grids, parks, steps.newsOf(actor)),
  );
  setApart(intakes.flatMap(({ intake }) => passesOf(intake).filter(endsInRounds)).map(({ loop }) => loop));
  const passings = new Passings(plan, chains, steps, (passing) =>
    module.add(`${passing.channel.channel.path} passed`, passedChannel(passing)),
  );
  const within = (actor: number): ReadonlySet<number> => chains.actorsOf(actor);
  const codes = compileProcesses(compilers, chains, {
    alone: once((channel) => module.add(`${channel.channel.path} push`, alonePush({ plan, globals }, channel))),
    fuller: once((channel) => module.add(`${channel.channel.path} fuller`, fullerChannel(channel))),
    passings,
    steps,
    learning: once((channel, code) => module.add(`${channel.channel.path} learning`, code())),
    within,
    actorType: type,
  });
  const processes = compilers.map((compiler, actor) => {
    if (compiler.polls) polling.push(actor);
    return module.add(ir.processes[actor]!.node.path, codes[actor]!);
  });
  const rest = module.declare("rest");
  const around = { plan, globals, grids, compilers, rest, functions: processes, within };
  const rounds = [
    ...clusters.map(({ cluster, state }) => ({
      ...state,
      run: module.add(
        `${ir.processes[cluster[0]!.actor]!.node.path} rounds`,
        roundsCode(
          around,
          cluster,
          state,
          besides,
          clusters.filter((other) => other.cluster !== cluster && other.cluster[0]!.actor === cluster[0]!.actor),
        ),
      ),
    })),
    ...intakes.map(({ intake, state }) => ({
      ...state,
      run: module.add(`${intake.channel.path} rounds`, intakeCode(around, intake, state)),
    })),
  ];
  const parked = [
    ...rounds,
    ...beside.map(({ actor, state }) => ({
      ...state,
      run: module.add(`${ir.processes[actor]!.node.path} beside`, besideCode(around, actor, state)),
    })),
  ];
  plan.extended.define();
  const leavers = grids.map((grid) => module.add(`${grid.cell.grid.path} leaving`, grid.define(module, globals)));
  const parksAt = (channel: Channel): { state: ClusterState; tokens: number } | undefined => {
    const found = intakes.find(({ intake }) => intake.channel === channel);
    return found && { state: found.state, tokens: Math.min(...found.intake.takers.map(({ pass }) => tokensOf(pass))) };
  };
  const outside = [
    ...Object.values(inputs).map((channel) => ({ channel, source: true })),
    ...Object.values(outputs).map((channel) => ({ channel, source: false })),
  ].map(({ channel, source }) =>
    module.add(channel.path, environmentCode(plan, globals, plan.channels.get(channel)!, source, parksAt(channel))),
  );
  module.table([...processes, ...leavers, ...outside]);
  const calls = { polls: polling.length > 0, type };
  module.define(rest, restOf(plan, globals, calls, rounds.slice(clusters.length)));
  for (const at of plan.frames) plan.initially((view) => view.setInt32(at + frame.pollTime, NEVER, true));
  const settle = module.add("settle", settleCode());
  module.exportFunction("settle", settle);
  module.exportFunction("traces", module.add("traces", traceCode()));
  module.exportFunction(
    "run",
    module.add(
      "scheduler",
      scheduler(
        plan,
        globals,
        polling,
        {
          rounds: parked,
          settle,
          passings,
          parking: intakes.flatMap(({ intake: { channel }, state }) =>
            parksAt(channel)?.tokens === 1 ? [{ channel, state }] : [],
          ),
        },
        type,
      ),
    ),
  );
  module.exportGlobal("head", globals.head);
  const packed = addRunCode(module, plan, globals);
  const pages = Math.ceil(plan.heap.used / PAGE) + 1;
  return {
    plan,
    packed,
    grids,
    polling,
    rounds: rounds.map(({ rounds, leapt, ranged, repeated }) => ({ rounds, leapt, ranged, repeated })),
    bytes: module.encode(pages),
    pages,
  };
}

/** A function for each channel that is asked for. */
function once<T extends unknown[]>(
  add: (channel: ChannelPlan, ...given: T) => number,
): (channel: ChannelPlan, ...given: T) => number {
  const added = new Map<ChannelPlan, number>();
  return (channel, ...given) => {
    const known = added.get(channel) ?? add(channel, ...given);
    added.set(channel, known);
    return known;
  };
}

/** A function for each process; those that follow others (followers.ts) before those. */
function compileProcesses(
  compilers: readonly ProcessCompiler[],
  chains: Chains,
  pushing: Pushing & Pick<ChainContext, "within" | "actorType">,
): Code[] {
  const compiled = (actor: number): ProcessCompiler => compilers[actor]!;
  setApart([...chains.followers.values()].map(({ loop }) => loop));
  const codes: Code[] = [];
  const begun = new Set<number>();
  const finish = (actor: number): void => {
    if (begun.has(actor)) return;
    begun.add(actor);
    // Tokens may go round: whoever is not finished yet is no follower here.
    const ready = (links: readonly Link[]): Link[] =>
      links.flatMap((link) => {
        if (link.follower) finish(link.follower.actor);
        return link.follower && !codes[link.follower.actor] ? [] : [{ ...link, next: ready(link.next) }];
      });
    compilers[actor]!.follow(ready(chains.of(actor)), { ...pushing, compiled });
    codes[actor] = compilers[actor]!.compile();
  };
  compilers.forEach((_, actor) => finish(actor));
  return codes;
}

/** The first in the queue can go on. */
function emitCall(code: Code, plan: Plan, globals: Globals, { polls, type }: Calls): void {
  if (polls) code.i32(-1).globalSet(globals.pollLimit);
  const actor = code.temp("i32");
  code
    .globalGet(globals.head)
    .i32(plan.queueSlots - 1)
    .op("i32.and")
    .i32(2)
    .op("i32.shl");
  code.mem("i32.load", plan.queue).set(actor);
  code.globalGet(globals.head).i32(1).op("i32.add").globalSet(globals.head);
  code.get(actor).callIndirect(type);
  code.free("i32", actor);
}

interface Calls {
  readonly polls: boolean;
  /** Of an actor's function. */
  readonly type: number;
}

/**
 * For rounds of processes that stand at their heads while the first of them is on its way to its loop (rounds-code.ts): run all others
 * until nobody can go on, or it has parked there; the parameter is where that stands.
 */
function restOf(
  plan: Plan,
  globals: Globals,
  calls: Calls,
  intakes: readonly { readonly parked: number; readonly run: number }[],
): Code {
  const code = new Code(["i32"]);
  const loop = code.loop();
  code.globalGet(globals.head).globalGet(globals.tail).op("i32.ne").if();
  emitCall(code, plan, globals, calls);
  code.br(loop).end();
  code.get(0).mem("i32.load").op("i32.eqz").if();
  for (const { parked, run } of intakes) {
    code.loadAt(parked).if();
    code.call(run).br(loop);
    code.end();
  }
  code.end();
  code.end();
  return code;
}

/**
 * Run whoever can go on, in any order, until nobody can; then the poll of the lowest clock is decided, since whoever acts
 * from now on acts in that clock or later, which a poll in that clock does not see. When all wait, the board's DMA answers; of a design that
 * polls that is left to the outside (pacing.ts).
 */
function scheduler(
  plan: Plan,
  globals: Globals,
  polling: readonly number[],
  {
    rounds,
    settle,
    passings,
    parking,
  }: {
    readonly rounds: readonly { readonly parked: number; readonly run: number }[];
    readonly settle: number;
    readonly passings: Passings;
    /** Outer inputs whose sources park in front of any token. */
    readonly parking: readonly { readonly channel: Channel; readonly state: ClusterState }[];
  },
  type: number,
): Code {
  const code = new Code();
  const [woken, board, next] = [code.local("i32"), code.local("i32"), code.local("i32")];
  const waking = code.loop();
  code.loadAt(plan.woken).tee(woken).if();
  code.get(woken).i32(2).op("i32.shl").mem("i32.load", plan.woken).set(next);
  code.storeAt(plan.woken, () => code.get(woken).i32(1).op("i32.sub"));
  for (const { channel, state } of parking) {
    code.get(next).i32(plan.channels.get(channel)!.producer).op("i32.eq").if();
    emitParksAgain({ code, plan, globals }, channel, state);
    code.brIf(waking).end();
  }
  emitEnqueue(code, { plan, globals }, () => code.get(next));
  code.br(waking).end();
  const loop = code.loop();
  code.globalGet(globals.head).globalGet(globals.tail).op("i32.ne").if();
  emitCall(code, plan, globals, { polls: polling.length > 0, type });
  code.br(loop).end();
  for (const { parked, run } of rounds) {
    code.loadAt(parked).if();
    code.call(run).br(loop);
    code.end();
  }
  if (polling.length > 0) {
    const [best, second, at, time] = [code.local("i32"), code.local("i32"), code.local("i32"), code.local("i32")];
    code.i32(NEVER).set(best).i32(NEVER).set(second).i32(-1).set(at);
    // The questions of a board's DMA are polls too; they are answered outside.
    const outer = plan.frames.map((_, i) => i).filter((i) => i >= plan.sourceActor(0));
    for (const candidate of [...polling, ...outer]) {
      code
        .loadAt(plan.frames[candidate]! + frame.pollTime)
        .tee(time)
        .get(best)
        .op("i32.lt_s")
        .if();
      code.get(best).set(second).get(time).set(best).i32(candidate).set(at);
      code.else();
      code.get(time).get(second).op("i32.lt_s").if();
      code.get(time).set(second);
      code.end();
      code.end();
    }
    code.get(at).i32(0).op("i32.ge_s").get(at).i32(plan.sourceActor(0)).op("i32.lt_s").op("i32.and").if();
    code.get(second).globalSet(globals.pollLimit);
    code
      .get(at)
      .i32(frame.bytes)
      .op("i32.mul")
      .i32(NEVER)
      .mem("i32.store", plan.frames[0]! + frame.pollTime);
    code.get(at).callIndirect(type).br(loop);
    code.end();
  }
  code.end();
  if (polling.length === 0) {
    code.loadAt(plan.board).tee(board).if();
    code.get(board).i32(1).call(settle);
    code.loadAt(plan.woken).brIf(waking);
    code.end();
  }
  code.end();
  passings.emitAllApart(code);
  return code;
}
