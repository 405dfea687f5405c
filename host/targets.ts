/**
 * Where a network runs (`--on`): the implementations to plan with, in order of preference, and how the place is called in
 * reports. The CPU alone; a simulated design in a worker; or a device behind a socket.
 */
import type { Accelerator } from "../driver/accelerator.js";
import type { Design } from "../driver/design.js";
import type { Device, ParameterValue } from "../driver/device.js";
import { Offload, type OffloadOptions } from "../driver/offload.js";
import { parseTcpAddress } from "../driver/transport/address.js";
import { openTcp } from "../driver/transport/tcp-client.js";
import { openWorker } from "../driver/transport/worker.js";
import { TandemError } from "../hw/errors.js";
import { ACCELERATOR, acceleratorConv2d } from "./backends/accelerator.js";
import type { Implementation } from "./kernels/implementation.js";
import { CPU_IMPLEMENTATIONS, CPU_PREFERENCE } from "./kernels/registry.js";
import { findDesign } from "./registry.js";

export interface AcceleratorTarget {
  readonly accelerator: Accelerator;
  readonly design: Design;
  /** Every parameter, with its value. */
  readonly config: Readonly<Record<string, ParameterValue>>;
}

export interface Target {
  readonly implementations: readonly Implementation[];
  readonly prefer: readonly string[];
  /** Undefined on the CPU alone. */
  readonly offload?: AcceleratorTarget;
  /** What runs it: `cpu`, `kernel`, `fast`, `rtl`, `board`. */
  readonly engine: string;
  /** Level of the design; null on the CPU. */
  readonly level: string | null;
  close(): Promise<void>;
}

/** The CPU; `kernels` names the implementations to take first, the others follow. */
export function cpuTarget(kernels?: string): Target {
  return {
    implementations: CPU_IMPLEMENTATIONS,
    prefer: [...new Set([...(kernels === undefined ? [] : [kernels]), ...CPU_PREFERENCE])],
    engine: "cpu",
    level: null,
    close: () => Promise.resolve(),
  };
}

export interface OffloadTargetOptions extends OffloadOptions {
  /** CPU kernels to take first for what is not offloaded. */
  readonly kernels?: string;
}

/** A design with these parameters, simulated in a worker. @throws TandemError for unknown ones and bad values. */
export async function simulatedTarget(
  name: string,
  parameters: Readonly<Record<string, ParameterValue>>,
  options: OffloadTargetOptions = {},
): Promise<Target> {
  const { design, module, export: exported } = findDesign(name);
  const configuration = design.configure(parameters);
  const device = await openWorker({ module, export: exported, parameters });
  return closingOnError(device, () => offloadTarget(design, configuration, device, options));
}

/**
 * A device at `tcp://host:port`, which says itself what it is.
 * @throws TandemError if nothing answers there, or the device is of a design that this Tandem does not have.
 */
export async function remoteTarget(address: string, options: OffloadTargetOptions = {}): Promise<Target> {
  const device = await openTcp(parseTcpAddress(address));
  return closingOnError(device, async () => {
    const { design: name, parameters } = await device.describe();
    const { design } = findDesign(name);
    return offloadTarget(design, design.configure(parameters), device, options);
  });
}

/** An open worker or socket keeps the process alive: whoever opened it and fails has to close it. */
async function closingOnError(device: Device, action: () => Promise<Target>): Promise<Target> {
  try {
    return await action();
  } catch (error) {
    await device.close();
    throw error;
  }
}

async function offloadTarget(
  design: Design,
  configuration: unknown,
  device: Device,
  options: OffloadTargetOptions,
): Promise<Target> {
  const { engine, level } = await device.describe();
  const accelerator = new Offload(design, configuration, device, options);
  const cpu = cpuTarget(options.kernels);
  return {
    implementations: [acceleratorConv2d(accelerator), ...cpu.implementations],
    prefer: [ACCELERATOR, ...cpu.prefer],
    offload: { accelerator, design, config: design.describe(configuration) },
    engine,
    level,
    close: () => accelerator.close(),
  };
}

/** The accelerator of a target that has one. */
export function acceleratorOf(target: Target, command: string): AcceleratorTarget {
  if (target.offload) return target.offload;
  throw new TandemError(`${command} needs an accelerator`, { hint: "Use --on sim or --on tcp://HOST:PORT." });
}
