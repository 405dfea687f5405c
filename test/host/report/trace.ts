/** Reads a Perfetto trace with protobufjs, from the part of the schema that a report uses (perfetto/protos, trace.proto). */
import protobuf from "protobufjs";

const schema = `
syntax = "proto2";
message Trace { repeated TracePacket packet = 1; }
message TracePacket {
  optional uint64 timestamp = 8;
  optional uint32 trusted_packet_sequence_id = 10;
  optional TrackEvent track_event = 11;
  optional TrackDescriptor track_descriptor = 60;
}
message TrackDescriptor {
  optional uint64 uuid = 1;
  optional string name = 2;
  optional ProcessDescriptor process = 3;
  optional uint64 parent_uuid = 5;
  optional CounterDescriptor counter = 8;
}
message ProcessDescriptor { optional int32 pid = 1; optional string process_name = 6; }
message CounterDescriptor {}
message TrackEvent {
  repeated DebugAnnotation debug_annotations = 4;
  enum Type { TYPE_UNSPECIFIED = 0; TYPE_SLICE_BEGIN = 1; TYPE_SLICE_END = 2; TYPE_INSTANT = 3; TYPE_COUNTER = 4; }
  optional Type type = 9;
  optional uint64 track_uuid = 11;
  optional string name = 23;
  optional double double_counter_value = 44;
}
message DebugAnnotation {
  optional uint64 uint_value = 3;
  optional double double_value = 5;
  optional string string_value = 6;
  optional string name = 10;
}`;

interface Packet {
  timestamp?: number;
  trackDescriptor?: { uuid: number; name?: string; parentUuid?: number; process?: { processName: string } };
  trackEvent?: {
    type: string;
    trackUuid: number;
    name?: string;
    debugAnnotations?: { name: string; uintValue?: number; doubleValue?: number; stringValue?: string }[];
  };
}

export interface Slice {
  readonly process: string;
  readonly track: string;
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly notes: Readonly<Record<string, number | string>>;
}

export function decodeTrace(bytes: Uint8Array): { slices: Slice[]; counters: number } {
  const type = protobuf.parse(schema).root.lookupType("Trace");
  const { packet } = type.toObject(type.decode(bytes), { longs: Number, enums: String }) as { packet: Packet[] };
  const processes = new Map<number, string>();
  const tracks = new Map<number, { process: string; track: string }>();
  const open = new Map<number, { from: number; name: string; notes: Record<string, number | string> }>();
  const slices: Slice[] = [];
  let counters = 0;
  for (const { timestamp, trackDescriptor: descriptor, trackEvent: event } of packet) {
    if (descriptor?.process) processes.set(descriptor.uuid, descriptor.process.processName);
    else if (descriptor)
      tracks.set(descriptor.uuid, { process: processes.get(descriptor.parentUuid!)!, track: descriptor.name! });
    if (!event) continue;
    if (event.type === "TYPE_COUNTER") counters++;
    else if (event.type === "TYPE_SLICE_BEGIN") {
      const notes = (event.debugAnnotations ?? []).map(
        (note) => [note.name, note.uintValue ?? note.doubleValue ?? note.stringValue ?? ""] as const,
      );
      open.set(event.trackUuid, { from: timestamp!, name: event.name!, notes: Object.fromEntries(notes) });
    } else {
      slices.push({ ...tracks.get(event.trackUuid)!, ...open.get(event.trackUuid)!, to: timestamp! });
      open.delete(event.trackUuid);
    }
  }
  if (open.size > 0) throw new Error(`${open.size} slices have no end`);
  return { slices, counters };
}
