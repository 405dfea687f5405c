/**
 * wait() and next_trigger() in all their forms (IEEE 1666-2011 clauses 5.2.17 and 5.2.18).
 *
 * A thread suspends with `yield wait(...)`; a bare `yield` is `yield wait()`. A method calls `nextTrigger(...)`.
 */
import { currentContext, type Context } from "./context.js";
import { Event, EventAndList, EventOrList, type EventList } from "./event.js";
import { WAIT, type Process, type Wait } from "./process.js";
import { message, Severity } from "./report.js";
import { Time, time, type TimeUnit } from "./time.js";
import { SPECIAL, WAITING } from "./waiter.js";

/** An event, the first of some, or all of some. */
export type Awaited = Event | EventOrList | EventAndList;

/** Static sensitivity; with a number, its n-th occurrence; with an event or a list of events, those instead. */
export function wait(what?: number | Awaited): Wait;
/** A span of time; with an event or a list of events, whichever is first. */
export function wait(timeout: Time, what?: Awaited): Wait;
/** The same with the time as an amount and a unit. */
export function wait(amount: number, unit: TimeUnit, what?: Awaited): Wait;
export function wait(first?: number | Awaited | Time, second?: Awaited | TimeUnit, third?: Awaited): Wait {
  const context = currentContext();
  const process = context.running;
  if (process === null || process.isMethod) {
    notInMethod(context);
    return WAIT;
  }
  if ((process.bits & (WAITING | SPECIAL)) !== 0) {
    if (process.waiting) forgotYield(process);
    if (process.unwinding) context.reports.report(Severity.Error, message.WAIT_DURING_UNWINDING, process.name);
  }
  if (first instanceof Event) {
    process.waitFor(first);
    return WAIT;
  }
  if (first === undefined) process.cyclesLeft = 0;
  else if (first instanceof Time) await_(process, first.value, second as Awaited | undefined, "wait()");
  else if (typeof first !== "number") await_(process, -1, first, "wait()");
  else if (typeof second === "string") await_(process, time(first, second).value, third, "wait()");
  else {
    if (!(first > 0)) context.reports.report(Severity.Error, message.WAIT_N_INVALID, `n = ${first}`);
    process.cyclesLeft = first - 1;
  }
  process.waiting = true;
  return WAIT;
}

/** Back to static sensitivity. */
export function nextTrigger(what?: Awaited): void;
export function nextTrigger(timeout: Time, what?: Awaited): void;
export function nextTrigger(amount: number, unit: TimeUnit, what?: Awaited): void;
export function nextTrigger(first?: Awaited | Time | number, second?: Awaited | TimeUnit, third?: Awaited): void {
  const context = currentContext();
  const process = context.running;
  if (process === null || !process.isMethod) {
    const detail = "\n        in SC_THREADs and SC_CTHREADs use wait() instead";
    context.reports.report(Severity.Error, message.NEXT_TRIGGER_NOT_ALLOWED, detail);
    return;
  }
  if (first instanceof EventOrList || first instanceof EventAndList) nonEmpty(process, first, "next_trigger()");
  process.clearTrigger();
  if (first === undefined) return;
  if (first instanceof Event) process.awaitEvent(-1, first);
  else if (first instanceof Time) await_(process, first.value, second as Awaited | undefined, "next_trigger()");
  else if (typeof first !== "number") await_(process, -1, first, "next_trigger()");
  else await_(process, time(first, second as TimeUnit).value, third, "next_trigger()");
}

function await_(process: Process, timeout: number, what: Awaited | undefined, call: string): void {
  if (what === undefined) process.awaitEvent(timeout, null);
  else if (what instanceof Event) process.awaitEvent(timeout, what);
  else {
    nonEmpty(process, what, call);
    if (what instanceof EventOrList) process.awaitAny(timeout, what);
    else process.awaitAll(timeout, what);
  }
}

function nonEmpty(process: Process, list: EventList, call: string): void {
  if (list.size > 0) return;
  process.context.reports.report(Severity.Error, message.EVENT_LIST_FAILED, `${call} on empty event list not allowed`);
}

function notInMethod(context: Context): void {
  const detail = "\n        in SC_METHODs use next_trigger() instead";
  context.reports.report(Severity.Error, message.WAIT_NOT_ALLOWED, detail);
}

/** A wait that nothing yielded: the thread ran on instead of suspending. */
export function forgotYield(process: Process): void {
  process.context.reports.report(
    Severity.Error,
    [-1, "wait() without yield"],
    `thread '${process.name}' called a wait that it did not yield; write: yield wait(...), or yield* for a blocking call`,
  );
}
