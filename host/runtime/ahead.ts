/**
 * Several layers of a network at once. A simulated layer takes much longer than the CPU's kernel and depends on the layers before it by
 * their bytes alone; so the CPU may compute the bytes that are waited for, and what stands behind them can begin. Each layer is simulated
 * once, in this thread or another.
 *
 * List scheduling by the longest way to the end (as HEFT ranks tasks: Topcuoglu, Hariri and Wu 2002). This thread goes that way: it simulates the layer with the
 * most work behind it, whose bytes then cost nothing more. All other layers whose inputs are known are offered; the others take the most
 * urgent first. As long as they would be done before this thread, they get layers of the longest way as well, and the CPU gives the
 * bytes of these; such a layer is not urgent any more, it fills the time in which there is nothing else. Where layers run in workers alone, the CPU
 * goes ahead of all of them.
 */
import type { LayerCost } from "../../driver/accelerator.js";
import type { StartedRun } from "../../driver/device.js";
import type { LayerRun, RunOptions, RunResult } from "./executor.js";
import { asBytes, outputsOf, setInputs, type Plan } from "./plan.js";
import { Pace, simulationOf, stepsOf, type Step } from "./steps.js";

/** A layer in this run. */
interface Task {
  readonly step: Step;
  /** Work on the longest way from it to the end. */
  readonly rank: number;
  /** Layers of which it needs the output, and does not have it yet. */
  missing: number;
  /** Its output is there. */
  known: boolean;
  started: StartedRun<LayerCost> | undefined;
  /** Of one that is simulated: when everything is there. */
  finished: Promise<void> | undefined;
  run: LayerRun | undefined;
}

/** So many layers for each that runs wait with their inputs, lest the inputs of a whole network stand in memory. */
const WAITING = 3;

export async function runAhead(
  plan: Plan,
  inputs: readonly Uint8Array[],
  jobs: number,
  { onLayer }: RunOptions,
): Promise<RunResult> {
  const { arrays } = stepsOf(plan);
  setInputs(plan.graph, arrays, inputs);
  const begin = performance.now();
  const ahead = new Ahead(plan, jobs, onLayer);
  await ahead.run();
  return { outputs: outputsOf(plan.graph, arrays), layers: ahead.done, wallMs: performance.now() - begin };
}

class Ahead {
  /** Reported, in the network's order. */
  readonly done: LayerRun[] = [];
  readonly #tasks: readonly Task[];
  readonly #others: number;
  /** This thread simulates, too. */
  readonly #here: boolean;
  readonly #onLayer: RunOptions["onLayer"];
  /** Those whose inputs are there and with which nothing is done yet. */
  readonly #ready: Task[];
  /** Offered and not finished, in the order in which they were. */
  #underWay: Task[] = [];
  readonly #pace = new Pace();
  #failed: { readonly error: unknown } | undefined;

  constructor(plan: Plan, jobs: number, onLayer: RunOptions["onLayer"]) {
    const { steps } = stepsOf(plan);
    const ranks: number[] = [];
    for (const step of [...steps].reverse())
      ranks[step.index] = simulationOf(step) + Math.max(0, ...step.consumers.map(({ index }) => ranks[index]!));
    this.#tasks = steps.map((step) => ({
      step,
      rank: ranks[step.index]!,
      missing: step.producers.length,
      known: false,
      started: undefined,
      finished: undefined,
      run: undefined,
    }));
    this.#here = steps.some(({ layer }) => layer.kernel.ahead?.here);
    this.#others = this.#here ? jobs - 1 : jobs;
    this.#onLayer = onLayer;
    this.#ready = this.#tasks.filter(({ missing }) => missing === 0);
  }

  async run(): Promise<void> {
    try {
      await this.#run();
    } catch (error) {
      this.#failed ??= { error };
      throw error;
    }
  }

  async #run(): Promise<void> {
    for (;;) {
      await this.#computeReady();
      await this.#collect();
      if (this.#ready.some(({ step }) => !step.layer.kernel.ahead)) continue;
      if (this.#ready.length === 0 && this.#underWay.length === 0) return;
      await this.#goOn();
      if (this.#failed) throw this.#failed.error;
    }
  }

  /** Layers of the CPU whose inputs are there. */
  async #computeReady(): Promise<void> {
    const isCpu = ({ step }: Task): boolean => !step.layer.kernel.ahead;
    for (let at = this.#ready.findIndex(isCpu); at >= 0; at = this.#ready.findIndex(isCpu)) {
      const [task] = this.#ready.splice(at, 1);
      await this.#runHere(task!);
    }
  }

  async #runHere(task: Task): Promise<void> {
    const { layer, inputs, output } = task.step;
    const start = performance.now();
    const cost = await layer.kernel(inputs, output);
    const wallMs = performance.now() - start;
    if (cost) this.#saw(task, wallMs);
    this.#end(task, cost, cost?.wallMs ?? wallMs);
  }

  async #offer(task: Task): Promise<void> {
    this.#ready.splice(this.#ready.indexOf(task), 1);
    const { inputs, output, layer } = task.step;
    const start = performance.now();
    // What comes when it is too late goes nowhere: the next run may have begun.
    const known = (): boolean => task.known || this.#failed !== undefined;
    const started = await layer.kernel.ahead!.offer(inputs, output, known);
    started.urge(task.rank);
    task.started = started;
    task.finished = started.result.then(
      (cost) => {
        const wallMs = cost.wallMs ?? performance.now() - start;
        this.#saw(task, wallMs);
        this.#end(task, cost, wallMs);
      },
      (error: unknown) => {
        this.#failed ??= { error };
      },
    );
    this.#underWay.push(task);
  }

  #saw({ step: { simulation } }: Task, wallMs: number): void {
    simulation.saw(wallMs);
    this.#pace.saw(wallMs, simulation.ms);
  }

  #end(task: Task, cost: LayerCost | undefined, wallMs: number): void {
    this.#underWay = this.#underWay.filter((each) => each !== task);
    // All of them may run again.
    if (this.#failed) return;
    task.run = { layer: task.step.layer, cost, wallMs };
    this.#learn(task);
    for (let next = this.#tasks[this.done.length]; next?.run; next = this.#tasks[this.done.length]) {
      this.done.push(next.run);
      this.#onLayer?.(next.run, asBytes(next.step.output));
    }
  }

  /** Its bytes are there. */
  #learn(task: Task): void {
    if (task.known) return;
    task.known = true;
    for (const { index } of task.step.consumers) {
      const consumer = this.#tasks[index]!;
      if (--consumer.missing === 0) this.#ready.push(consumer);
    }
  }

  /** What others have finished. */
  async #collect(): Promise<void> {
    for (const { started, finished } of [...this.#underWay]) if (started!.finished()) await finished;
    if (this.#failed) throw this.#failed.error;
  }

  /** Simulate something here, compute bytes that are waited for, or wait. */
  async #goOn(): Promise<void> {
    const waiting = this.#underWay.filter(({ started }) => started!.age() === undefined);
    const open = [...this.#ready, ...waiting.filter(({ known }) => !known)];
    const next = this.#here ? open.reduce<Task | undefined>(longer, undefined) : undefined;
    for (const task of this.#ready.filter((each) => each !== next)) await this.#offer(task);
    if (next) await this.#advance(next);
    else {
      const wanted = this.#here || this.#underWay.length <= this.#others * WAITING ? this.#wanted() : undefined;
      const filler = this.#here ? waiting.reduce<Task | undefined>(longer, undefined) : undefined;
      if (wanted) this.#compute(wanted);
      else if (filler) await this.#help(filler);
      // What was offered just now may be done already.
      else if (this.#underWay.length > 0) await Promise.race(this.#underWay.map(({ finished }) => finished!));
    }
  }

  /** The layer with the most behind it: simulated here, or by others while the CPU gives its bytes. */
  async #advance(next: Task): Promise<void> {
    if (this.#othersLack(next)) {
      if (!next.started) await this.#offer(next);
      this.#compute(next);
    } else if (next.started) await this.#help(next);
    else {
      this.#ready.splice(this.#ready.indexOf(next), 1);
      await this.#runHere(next);
    }
  }

  async #help(task: Task): Promise<void> {
    if (task.started!.help()) await task.finished;
  }

  /**
   * True if the others would be done before this thread, were it to simulate `next` and all that follows on the longest way to the end: then
   * they had better do `next`, too. They do whatever is not on that way; what is half a layer too much is enough.
   */
  #othersLack(next: Task): boolean {
    const { ms } = next.step.simulation;
    let theirs = ms / 2;
    for (const task of this.#tasks)
      if (!task.run && task !== next) theirs += task.started ? this.#remaining(task) : simulationOf(task.step);
    theirs -= next.rank - ms;
    return theirs / this.#others < next.rank;
  }

  /** The cheapest bytes that let something begin, if they cost less than waiting for them. */
  #wanted(): Task | undefined {
    let [best, least] = [undefined as Task | undefined, Infinity];
    for (const task of this.#underWay) {
      if (task.known) continue;
      for (const { index } of task.step.consumers) {
        const lacks = this.#lacks(this.#tasks[index]!);
        if (!lacks) continue;
        const cost = lacks.reduce((sum, each) => sum + each.step.cpu.ms, 0);
        const wait = this.#here ? Math.max(...lacks.map((each) => this.#wait(each))) : Infinity;
        if (cost < least && cost < wait) [best, least] = [task, cost];
      }
    }
    return best;
  }

  /** The layers under way whose bytes a layer needs; undefined if it needs others, too. */
  #lacks(task: Task): Task[] | undefined {
    const lacks = task.step.producers.map(({ index }) => this.#tasks[index]!).filter(({ known }) => !known);
    return lacks.every(({ started }) => started) ? lacks : undefined;
  }

  /** Milliseconds until a layer under way is simulated: unknown for one that nobody has begun. */
  #wait(task: Task): number {
    return task.started!.age() === undefined ? Infinity : this.#remaining(task);
  }

  /** Milliseconds of simulation that are left. */
  #remaining({ step, started }: Task): number {
    return Math.max(0, step.simulation.ms - (started!.age() ?? 0) / this.#pace.factor);
  }

  #compute(task: Task): void {
    const { step, started } = task;
    const start = performance.now();
    step.layer.kernel.ahead!.compute(step.inputs, step.output);
    step.cpu.saw(performance.now() - start);
    // The longest first, of those that nobody waits for.
    started!.urge(step.simulation.ms * NOT_URGENT);
    this.#learn(task);
  }
}

/** Less than any layer that is waited for. */
const NOT_URGENT = 1e-6;

const longer = (a: Task | undefined, b: Task): Task => (a && a.rank >= b.rank ? a : b);
