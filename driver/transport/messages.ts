/**
 * The messages between a driver and a device: one set for every transport. In-process and worker transports pass these objects
 * as they are; the socket carries them as bytes (docs/protocol.md): a length, a JSON text, then the byte arrays that the
 * text refers to as `{"$bytes": i}`.
 */
import { TandemError } from "../../hw/errors.js";
import type { DeviceDescription, ProgramHandle, RunResult } from "../device.js";
import type { Program } from "../program.js";

export type Request =
  | { readonly type: "describe" }
  | { readonly type: "load"; readonly program: Program }
  | { readonly type: "run"; readonly handle: ProgramHandle; readonly inputs: Readonly<Record<string, Uint8Array>> }
  | { readonly type: "unload"; readonly handle: ProgramHandle };

export type Reply =
  | { readonly type: "described"; readonly description: DeviceDescription }
  | { readonly type: "loaded"; readonly handle: ProgramHandle }
  | { readonly type: "ran"; readonly result: RunResult }
  | { readonly type: "unloaded" }
  | ErrorReply;

/** What went wrong at the far end. `fault` is the caller's (a bad program) or the device's own (a defect). */
export interface ErrorReply {
  readonly type: "error";
  readonly fault: "caller" | "device";
  readonly message: string;
  readonly hint?: string;
}

/** Clocks passed since the run began. */
export interface Progress {
  readonly type: "progress";
  readonly clocks: number;
}

export type Message = Request | Reply | Progress;

export function errorReply(error: unknown): ErrorReply {
  if (!(error instanceof TandemError))
    return { type: "error", fault: "device", message: error instanceof Error ? error.message : String(error) };
  const { message, hint } = error;
  return { type: "error", fault: "caller", message, ...(hint === undefined ? {} : { hint }) };
}

/** The error that the caller sees; `far` names the device. */
export function errorFrom(reply: ErrorReply, far: string): TandemError {
  if (reply.fault === "caller")
    return new TandemError(reply.message, reply.hint === undefined ? {} : { hint: reply.hint });
  return new TandemError(`${far}: the device failed: ${reply.message}`, {
    hint: "That is a defect of the design or of Tandem; please report it with the command that you gave.",
  });
}

const BYTES = "$bytes";

/** A message as bytes, in pieces that follow one another. */
export function encodeMessage(message: Message): Uint8Array[] {
  const blobs: Uint8Array[] = [];
  const text = JSON.stringify(message, (_, value: unknown) => {
    if (!(value instanceof Uint8Array)) return value;
    blobs.push(value);
    return { [BYTES]: blobs.length - 1 };
  });
  const json = Buffer.from(text);
  const head = Buffer.alloc(8 + 4 * blobs.length);
  head.writeUInt32LE(json.length, 0);
  head.writeUInt32LE(blobs.length, 4);
  blobs.forEach((blob, i) => head.writeUInt32LE(blob.length, 8 + 4 * i));
  return [head, json, ...blobs];
}

/** The message in `payload`. Throws a `TandemError` for anything that is none; byte arrays are views into `payload`. */
export function decodeMessage(payload: Uint8Array): Message {
  const view = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  if (view.length < 8) return malformed(`${view.length} bytes`);
  const textLength = view.readUInt32LE(0);
  const count = view.readUInt32LE(4);
  const textStart = 8 + 4 * count;
  if (textStart + textLength > view.length)
    return malformed(`${count} arrays and ${textLength} characters in ${view.length} bytes`);
  const blobs: Uint8Array[] = [];
  let at = textStart + textLength;
  for (let i = 0; i < count; i++) {
    const length = view.readUInt32LE(8 + 4 * i);
    if (at + length > view.length) return malformed(`array ${i} reaches beyond the end`);
    blobs.push(payload.subarray(at, at + length));
    at += length;
  }
  if (at !== view.length) return malformed(`${view.length - at} bytes too many`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(view.toString("utf8", textStart, textStart + textLength), (_, value: unknown) => {
      if (!isObject(value) || !(BYTES in value)) return value;
      const index = value[BYTES];
      if (!isCount(index) || index >= blobs.length)
        return malformed(`reference to array ${JSON.stringify(index)} of ${blobs.length}`);
      return blobs[index];
    });
  } catch (error) {
    if (error instanceof TandemError) throw error;
    return malformed("its text is no JSON");
  }
  return checkMessage(parsed);
}

function malformed(what: string): never {
  throw new TandemError(`Malformed message: ${what}`, {
    hint: "The two ends disagree about the protocol (docs/protocol.md): use the same version of Tandem on both.",
  });
}

type Fields = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isText = (value: unknown): value is string => typeof value === "string";
const isBytes = (value: unknown): value is Uint8Array => value instanceof Uint8Array;
const everyValue = (value: unknown, test: (value: unknown) => boolean): boolean =>
  isObject(value) && Object.values(value).every(test);

const roles = ["constant", "input", "output", "scratch"];

const isBuffer = (b: unknown): boolean =>
  isObject(b) &&
  isText(b["name"]) &&
  roles.includes(b["role"] as string) &&
  isCount(b["bytes"]) &&
  (b["data"] === undefined || isBytes(b["data"]));

const isStep = (s: unknown): boolean =>
  isObject(s) &&
  (s["kind"] === "write"
    ? isCount(s["register"]) && isCount(s["value"])
    : (s["kind"] === "send" || s["kind"] === "receive") &&
      isText(s["stream"]) &&
      isCount(s["buffer"]) &&
      isCount(s["offset"]) &&
      isCount(s["length"]));

const isProgram = (p: unknown): boolean =>
  isObject(p) &&
  isText(p["name"]) &&
  Array.isArray(p["buffers"]) &&
  p["buffers"].every(isBuffer) &&
  Array.isArray(p["steps"]) &&
  p["steps"].every(isStep);

const isStream = (s: unknown): boolean =>
  isObject(s) && isText(s["name"]) && (s["direction"] === "in" || s["direction"] === "out") && isCount(s["bytes"]);

const isDescription = (d: unknown): boolean =>
  isObject(d) &&
  isText(d["design"]) &&
  isText(d["engine"]) &&
  isText(d["level"]) &&
  everyValue(d["parameters"], (v) => ["number", "boolean", "string"].includes(typeof v)) &&
  Array.isArray(d["streams"]) &&
  d["streams"].every(isStream);

const list = (value: unknown, test: (f: Fields) => boolean): boolean =>
  Array.isArray(value) && value.every((v) => isObject(v) && isText(v["path"]) && test(v));

const isCounters = (c: unknown): boolean =>
  isObject(c) &&
  isCount(c["clocks"]) &&
  list(
    c["processes"],
    (p) =>
      isCount(p["busy"]) &&
      isCount(p["idle"]) &&
      isCount(p["estimated"]) &&
      Array.isArray(p["stalls"]) &&
      p["stalls"].every((s) => isObject(s) && isText(s["channel"]) && isText(s["on"]) && isCount(s["clocks"])),
  ) &&
  list(c["channels"], (h) => isCount(h["pushed"]) && isCount(h["popped"]) && isCount(h["maxOccupancy"])) &&
  list(c["memories"], (m) => isCount(m["reads"]) && isCount(m["writes"])) &&
  list(c["grids"], (g) => isCount(g["waves"]) && isCount(g["cellSteps"]));

const isResult = (r: unknown): boolean =>
  isObject(r) &&
  everyValue(r["outputs"], isBytes) &&
  isCount(r["clocks"]) &&
  typeof r["exact"] === "boolean" &&
  (r["counters"] === undefined || isCounters(r["counters"]));

/** For each type of message, whether its fields are what they must be. */
const shapes: Readonly<Record<Message["type"], (fields: Fields) => boolean>> = {
  describe: () => true,
  load: (m) => isProgram(m["program"]),
  run: (m) => isCount(m["handle"]) && everyValue(m["inputs"], isBytes),
  unload: (m) => isCount(m["handle"]),
  described: (m) => isDescription(m["description"]),
  loaded: (m) => isCount(m["handle"]),
  ran: (m) => isResult(m["result"]),
  unloaded: () => true,
  error: (m) =>
    (m["fault"] === "caller" || m["fault"] === "device") &&
    isText(m["message"]) &&
    (m["hint"] === undefined || isText(m["hint"])),
  progress: (m) => isCount(m["clocks"]),
};

function checkMessage(value: unknown): Message {
  if (!isObject(value)) return malformed("its text is no object");
  const type = value["type"];
  if (!isText(type) || !Object.hasOwn(shapes, type)) return malformed(`unknown type ${JSON.stringify(type)}`);
  if (!shapes[type as Message["type"]](value)) return malformed(`a field of "${type}" is missing or wrong`);
  return value as unknown as Message;
}

/** Requests travel one way, replies and progress the other. */
export const isRequest = (message: Message): message is Request =>
  ["describe", "load", "run", "unload"].includes(message.type);
