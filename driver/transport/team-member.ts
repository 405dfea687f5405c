/** A worker thread of team.ts: a simulator like the one in the driver's thread, and the runs that it is the first to take. */
import { parentPort, workerData } from "node:worker_threads";
import type { Design } from "../design.js";
import type { ProgramHandle } from "../device.js";
import { importModule } from "../typescript/import.js";
import { FastSimulator } from "./fast-simulator.js";
import { errorReply } from "./messages.js";
import { runState, SharedRun, touch, type RunNames, type SharedParts } from "./shared-run.js";
import { warmUp } from "./warm-up.js";
import type { FromMember, MemberStart, ToMember } from "./team.js";

const port = parentPort!;

/** What is likely to be needed, while nothing is known yet. If it cannot be imported, that is told when it is. */
for (const url of workerData as readonly string[]) import(url).catch(() => undefined);

const programs = new Map<ProgramHandle, ProgramHandle>();
const runs = new Map<number, { readonly shared: SharedRun; readonly handle: ProgramHandle }>();

let haveCode: (module: WebAssembly.Module) => void;
const module = new Promise<WebAssembly.Module>((resolve) => (haveCode = resolve));

interface Opened {
  readonly simulator: FastSimulator;
  readonly names: RunNames;
  /** Number of this thread. */
  readonly thread: number;
}

async function open({ source, image, cache, thread }: MemberStart): Promise<Opened> {
  const design = (await importModule(source.module))[source.export] as Design;
  const simulator = await FastSimulator.of(design, source.parameters, {
    ...source.options,
    cache,
    code: { image, module },
  });
  // Nobody waits for it, and messages come in between. What goes wrong in it will go wrong in a real layer too, and be told there.
  warmUp(design, simulator, design.configure(source.parameters), () => wanted).catch(() => undefined);
  return { simulator, names: simulator.names, thread };
}

/** A run has been offered. */
let wanted = false;
let start: (member: MemberStart) => void;
const opened = new Promise<MemberStart>((resolve) => (start = resolve)).then(open);

async function obey(message: Exclude<ToMember, { type: "code" }>): Promise<void> {
  const { simulator, names, thread } = await opened;
  switch (message.type) {
    case "load": {
      const program = await simulator.load(message.program);
      programs.set(message.handle, program);
      if (!wanted) simulator.reserve(program);
      return;
    }
    case "unload":
      await simulator.unload(programs.get(message.handle)!);
      programs.delete(message.handle);
      return;
    case "room":
      runs.set(message.run, { shared: new SharedRun(message.parts, names), handle: message.handle });
      // One of them is enough.
      if (thread === 1) touchLater(message.parts);
      return;
    case "run": {
      const run = takeOne(thread);
      if (run === undefined) return;
      const { shared, handle } = runs.get(run)!;
      port.postMessage(await simulate(simulator, run, shared, programs.get(handle)!));
    }
  }
}

/** Rooms of runs whose memory nobody has touched yet. */
const untouched: SharedParts[] = [];

/** One by one, between messages: the first run that is offered must not wait for all of them. */
function touchLater(parts: SharedParts): void {
  if (untouched.push(parts) === 1) setImmediate(touchNext);
}

function touchNext(): void {
  if (wanted) return;
  touch(untouched[0]!);
  untouched.shift();
  if (untouched.length > 0) setImmediate(touchNext);
}

/** The most urgent run that is offered, now this thread's; whichever it is, there is a message for each. */
function takeOne(thread: number): number | undefined {
  for (;;) {
    let [best, urgency] = [-1, -Infinity];
    for (const [run, { shared }] of runs) {
      if (shared.state !== runState.offered || shared.urgency <= urgency) continue;
      best = run;
      urgency = shared.urgency;
    }
    if (best < 0) return undefined;
    if (runs.get(best)!.shared.take(thread)) return best;
  }
}

async function simulate(
  simulator: FastSimulator,
  run: number,
  shared: SharedRun,
  program: ProgramHandle,
): Promise<FromMember> {
  try {
    const start = performance.now();
    const result = await simulator.run(program, shared.parts.inputs);
    shared.write({ ...result, wallMs: performance.now() - start });
    shared.state = runState.done;
    const { timeline } = result;
    return { run, ...(timeline && { timeline }) };
  } catch (error) {
    shared.state = runState.failed;
    return { run, failed: errorReply(error) };
  }
}

/** A message waits for those that came before it. */
let last: Promise<void> = opened.then(() => undefined);
port.once("message", (member: MemberStart) => {
  start(member);
  port.on("message", hear);
});

function hear(message: ToMember): void {
  wanted ||= message.type === "run";
  // Programs are loaded once it is there.
  if (message.type === "code") haveCode(message.module);
  else last = last.then(() => obey(message));
}
