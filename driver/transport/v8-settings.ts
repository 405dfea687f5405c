/**
 * V8's settings for a process that simulates whole networks. They are part of what V8 checks in kept machine code (machine-code.ts), so they are
 * the same in all such processes and come before anything is compiled. Only versions that they were tried with are told.
 */
import { setFlagsFromString } from "node:v8";

const SETTINGS = [
  // Bytes of its own code that a JavaScript function runs before V8 makes good code of it, here some seven times as many as usual. What is done once
  // a layer is never worth the milliseconds of processor time that this takes; what is done for each answer of the board's memory soon is.
  "--interrupt-budget=1000000",
  // The collector looks through a heap of some 10 MB as soon as typed arrays of some 30 MB are made, which a network's are: in other threads, but
  // there the network is simulated. Now it waits until the heap is as large as it may get before all of it must be looked through.
  "--incremental-marking-soft-trigger=95",
  "--incremental-marking-hard-trigger=99",
  // How large that is, after the collection at the start, in percent above what is in use; typed arrays count. The heap is 6 to 7 MB then, and ResNet-18's arrays are 55.
  "--heap-growing-percent=1500",
  // Of threads that are started from now on, in MB.
  "--initial-old-space-size=128",
];

let told = false;

export function settleV8(): void {
  if (told || !process.versions.v8.startsWith("11.")) return;
  told = true;
  SETTINGS.forEach(setFlagsFromString);
}
