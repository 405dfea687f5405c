/** The hardware language, as a designer imports it. */
export * from "./types.js";
export * from "./arithmetic.js";
export { TandemError } from "./errors.js";
export { Module } from "./module.js";
export { BlackBox, type VerilogSource } from "./blackbox.js";
export { clocks, type Process, type Operation } from "./process.js";
export { Channel, ChannelIn, ChannelOut, type ChannelOptions } from "./channel.js";
export { Memory, type ReadPort, type WritePort, type ReadWritePort } from "./memory.js";
export { Signal } from "./signal.js";
export { Cell, Grid, type Inputs, type Outputs, type Mutable } from "./grid.js";
export { elaborate, type Elaborated } from "./elaborate.js";
