/** Runs one process: a method to its end, a thread to its next wait, with kills and resets thrown in on the way. */
import { CONTINUE, type Process, Unwind } from "../../hw/systemc/process.js";
import { message, Severity } from "../../hw/systemc/report.js";
import { State, Throw } from "../../hw/systemc/waiter.js";
import { forgotYield } from "../../hw/systemc/wait.js";

/** Runs a method. Throws whatever its body throws, except kills and resets of itself. */
export function runMethod(process: Process): void {
  for (;;) {
    process.begin();
    try {
      process.body();
      process.hasStack = false;
      return;
    } catch (error) {
      process.hasStack = false;
      if (!(error instanceof Unwind) || error.process !== process) throw error;
      process.unwinding = false;
      if (!error.isReset) return;
    }
  }
}

/** Runs a thread up to its next wait or its end. Throws what its body throws, after the thread has ended. */
export function runThread(process: Process): void {
  for (;;) {
    try {
      let result = advance(process);
      while (result?.value === CONTINUE && !process.waiting) result = process.generator?.next();
      if (result !== undefined && result.done !== true) {
        if (process.waiting) process.waiting = false;
        else bareYield(process);
        return;
      }
      finish(process);
      return;
    } catch (error) {
      if (error instanceof Unwind && error.process === process) {
        process.unwinding = false;
        process.generator = null;
        process.waiting = false;
        process.hasStack = false;
        if (error.isReset) continue;
        end(process);
        return;
      }
      process.unwinding = false;
      end(process);
      throw error;
    }
  }
}

function advance(process: Process): IteratorResult<unknown, void> | undefined {
  if (process.generator === null) {
    process.begin();
    const generator = process.body();
    if (generator === undefined) return undefined;
    process.generator = generator;
    return generator.next();
  }
  if (process.throwStatus === Throw.None || process.unwinding) return process.generator.next();
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
  if (process.queued) process.context.unschedule(process);
}
