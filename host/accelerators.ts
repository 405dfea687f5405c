/**
 * Accelerators by name and place: a design on a simulator in this process or in a worker, or behind a TCP address. What only some of them
 * need is imported where it is needed: most commands simulate on the fast engine, and they would wait for a hundred modules more.
 */
import type { Design, Level } from "../driver/design.js";
import type { Device, DeviceDescription, ParameterValue } from "../driver/device.js";
import { Offload } from "../driver/offload.js";
import { SimulatorTeam } from "../driver/transport/team.js";
import type { SimulatorOptions } from "../driver/transport/simulator.js";
import type { WorkerDesign } from "../driver/transport/worker.js";
import { TandemError } from "../hw/errors.js";
import { acceleratorImplementations, ACCELERATOR } from "./backends/accelerator.js";
import { openDesign } from "./design-file.js";
import { DEFAULT_DESIGN } from "./registry.js";
import { cpuTarget, type Target } from "./targets.js";

/** Engines that simulate a design, equal in all that they compute and count (docs/engines.md). */
export const ENGINES = ["fast", "kernel", "rtl"] as const;
export type Engine = (typeof ENGINES)[number];

type Parameters = Readonly<Record<string, ParameterValue>>;

/** The board around a simulated design, and whether to record what happens over time. A server has its own. */
export type SimulationOptions = Pick<SimulatorOptions, "board" | "timeline">;

export interface AcceleratorRequest {
  /** `sim`, or `tcp://HOST:PORT`. */
  readonly on: string;
  /** Undefined: the default design, or over TCP whatever the server runs. */
  readonly design?: string | undefined;
  /** Parameters that differ from the design's defaults. */
  readonly set?: Parameters;
  /** What simulates; `fast` unless said otherwise. */
  readonly engine?: Engine | undefined;
  /** How close to hardware (docs/levels.md); the closest that the design has unless said otherwise. */
  readonly level?: Level | undefined;
  /** Simulate in this thread on the kernel, which a trace needs; else in a worker. */
  readonly inProcess?: SimulatorOptions;
  readonly simulation?: SimulationOptions;
  /**
   * Layers that are simulated at once: by this thread and workers (`fast`), or by workers (`kernel`). Without it one worker simulates,
   * and this thread stays free.
   */
  readonly jobs?: number | undefined;
  readonly onClocks?: (clocks: number) => void;
  /** Hears how far the build of a simulator of Verilog has come (`rtl`). */
  readonly onBuild?: (done: number, total: number) => void;
}

export interface OpenAccelerator {
  readonly design: Design;
  readonly config: unknown;
  readonly device: Device;
  readonly description: DeviceDescription;
  readonly accelerator: Offload<unknown>;
}

/** True for what a design may be called besides the registered ones: a user's own in SystemC, which takes part in whole networks only. */
const isSystemCDesign = (name: string): boolean => name.endsWith(".systemc.json");

/** True for the places where accelerators are. */
export const isAcceleratorPlace = (on: string): boolean => on === "sim" || on.startsWith("tcp:");

/** @throws TandemError if there is no such design, parameter or place, or nobody answers. */
export async function openAccelerator(request: AcceleratorRequest): Promise<OpenAccelerator> {
  const { on, onClocks, design: name } = request;
  if (name !== undefined && isSystemCDesign(name))
    throw new TandemError(`${name} is a design in SystemC: it takes whole networks`, {
      hint: "Use tandem run or tandem verify.",
    });
  const device = on === "sim" ? await openSimulator(request) : await openServer(on);
  try {
    const description = await device.describe();
    if (on !== "sim") await checkSame(request, description);
    // A file's design may have the name of another: that it is the same has been seen to.
    const { design } = await openDesign(name ?? description.design);
    const config = design.configure(description.parameters);
    const accelerator = new Offload(design, config, device, onClocks ? { onClocks } : {});
    return { design, config, device, description, accelerator };
  } catch (error) {
    await device.close();
    throw error;
  }
}

/** A simulator of the design asked for. */
export async function openSimulator(request: Omit<AcceleratorRequest, "on">): Promise<Device> {
  const { design: name, set, inProcess, simulation = {}, level } = request;
  const { design, preset, module, export: exported } = await openDesign(name ?? DEFAULT_DESIGN);
  const parameters = { ...preset, ...set };
  const options = level === undefined ? simulation : { ...simulation, level };
  if (level === "transaction") {
    checkUntimed(request, level);
    const { TransactionSimulator } = await import("../driver/transport/transaction-simulator.js");
    return TransactionSimulator.of(design, parameters);
  }
  if (inProcess) {
    const { Simulator } = await import("../driver/transport/simulator.js");
    return Simulator.of(design, parameters, { ...options, ...inProcess });
  }
  const engine = request.engine ?? "fast";
  if (engine === "rtl" && level !== undefined && level !== "rtl")
    throw new TandemError(`The engine rtl runs what the level rtl becomes as Verilog, not the level ${level}`, {
      hint: "Use --engine fast or kernel, or leave --level away.",
    });
  if (engine === "rtl" && (simulation.board !== undefined || simulation.timeline === true))
    throw new TandemError("The engine rtl knows neither the board's memory nor what happens over time", {
      hint: "Use --engine fast, which is equal to it clock for clock, or --platform ideal without --report.",
    });
  // The simulator of the Verilog is a program of its own: it needs no worker.
  if (engine === "rtl") {
    const { onBuild } = request;
    const { RtlSimulator } = await import("../driver/transport/rtl-simulator.js");
    return RtlSimulator.of(design, parameters, onBuild ? { build: { onBuild } } : {});
  }
  const source = { module, export: exported, engine, parameters, options };
  const { jobs } = request;
  if (engine === "fast" && jobs !== undefined) return SimulatorTeam.open(source, jobs);
  return openWorkers(source, jobs ?? 1);
}

async function openServer(on: string): Promise<Device> {
  const [{ parseTcpAddress }, { openTcp }] = await Promise.all([
    import("../driver/transport/address.js"),
    import("../driver/transport/tcp-client.js"),
  ]);
  return openTcp(parseTcpAddress(on));
}

async function openWorkers(source: WorkerDesign, jobs: number): Promise<Device> {
  const { openWorker } = await import("../driver/transport/worker.js");
  if (jobs === 1) return openWorker(source);
  const { DevicePool } = await import("../driver/transport/pool.js");
  const opened = await Promise.allSettled(Array.from({ length: jobs }, () => openWorker(source)));
  const devices = opened.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
  const failed = opened.find((one) => one.status === "rejected");
  if (!failed) return new DevicePool(devices);
  await Promise.all(devices.map((device) => device.close()));
  throw failed.reason;
}

/** True where layers can be simulated at once. */
const inWorkers = ({ on, engine = "fast", level, inProcess }: AcceleratorRequest): boolean =>
  on === "sim" && engine !== "rtl" && level !== "transaction" && !inProcess;

/** @throws TandemError where something is asked of a level that has no clocks. */
function checkUntimed({ engine, inProcess, simulation }: Omit<AcceleratorRequest, "on">, level: Level): void {
  const wanted = engine !== undefined ? `--engine ${engine}` : inProcess ? "a waveform" : undefined;
  if (wanted !== undefined)
    throw new TandemError(`The level ${level} has no clocks: ${wanted} means nothing there`, {
      hint: "Use --level cycle or rtl.",
    });
  if (simulation?.board !== undefined || simulation?.timeline === true)
    throw new TandemError(`The level ${level} knows neither the board's memory nor what happens over time`, {
      hint: "Use --platform ideal without --report, or --level cycle or rtl.",
    });
}

/** What the user asked for by name must be what the server runs. */
async function checkSame(
  { on, design: name, set = {} }: AcceleratorRequest,
  { design, parameters }: DeviceDescription,
): Promise<void> {
  const differs = (what: string, asked: string, runs: string): never => {
    throw new TandemError(`${on} runs ${what} ${runs}, not ${asked}`, {
      hint: "Start the server as you need it, or leave --design and --set away and take what it runs.",
    });
  };
  const wanted = await openDesign(name ?? design);
  if (wanted.design.name !== design) differs("design", wanted.design.name, design);
  const known = wanted.design;
  const overrides = { ...wanted.preset, ...set };
  const asked = known.describe(known.configure(overrides));
  for (const key of Object.keys(overrides))
    if (asked[key] !== parameters[key])
      differs("with", `${key}=${String(asked[key])}`, `${key}=${String(parameters[key])}`);
}

/** A place to run networks on: the accelerator for what it takes, the CPU for the rest. */
export async function acceleratorTarget(request: AcceleratorRequest, kernels?: string): Promise<Target> {
  const cpu = cpuTarget(kernels);
  if (request.design !== undefined && isSystemCDesign(request.design)) return systemcTarget(request, cpu);
  if (request.level === "functional") return functionalTarget(request, cpu);
  const { description, accelerator } = await openAccelerator(request);
  return {
    implementations: [...acceleratorImplementations(accelerator), ...cpu.implementations],
    prefer: [ACCELERATOR, ...cpu.prefer],
    offload: {
      design: description.design,
      config: description.parameters,
      peakMacsPerClock: accelerator.peakMacsPerClock,
    },
    engine: description.engine,
    level: description.level,
    jobs: inWorkers(request) ? (request.jobs ?? 1) : 1,
    close: () => accelerator.close(),
  };
}

/** The design's oracle for the layers that it takes. */
async function functionalTarget(request: AcceleratorRequest, cpu: Target): Promise<Target> {
  checkUntimed(request, "functional");
  const { FunctionalAccelerator } = await import("../driver/functional.js");
  const { design, preset } = await openDesign(request.design ?? DEFAULT_DESIGN);
  const config = design.configure({ ...preset, ...request.set });
  const accelerator = new FunctionalAccelerator(design, config);
  return {
    implementations: [...acceleratorImplementations(accelerator), ...cpu.implementations],
    prefer: [ACCELERATOR, ...cpu.prefer],
    offload: {
      design: design.name,
      config: design.describe(config),
      peakMacsPerClock: accelerator.peakMacsPerClock,
    },
    engine: "model",
    level: "functional",
    close: () => accelerator.close(),
  };
}

/** A user's own design in SystemC (`tandem systemc build`). */
async function systemcTarget({ on, design: file, set, engine }: AcceleratorRequest, cpu: Target): Promise<Target> {
  const hint = "Its constants are in its C++ class; it runs with --on sim.";
  if (on !== "sim") throw new TandemError(`${file!} is simulated, it is not at ${on}`, { hint });
  if (engine !== undefined)
    throw new TandemError(`${file!} is a design in SystemC, which the engine ${engine} cannot run`, {
      hint: `Leave --engine ${engine} away: it is simulated by its own build.`,
    });
  if (set && Object.keys(set).length > 0) throw new TandemError(`${file!} has no parameters for --set`, { hint });
  const { openSystemC } = await import("../driver/systemc/open.js");
  const { accelerator, design } = await openSystemC(file!);
  const { columns, depth, clockPeriod } = design;
  return {
    implementations: [...acceleratorImplementations(accelerator), ...cpu.implementations],
    prefer: [ACCELERATOR, ...cpu.prefer],
    offload: { design: design.top, config: { columns, depth, clockPeriod }, peakMacsPerClock: design.macsPerClock },
    engine: "systemc",
    level: "cycle",
    close: () => accelerator.close(),
  };
}
