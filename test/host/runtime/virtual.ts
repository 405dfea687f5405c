/**
 * Networks on virtual time: layers that take the milliseconds they are given, in this thread or in others, so that what a schedule comes to
 * can be told. Nothing is computed.
 */
import type { LayerCost } from "../../../driver/accelerator.js";
import type { Kernel } from "../../../host/kernels/implementation.js";
import { runAhead } from "../../../host/runtime/ahead.js";
import type { Plan } from "../../../host/runtime/plan.js";
import { stepsOf } from "../../../host/runtime/steps.js";

/** A layer whose inputs are the outputs of layers before it, or the network's if there are none. */
export interface VirtualLayer {
  readonly inputs: readonly number[];
  /** Milliseconds of simulation, and of the CPU's kernel for the same bytes; a layer without the latter is the CPU's alone. */
  readonly simulation: number;
  readonly cpu?: number;
}

export interface VirtualRun {
  readonly ms: number;
  /** Milliseconds of the CPU for bytes that were simulated as well. */
  readonly computed: number;
  /** How often each layer was simulated, or run by the CPU. */
  readonly runs: readonly number[];
  /** Layers in the order in which they were reported. */
  readonly reported: readonly number[];
}

interface Offer {
  readonly layer: number;
  urgency: number;
  /** When it was begun. */
  begun: number | undefined;
  done: boolean;
  resolve: (cost: LayerCost) => void;
}

export async function virtualRun(layers: readonly VirtualLayer[], others: number): Promise<VirtualRun> {
  let [now, computed] = [0, 0];
  const runs = layers.map(() => 0);
  const offers: Offer[] = [];
  const busy: { readonly offer: Offer; readonly until: number }[] = [];
  const costOf = (layer: number): LayerCost => ({ wallMs: layers[layer]!.simulation }) as LayerCost;
  const begin = (offer: Offer): void => {
    offer.begun = now;
    runs[offer.layer]!++;
  };
  const finish = (offer: Offer): void => {
    offer.done = true;
    offer.resolve(costOf(offer.layer));
  };
  /** The other threads' doings until then. */
  const advance = (until: number): void => {
    for (;;) {
      const waiting = offers.filter(({ begun }) => begun === undefined).sort((a, b) => b.urgency - a.urgency);
      for (const offer of waiting.slice(0, others - busy.length)) {
        begin(offer);
        busy.push({ offer, until: now + layers[offer.layer]!.simulation });
      }
      busy.sort((a, b) => a.until - b.until);
      if (!busy[0] || busy[0].until > until) break;
      const { offer, until: end } = busy.shift()!;
      now = end;
      finish(offer);
    }
    now = until;
  };
  const kernelOf = (layer: number): Kernel => {
    const { simulation, cpu } = layers[layer]!;
    const run = (): void => {
      runs[layer]!++;
      advance(now + simulation);
    };
    if (cpu === undefined)
      return () => {
        run();
        return undefined;
      };
    return Object.assign(
      () => {
        run();
        return Promise.resolve(costOf(layer));
      },
      {
        ahead: {
          here: true,
          offer() {
            let resolve = (_: LayerCost): void => undefined;
            const result = new Promise<LayerCost>((settle) => (resolve = settle));
            const offer: Offer = { layer, urgency: 0, begun: undefined, done: false, resolve };
            offers.push(offer);
            return Promise.resolve({
              result,
              finished: () => offer.done,
              age: () => (offer.begun === undefined ? undefined : now - offer.begun),
              urge: (urgency: number) => void (offer.urgency = urgency),
              help() {
                if (offer.begun !== undefined) return false;
                begin(offer);
                advance(now + simulation);
                finish(offer);
                return true;
              },
            });
          },
          compute() {
            computed += cpu;
            advance(now + cpu);
          },
        },
      },
    );
  };
  const plan = planOf(layers, kernelOf);
  for (const { index, simulation, cpu } of stepsOf(plan).steps) {
    simulation.saw(layers[index]!.simulation);
    cpu.ms = layers[index]!.cpu ?? 0;
  }
  // Whoever waits, waits for the others.
  let over = false;
  const pass = (): void => {
    if (over) return;
    if (busy.length > 0) advance(Math.min(...busy.map(({ until }) => until)));
    setImmediate(pass);
  };
  setImmediate(pass);
  const reported: number[] = [];
  try {
    await runAhead(plan, [new Uint8Array(1)], others + 1, {
      onLayer: ({ layer }) => void reported.push(plan.layers.indexOf(layer)),
    });
  } finally {
    over = true;
  }
  return { ms: now, computed, runs, reported };
}

/** Tensor 0 is the network's input, tensor i + 1 the output of layer i; the last is the network's. */
export function planOf(layers: readonly VirtualLayer[], kernelOf: (layer: number) => Kernel): Plan {
  const arrays = [undefined, ...layers].map(() => new Uint8Array(1));
  const operators = layers.map(({ inputs }, i) => ({
    index: i,
    inputs: inputs.length > 0 ? inputs.map((layer) => layer + 1) : [0],
    outputs: [i + 1],
  }));
  return {
    graph: { inputs: [0], outputs: [layers.length], operators },
    arrays,
    layers: operators.map((operator, i) => ({
      operator,
      macs: 0,
      inputs: operator.inputs.map((tensor) => arrays[tensor]!),
      output: arrays[i + 1]!,
      kernel: kernelOf(i),
    })),
  } as unknown as Plan;
}
