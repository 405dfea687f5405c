/**
 * What bounds a layer, and how much the best possible change of each part would help. Two views of the same clocks: where the
 * time went (causes, which add up to the run) and what each resource needs at least (bounds).
 */
import type { LayerDetail } from "../../driver/accelerator.js";
import type { BoardValues } from "../../sim/platform/platform.js";
import type { Cause } from "../../sim/profile/causes.js";

/** Where a layer's time can go; `pipeline` is filling and draining, and whatever has no other name. */
export const parts = [
  "compute",
  "input",
  "weights",
  "output",
  "postProcessing",
  "dmaSetUp",
  "pipeline",
  "cpu",
] as const;
export type Part = (typeof parts)[number];

export const partTitles: Readonly<Record<Part, string>> = {
  compute: "compute",
  input: "waiting for inputs",
  weights: "waiting for weights",
  output: "waiting for outputs to leave",
  postProcessing: "waiting for post-processing",
  dmaSetUp: "DMA set-up",
  pipeline: "filling and draining",
  cpu: "CPU",
};

/** Kinds of the processor's work, where their own name does not say it. */
const workTitles: Readonly<Partial<Record<string, string>>> = {
  pack: "packing of inputs, im2col",
  copy: "copying, as of PAD",
  unpack: "unpacking of outputs",
  cache: "cleaning of caches",
  dispatch: "dispatch of operators",
  fullyConnected: "fully connected",
};

export const workTitle = (kind: string): string => workTitles[kind] ?? kind;

/** A stream or process, by the names that designs give them. */
function partOf({ root, name }: Cause): Part {
  if (root === "busy") return "compute";
  if (root === "setup") return "dmaSetUp";
  if (root === "end") return "pipeline";
  if (/weight|wgt/i.test(name)) return "weights";
  if (/input|inp\b|broadcast|router|linebuffer/i.test(name)) return "input";
  if (/post|ppu|requant/i.test(name)) return "postProcessing";
  if (/output|drain/i.test(name)) return "output";
  return "pipeline";
}

/** Clocks by part; they add up to the run's clocks. Undefined if no timeline was recorded. */
export function clocksByPart(detail: LayerDetail): Partial<Record<Part, number>> | undefined {
  const causes = detail.timeline?.causes ?? [];
  if (causes.length === 0) return undefined;
  const sums: Partial<Record<Part, number>> = {};
  for (const process of causes)
    for (const cause of process.causes) sums[partOf(cause)] = (sums[partOf(cause)] ?? 0) + cause.clocks / causes.length;
  return sums;
}

/** Least clocks that each resource needs for the layer's work, whatever the others do. */
export interface Bounds {
  /** MACs at the peak rate. */
  readonly macs: number;
  /** What the hardware's shape allows: whole tiles, and all lanes of the post-processor. 0 where the design does not say. */
  readonly tiles: number;
  readonly lanes: number;
  /** Clocks in which arithmetic was fed: the MACs with what tiles have to pad. */
  readonly compute: number;
  readonly input: number;
  readonly weights: number;
  readonly output: number;
  readonly postProcessing: number;
  /** All bytes at the memory's rate. */
  readonly memory: number;
}

export const boundFormulas: Readonly<Record<keyof Bounds, string>> = {
  macs: "MACs / peak MACs per clock",
  tiles:
    "ceil(rows / array rows) x ceil(channels / array columns) x ceil(K / products of an output per clock); depthwise: " +
    "output pixels x ceil(channels / array columns) x columns of the kernel",
  lanes: "rows x ceil(channels / lanes of the post-processor), four times for 32-bit sums",
  compute: "clocks in which the arithmetic was busy (MACs and the padding of tiles)",
  input: "bytes of the busiest input stream / 8 bytes per clock of its port",
  weights: "bytes of the busiest weight stream / 8 bytes per clock of its port",
  output: "bytes of the busiest output stream / 8 bytes per clock, with the gaps of AXI DMA",
  postProcessing: "busy clocks of the busiest process of the post-processor",
  memory: "bytes in x ddr.read + bytes out x ddr.write",
};

const streamNames = { input: /input|inp/i, weights: /weight|wgt/i, output: /./ } as const;

/** The stream of a kind with most bytes. */
function busiest(
  streams: LayerDetail["streams"],
  kind: keyof typeof streamNames,
): LayerDetail["streams"][number] | undefined {
  const direction = kind === "output" ? "out" : "in";
  const own = streams.filter((s) => s.direction === direction && streamNames[kind].test(s.name));
  return own.length === 0 ? undefined : own.reduce((most, s) => (s.bytes > most.bytes ? s : most));
}

export function boundsOf(
  detail: LayerDetail,
  work: { macs: number; peak: number; compute: number },
  board: BoardValues | undefined,
): Bounds {
  const width = board?.["hp.width"] ?? 8;
  const stream = (kind: keyof typeof streamNames): number => (busiest(detail.streams, kind)?.bytes ?? 0) / width;
  const sum = (direction: "in" | "out"): number =>
    detail.streams.reduce((total, s) => total + (s.direction === direction ? s.bytes : 0), 0);
  const gaps = board ? (board["dma.burst"] + board["dma.receiveGap"]) / board["dma.burst"] : 1;
  const perNs = board ? board["pl.clock"] / 1000 : 0;
  const post = (detail.counters?.processes ?? []).filter(({ path }) => /post|ppu|requant/i.test(path));
  return {
    macs: work.macs / work.peak,
    tiles: detail.least?.tiles ?? 0,
    lanes: detail.least?.lanes ?? 0,
    compute: work.compute,
    input: stream("input"),
    weights: stream("weights"),
    output: stream("output") * gaps,
    postProcessing: Math.max(0, ...post.map(({ busy }) => busy)),
    memory: board ? (sum("in") * board["ddr.read"] + sum("out") * board["ddr.write"]) * perNs : 0,
  };
}

/** What no schedule of the same hardware at the same memory can beat: the greatest of these bounds. */
const hard = ["macs", "tiles", "lanes", "input", "weights", "output", "memory"] as const;

export interface Least {
  readonly clocks: number;
  readonly by: (typeof hard)[number];
  /** The stream that gives it, with its bytes, where it is one. */
  readonly stream?: { readonly name: string; readonly bytes: number };
}

export function leastOf(bounds: Bounds, streams: LayerDetail["streams"]): Least {
  const by = hard.reduce((best, name) => (bounds[name] > bounds[best] ? name : best));
  const clocks = Math.ceil(bounds[by]);
  const stream = by === "input" || by === "weights" || by === "output" ? busiest(streams, by) : undefined;
  return { clocks, by, ...(stream && { stream: { name: stream.name, bytes: stream.bytes } }) };
}
