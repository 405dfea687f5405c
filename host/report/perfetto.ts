/**
 * A run as a trace that ui.perfetto.dev opens (TrackEvent packets, perfetto/protos/perfetto/trace/trace_packet.proto): the
 * schedule of processor and accelerator, the DMA channels, and what each process of the design did. Times are nanoseconds of
 * the board; a slice of the design also carries its clocks, which add up to the report's.
 */
import type { LayerRun } from "../runtime/executor.js";
import { between, stretches } from "./clock-times.js";
import type { Profile } from "./profile.js";
import { ProtobufWriter } from "./protobuf.js";

/** Field numbers of the messages used. */
const packet = { timestamp: 8, sequence: 10, event: 11, descriptor: 60 } as const;
const descriptor = { uuid: 1, name: 2, process: 3, parent: 5, counter: 8 } as const;
const event = { annotations: 4, type: 9, track: 11, name: 23, doubleValue: 44 } as const;
const annotation = { double: 5, uint: 3, text: 6, name: 10 } as const;
const types = { begin: 1, end: 2, counter: 4 } as const;

type Notes = Readonly<Record<string, number | string>>;

interface Slice {
  readonly from: number;
  readonly to: number;
  readonly name: string;
  readonly notes?: Notes;
}

class TraceWriter {
  readonly #out = new ProtobufWriter();
  #last = 0;

  process(name: string): number {
    const uuid = ++this.#last;
    this.#descriptor(uuid, (writer) => {
      writer.message(descriptor.process, (process) => process.uint(1, uuid).string(6, name));
    });
    return uuid;
  }

  track(parent: number, name: string, kind: "slices" | "counter" = "slices"): number {
    const uuid = ++this.#last;
    this.#descriptor(uuid, (writer) => {
      writer.string(descriptor.name, name).uint(descriptor.parent, parent);
      if (kind === "counter") writer.message(descriptor.counter, () => undefined);
    });
    return uuid;
  }

  /** Slices of a track, one after the other. */
  slices(track: number, list: readonly Slice[]): void {
    for (const { from, to, name, notes = {} } of list) {
      this.#event(Math.round(from), (writer) => {
        writer.uint(event.type, types.begin).uint(event.track, track).string(event.name, name);
        for (const [key, value] of Object.entries(notes))
          writer.message(event.annotations, (note) => {
            note.string(annotation.name, key);
            if (typeof value === "string") note.string(annotation.text, value);
            else if (Number.isInteger(value)) note.uint(annotation.uint, value);
            else note.double(annotation.double, value);
          });
      });
      this.#event(Math.round(to), (writer) => writer.uint(event.type, types.end).uint(event.track, track));
    }
  }

  count(track: number, at: number, value: number): void {
    this.#event(Math.round(at), (writer) => {
      writer.uint(event.type, types.counter).uint(event.track, track).double(event.doubleValue, value);
    });
  }

  finish(): Uint8Array {
    return this.#out.finish();
  }

  #descriptor(uuid: number, fill: (writer: ProtobufWriter) => void): void {
    this.#packet((writer) => {
      writer.message(packet.descriptor, (inner) => {
        inner.uint(descriptor.uuid, uuid);
        fill(inner);
      });
    });
  }

  #event(at: number, fill: (writer: ProtobufWriter) => void): void {
    this.#packet((writer) => writer.uint(packet.timestamp, at).message(packet.event, fill));
  }

  #packet(fill: (writer: ProtobufWriter) => void): void {
    this.#out.message(1, (writer) => {
      fill(writer);
      writer.uint(packet.sequence, 1);
    });
  }
}

export function perfettoTrace(profile: Profile, runs: readonly LayerRun[]): Uint8Array {
  const trace = new TraceWriter();
  const title = (index: number): string => {
    const run = runs.find(({ layer }) => layer.operator.index === index)!;
    return `${index} ${run.layer.operator.type}`;
  };

  const board = trace.process(`board (${profile.platform}, estimated)`);
  for (const [track, name] of [
    ["cpu", "CPU"],
    ["accelerator", "accelerator"],
  ] as const) {
    const own = profile.tracks.filter((each) => each.track === track);
    trace.slices(
      trace.track(board, name),
      own.map(({ kind, layer, startMs, endMs }) => ({
        from: startMs * 1e6,
        to: endMs * 1e6,
        name: track === "cpu" ? kind : title(layer),
        notes: { layer: title(layer) },
      })),
    );
  }

  const design = trace.process("design (clocks)");
  const layers = trace.track(design, "layers");
  const dma = trace.process("DMA channels");
  const processes = trace.process("processes of the design");
  const channels = trace.process("tokens in channels");
  const tracks = new Map<string, number>();
  const trackOf = (parent: number, name: string, kind: "slices" | "counter" = "slices"): number => {
    const key = `${parent}/${name}`;
    const known = tracks.get(key) ?? trace.track(parent, name, kind);
    tracks.set(key, known);
    return known;
  };

  for (const { layer, cost } of runs) {
    if (!cost) continue;
    const index = layer.operator.index;
    const all = stretches(profile, index, cost.clocks);
    const slices = (from: number, to: number, name: string, notes: (clocks: number) => Notes): Slice[] =>
      between(all, from, to).map((part) => ({
        from: part.startMs * 1e6,
        to: part.endMs * 1e6,
        name,
        notes: notes(part.to - part.from),
      }));
    trace.slices(
      layers,
      slices(0, cost.clocks, title(index), (clocks) => ({ clocks })),
    );
    for (const { stream, bytes, started, last } of cost.detail?.transfers ?? [])
      trace.slices(
        trackOf(dma, stream),
        slices(started, last + 1, title(index), () => ({ bytes })),
      );
    const timeline = cost.detail?.timeline;
    if (!timeline || all.length === 0) continue;
    const end = all.at(-1)!.endMs * 1e6;
    // Within a bin the order is not known: busy first, then the stalls.
    for (const { path, busy, stalls } of timeline.processes) {
      const track = trackOf(processes, path);
      busy.forEach((clocks, bin) => {
        let clock = bin * timeline.binClocks;
        const states = [
          { name: "busy", clocks },
          ...stalls.map((stall) => ({ name: `${stall.on} ${stall.channel}`, clocks: stall.clocks[bin]! })),
        ];
        for (const state of states) {
          if (state.clocks === 0) continue;
          const own = slices(clock, clock + state.clocks, state.name, (length) => ({ clocks: length, layer: index }));
          trace.slices(track, own);
          clock += state.clocks;
        }
      });
    }
    for (const { path, depth, held } of timeline.channels) {
      if (depth < 4) continue;
      const track = trackOf(channels, path, "counter");
      held.forEach((value, bin) => {
        const [first] = between(all, bin * timeline.binClocks, (bin + 1) * timeline.binClocks);
        if (first) trace.count(track, first.startMs * 1e6, value);
      });
      trace.count(track, end, 0);
    }
  }
  return trace.finish();
}
