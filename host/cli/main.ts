#!/usr/bin/env node
/**
 * The command line: `tandem COMMAND`. Threads that will simulate are started first, and load what they need while this one does: then they
 * have warmed up when the network has been read.
 */
import { startSimulators } from "./early.js";

startSimulators(process.argv.slice(2));
const { main } = await import("./commands.js");

// A reader that goes away early (`tandem run | head`) is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(0);
});

process.exitCode = await main(process.argv.slice(2));
