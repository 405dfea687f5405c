/** The SystemC vocabulary of Tandem, for models that are not (yet) hardware. It is scheduled by `sim/systemc`. */
export { Context, currentContext, setCurrentContext, type Parent, type Status } from "./context.js";
export { Time, ZERO_TIME, MAX_TIME, time, fs, ps, ns, us, ms, seconds, timeFromString } from "./time.js";
export { setTimeResolution, timeResolution, type TimeUnit } from "./time.js";
export { Event, EventOrList, EventAndList, anyOf, allOf } from "./event.js";
export { ScObject, findObject, findEvent, topLevelObjects, topLevelEvents, hierarchicalNameExists } from "./object.js";
export { Process, Unwind, type Sensitivity, type ThreadBody, type Wait, type Descendants } from "./process.js";
export { wait, nextTrigger } from "./wait.js";
export { Module, ProcessDeclaration, spawn, currentProcess, type SpawnOptions } from "./module.js";
export { PrimitiveChannel, type PortRole } from "./channel.js";
export { Signal, Buffer, type SignalIn, type SignalInOut, type WriterPolicy } from "./signal.js";
export { Port, Export, EventFinder, type PortPolicy } from "./port.js";
export { In, Out, InOut } from "./signal-ports.js";
export { Fifo, FifoInPort, FifoOutPort, type FifoIn, type FifoOut } from "./fifo.js";
export { Mutex, Semaphore, EventQueue } from "./sync.js";
export { Clock, type ClockOptions } from "./clock.js";
export { Severity, Action, Reports, ReportError, composeReport, message, type Report } from "./report.js";
export { Integer, int, uint, concat } from "./integer.js";
export { Fixed, FixedFormat, type FixedOptions, type Overflow, type Quantisation } from "./fixed.js";
