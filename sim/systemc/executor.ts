/**
 * Runs one process: a method to its end, a thread to its next wait, with kills and resets thrown in on the way. The
 * scheduler runs the plain cases itself; these are all others, and what happens after a body has thrown.
 */
import { CONTINUE, type Process, Unwind, type Wait } from "../../hw/systemc/process.js";
import { message, Severity } from "../../hw/systemc/report.js";
import { State, Throw } from "../../hw/systemc/waiter.js";
import { forgotYield } from "../../hw/systemc/wait.js";

/**
 * The one `next` of all generators. The generators of every function have a hidden class of their own, so that looking
 * `next` up in each of them costs as much as resuming it.
 */
const generatorNext = (
  Object.getPrototypeOf(function* () {
    // Only its prototype counts.
  }) as { prototype: Generator<Wait | undefined, void, void> }
).prototype.next;
export function resume(generator: Generator<Wait | undefined, void, void>): IteratorResult<Wait | undefined, void> {
  return generatorNext.call(generator);
}

/** Runs a method. Throws whatever its body throws, except kills and resets of itself. */
export function runMethod(process: Process): void {
  for (;;) {
    process.begin();
    try {
      process.body();
      return;
    } catch (error) {
      if (!restarts(process, error)) return;
    }
  }
}

/**
 * What a method's body threw: true if it is a reset of itself, false if a kill. Throws anything else.
 */
export function restarts(process: Process, error: unknown): boolean {
  if (!(error instanceof Unwind) || error.process !== process) throw error;
  process.unwinding = false;
  return error.isReset;
}

/** Runs a thread up to its next wait or its end. Throws what its body throws, after the thread has ended. */
export function runThread(process: Process): void {
  for (;;) {
    try {
      settle(process, advance(process));
      return;
    } catch (error) {
      if (!threadRestarts(process, error)) return;
    }
  }
}

/** The same for a thread. Unless it restarts, the thread has ended. */
export function threadRestarts(process: Process, error: unknown): boolean {
  process.unwinding = false;
  if (error instanceof Unwind && error.process === process) {
    process.generator = null;
    process.waiting = false;
    process.hasStack = false;
    if (!error.isReset) end(process);
    return error.isReset;
  }
  end(process);
  throw error;
}

/** After a thread came back: it waits, has ended, or goes on at once. */
export function settle(process: Process, result: IteratorResult<unknown, void> | undefined): void {
  while (result?.value === CONTINUE && !process.waiting) result = process.generator?.next();
  if (result === undefined || result.done === true) finish(process);
  else if (process.waiting) process.waiting = false;
  else bareYield(process);
}

function advance(process: Process): IteratorResult<unknown, void> | undefined {
  if (process.generator === null) {
    process.hasStack = true;
    process.begin();
    const generator = process.body();
    if (generator === undefined) return undefined;
    process.generator = generator;
    return resume(generator);
  }
  if (process.throwStatus === Throw.None || process.unwinding) return resume(process.generator);
  return throwInto(process, process.generator);
}

/** A thread resumes at a wait and finds that something is to be thrown there. */
function throwInto(
  process: Process,
  generator: Generator<unknown, void, void>,
): IteratorResult<unknown, void> | undefined {
  if (process.throwStatus === Throw.User) {
    process.throwStatus = process.statusFromResets();
    return generator.throw(process.userError);
  }
  const isReset = process.throwStatus !== Throw.Kill;
  if (isReset) process.notifyReset();
  process.unwinding = true;
  const unwind = new Unwind(process, isReset);
  const result = generator.throw(unwind);
  // Only a body that catches the unwinding and keeps it gets here.
  process.unwinding = false;
  process.context.reports.report(Severity.Fatal, message.RETHROW_UNWINDING, process.name);
  return result;
}

/** The thread that runs was killed, reset or thrown at while it had another one run inside a call of its own. */
export function throwHere(process: Process): void {
  if (process.throwStatus === Throw.None || process.unwinding) return;
  switch (process.throwStatus) {
    case Throw.User:
      process.throwStatus = process.statusFromResets();
      throw process.userError;
    case Throw.Kill:
      return process.unwind(false);
    default:
      process.notifyReset();
      process.unwind(true);
  }
}

function bareYield(process: Process): void {
  if (process.unwinding) process.context.reports.report(Severity.Error, message.WAIT_DURING_UNWINDING, process.name);
  process.cyclesLeft = 0;
}

function finish(process: Process): void {
  if (process.waiting) {
    process.waiting = false;
    end(process);
    forgotYield(process);
  } else end(process);
}

/** The thread is over: out of all lists. */
function end(process: Process): void {
  process.hasStack = false;
  process.generator = null;
  if ((process.state & State.Zombie) === 0) process.disconnect();
  if (process.queued) process.queue.remove(process);
}
