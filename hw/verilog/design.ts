/**
 * A whole design as Verilog-2005: one module per module of the design (equal ones share their text), one per process, cell
 * and memory, and the library. Names and hierarchy are those of the source.
 */
import { BlackBox, boxOf } from "../blackbox.js";
import type { Channel } from "../channel.js";
import { TandemError } from "../errors.js";
import type { CellIr, DesignIr } from "../ir/ir.js";
import { statementsIn } from "../ir/walk.js";
import type { Module } from "../module.js";
import type { ProcessNode } from "../process.js";
import type { Side } from "../fsm/usage.js";
import { lower } from "../fsm/walk.js";
import { where } from "../fsm/unroll.js";
import { boxBundles, checkedBoxText } from "./black-box.js";
import { cellModule } from "./cell.js";
import { gridModule } from "./grid.js";
import { countBits, wiresOf, type Bundle } from "./interface.js";
import { delay, fifo, fifoLanes } from "./library.js";
import { memoryModule, memoryPortName } from "./memory.js";
import { NameTable, span } from "./names.js";
import { packed } from "./pack.js";
import { processModule, type ProcessModule } from "./process.js";
import type { SourceLine } from "./process-scope.js";
import { isOutput, portName, Routes, type Local } from "./routes.js";

export interface OuterPort {
  readonly name: string;
  readonly direction: "in" | "out";
  readonly channel: Channel;
}

/** Where the simulation finds what it counts: paths of instances below the top, joined by dots. */
export interface Probes {
  readonly processes: readonly {
    readonly node: ProcessNode;
    readonly instance: string;
    readonly stalls: readonly { readonly side: Side; readonly channel: string; readonly register: string }[];
  }[];
  readonly channels: readonly { readonly channel: Channel; readonly instance: string }[];
  readonly grids: readonly { readonly path: string; readonly instance: string; readonly cells: number }[];
  readonly memories: readonly {
    readonly path: string;
    readonly reads: readonly string[];
    readonly writes: readonly string[];
  }[];
  /** Wires that are high while something moves inside a black box. */
  readonly boxes: readonly string[];
}

export interface VerilogDesign {
  /** Name of the top module. */
  readonly top: string;
  /** File name (with .v) to text; a module depends only on files before it. */
  readonly files: ReadonlyMap<string, string>;
  readonly ports: readonly OuterPort[];
  readonly probes: Probes;
}

export interface EmitOptions {
  readonly source?: SourceLine;
}

/** Throws a `TandemError` where the design holds something that is no hardware. */
export function emitVerilog(ir: DesignIr, options: EmitOptions = {}): VerilogDesign {
  // In a black box an estimate is a guess too: the model's clocks are to be those of its Verilog.
  for (const { estimates, node, body } of ir.processes) {
    if (!estimates) continue;
    const at = [...statementsIn(body)].find((stmt) => stmt.kind === "clocks" && stmt.estimate)?.at;
    throw new TandemError(`${at ? `${where(at)}: ` : ""}${node.path} holds an estimate, which is no hardware yet`, {
      hint: "Replace `this.estimate(n)` by the hardware that takes the time (language rule 8).",
    });
  }
  return new DesignText(ir, options.source ?? (() => undefined)).build();
}

/** A port's connection, or a dangling one. */
const pin = (port: string, to: string): string => `.${port}(${to})`;

class DesignText {
  readonly #ir: DesignIr;
  readonly #source: SourceLine;
  readonly #routes: Routes;
  readonly #processes = new Map<ProcessNode, ProcessModule>();
  /** Module names by text, so that equal modules are written once. */
  readonly #byText = new Map<string, string>();
  readonly #moduleNames = new NameTable();
  readonly #files = new Map<string, string>();
  readonly #types = new Map<Module, string>();
  readonly #instances = new Map<Module, string>();
  readonly #library = new Set<string>();
  /** Texts of the Verilog of black boxes, by module. */
  readonly #boxes = new Map<string, string>();
  /** Black boxes whose Verilog says when it is busy. */
  readonly #busy = new Set<BlackBox>();
  readonly #probes = {
    processes: [] as Probes["processes"][number][],
    channels: [] as Probes["channels"][number][],
    grids: [] as Probes["grids"][number][],
    memories: [] as Probes["memories"][number][],
    boxes: [] as string[],
  };
  /** Instances inside a module: local instance name and what it is, for the probes. */
  readonly #inside = new Map<Module, ((path: string) => void)[]>();

  constructor(ir: DesignIr, source: SourceLine) {
    this.#ir = ir;
    this.#source = source;
    this.#routes = new Routes(ir.design);
    for (const name of ["tandem_fifo", "tandem_fifo_lanes", "tandem_delay"]) this.#moduleNames.unique(name);
  }

  build(): VerilogDesign {
    const { design, processes } = this.#ir;
    const ports: OuterPort[] = [
      ...Object.entries(design.inputs).map(([name, channel]) => ({ name, direction: "in" as const, channel })),
      ...Object.entries(design.outputs).map(([name, channel]) => ({ name, direction: "out" as const, channel })),
    ];
    for (const { direction, channel } of ports)
      this.#routes.route({ kind: direction === "in" ? "push" : "pop", part: channel }, "outside");
    for (const module of design.modules)
      if (module instanceof BlackBox) for (const bundle of boxBundles(module)) this.#routes.route(bundle, module);
    for (const process of processes) {
      const { module } = process.node;
      if (boxOf(module)) continue;
      const text = processModule(lower(process), (bundle) => portName(module, bundle), this.#source);
      this.#processes.set(process.node, text);
      for (const { bundle } of text.bundles) this.#routes.route(bundle, module);
    }
    for (const grid of design.grids)
      if (!boxOf(grid.owner)) this.#routes.route({ kind: "push", part: grid.results.channel }, grid.owner);
    const top = this.#module(design.top);
    this.#probe(design.top, "");
    const library: [string, string][] = [
      ["tandem_fifo", fifo],
      ["tandem_fifo_lanes", fifoLanes],
      ["tandem_delay", delay],
    ];
    const used = library
      .filter(([name]) => this.#library.has(name))
      .map(([name, text]) => [`${name}.v`, text] as const);
    return { top, files: new Map([...used, ...this.#files]), ports, probes: this.#probes };
  }

  /** Write `text` as a module that is called `wanted`, unless the same text has a module already. */
  #write(wanted: string, text: string, what: string): string {
    const before = this.#byText.get(text);
    if (before !== undefined) return before;
    const name = this.#moduleNames.unique(wanted);
    this.#byText.set(text, name);
    const quiet = "/* verilator lint_off UNUSED */\n/* verilator lint_off PINCONNECTEMPTY */\n";
    this.#files.set(`${name}.v`, `// ${what}. Written by tandem rtl.\n${quiet}module ${name}${text}`);
    return name;
  }

  /** The Verilog of a black box as it stands; its name, with the parameters of this instance. */
  #blackBox(box: BlackBox): string {
    const { module, parameters = {} } = box.verilog;
    const { text, busy } = checkedBoxText(box);
    const before = this.#boxes.get(module);
    if (before === undefined && this.#moduleNames.unique(module) !== module)
      throw new TandemError(`${box.path}: there is another module named ${module} in the design`, {
        hint: "Give the Verilog module another name.",
      });
    if (before !== undefined && before !== text)
      throw new TandemError(`${box.path}: two black boxes have different texts for the Verilog module ${module}`, {
        hint: "Name the modules differently, or give both one file.",
      });
    this.#boxes.set(module, text);
    this.#files.set(`${module}.v`, text.endsWith("\n") ? text : `${text}\n`);
    if (busy) this.#busy.add(box);
    const given = Object.entries(parameters).map(([name, value]) => pin(name, String(value)));
    return given.length > 0 ? `${module} #(${given.join(", ")})` : module;
  }

  #module(module: Module): string {
    if (module instanceof BlackBox) return this.#blackBox(module);
    for (const child of module.children) this.#types.set(child, this.#module(child));
    const scope = this.#routes.scopes.get(module)!;
    const lines: string[] = [];
    const probes: ((path: string) => void)[] = [];
    this.#inside.set(module, probes);
    const type = module.constructor.name;
    const locals = [...scope.bundles.values()];
    const ports = locals.filter(({ port }) => port !== undefined);
    const list = ["  input wire clk", "  input wire rst"];
    for (const local of ports)
      for (const wire of wiresOf(local.bundle))
        list.push(
          `  ${isOutput(local, wire) ? "output" : "input"} wire ${span(wire.width)}${local.name}${wire.suffix}`,
        );
    for (const local of locals) {
      // A signal read where it stands is the register itself.
      if (local.port !== undefined || (local.bundle.kind === "signalRead" && local.bundle.part.owner === module))
        continue;
      for (const wire of wiresOf(local.bundle)) lines.push(`  wire ${span(wire.width)}${local.name}${wire.suffix};`);
    }
    for (const channel of this.#ir.design.channels.filter((c) => c.owner === module))
      this.#channel(module, channel, lines, probes);
    for (const signal of module.signals) this.#signal(module, signal, lines);
    for (const memory of module.memories) this.#memory(module, memory, lines, probes);
    for (const grid of module.grids) this.#grid(module, type, grid, lines, probes);
    for (const process of module.processes) this.#process(module, type, process, lines, probes);
    for (const child of module.children) {
      const name = scope.names.unique(child.name);
      this.#instances.set(child, name);
      const pins = [...this.#routes.scopes.get(child)!.bundles.entries()].flatMap(([key, local]) => {
        if (local.port === undefined) return [];
        const outer = scope.bundles.get(key)!;
        return wiresOf(local.bundle).map(({ suffix }) => pin(local.name + suffix, outer.name + suffix));
      });
      if (child instanceof BlackBox && this.#busy.has(child)) {
        const wire = scope.names.unique(`${name}_busy`);
        lines.push(`  wire ${wire};`);
        pins.push(pin("busy", wire));
        probes.push((path) => this.#probes.boxes.push(path + wire));
      }
      lines.push(instance(this.#types.get(child)!, name, pins));
    }
    const text = ` (\n${list.join(",\n")}\n);\n${lines.join("\n")}\nendmodule\n`;
    return this.#write(type, text, `Module ${type}`);
  }

  /** Names of the wires of a bundle as the module sees it. */
  #wires(module: Module, bundle: Bundle): Local | undefined {
    return this.#routes.find(module, bundle);
  }

  #channel(module: Module, channel: Channel, lines: string[], probes: ((path: string) => void)[]): void {
    const scope = this.#routes.scopes.get(module)!;
    const { type, depth, lanes } = channel;
    const end = (kind: "push" | "pop"): Local | undefined => {
      const bundle: Bundle = { kind, part: channel };
      const outside = [...scope.bundles.values()].find(
        (local) => local.bundle.kind === kind && local.bundle.part === channel && local.port === "toUser",
      );
      return outside ?? this.#wires(module, bundle);
    };
    const producer = end("push");
    const consumer = end("pop");
    const name = scope.names.unique(`${channel.name}_fifo`);
    const library = lanes === 1 ? "tandem_fifo" : "tandem_fifo_lanes";
    this.#library.add(library);
    const parameters = [pin("WIDTH", String(type.bits)), pin("DEPTH", String(depth))];
    const staged = producer?.bundle.kind === "push" && producer.bundle.staged === true;
    if (staged) parameters.push(pin("STAGED", "1"));
    if (lanes > 1)
      parameters.push(
        pin("LANES", String(lanes)),
        pin("COUNT", String(countBits(lanes))),
        pin("HELD", String(countBits(depth))),
      );
    const none = lanes === 1 ? "1'b0" : `${countBits(lanes)}'d0`;
    const pins = [
      pin("in_data", producer ? `${producer.name}_data` : `${type.bits * lanes}'d0`),
      ...(lanes === 1 ? [pin("in_stage", staged ? `${producer.name}_stage` : "1'b0")] : []),
      pin("in_valid", producer ? `${producer.name}_valid` : none),
      pin("in_ready", producer ? `${producer.name}_ready` : ""),
      pin("out_data", consumer ? `${consumer.name}_data` : ""),
      pin("out_valid", consumer ? `${consumer.name}_valid` : ""),
      pin("out_ready", consumer ? `${consumer.name}_ready` : none),
    ];
    lines.push(instance(`${library} #(${parameters.join(", ")})`, name, pins));
    probes.push((path) => this.#probes.channels.push({ channel, instance: path + name }));
  }

  #signal(module: Module, signal: Module["signals"][number], lines: string[]): void {
    const writer = this.#wires(module, { kind: "signalWrite", part: signal });
    const reader = this.#wires(module, { kind: "signalRead", part: signal });
    const scope = this.#routes.scopes.get(module)!;
    const inside = reader && reader.port === undefined ? reader.name : scope.names.unique(`${signal.name}_register`);
    lines.push(
      `  reg ${span(signal.type.bits)}${inside};`,
      "  always @(posedge clk)",
      `    if (rst) ${inside} <= ${packed(signal.type, signal.initial)};`,
      ...(writer ? [`    else if (${writer.name}_we) ${inside} <= ${writer.name}_d;`] : []),
    );
    if (reader && reader.name !== inside) lines.push(`  assign ${reader.name} = ${inside};`);
  }

  #memory(
    module: Module,
    memory: Module["memories"][number],
    lines: string[],
    probes: ((path: string) => void)[],
  ): void {
    const scope = this.#routes.scopes.get(module)!;
    const type = this.#write(
      `${module.constructor.name}_${memory.name}`,
      memoryModule(memory),
      `Memory of ${memory.depth} words of ${memory.type.bits} bits`,
    );
    const name = scope.names.unique(memory.name);
    const reads: string[] = [];
    const writes: string[] = [];
    const pins: string[] = [];
    for (const port of memory.ports) {
      const p = memoryPortName(port);
      const bundle: Bundle = { kind: "port", part: port };
      const local = this.#wires(module, bundle);
      for (const { suffix, width, byProcess } of wiresOf(bundle))
        pins.push(pin(p + suffix, local ? local.name + suffix : byProcess ? `${width}'d0` : ""));
      if (port.canRead) reads.push(`${p}_re`);
      if (port.canWrite) writes.push(`${p}_we`);
    }
    lines.push(instance(type, name, pins, false));
    probes.push((path) => {
      const wire = (w: string): string => `${path}${name}.${w}`;
      this.#probes.memories.push({ path: memory.path, reads: reads.map(wire), writes: writes.map(wire) });
    });
  }

  #grid(
    module: Module,
    type: string,
    grid: Module["grids"][number],
    lines: string[],
    probes: ((path: string) => void)[],
  ): void {
    const scope = this.#routes.scopes.get(module)!;
    const ir = this.#ir.cells.find((cell): cell is CellIr => cell.grid === grid);
    if (!ir) throw new Error(`${grid.path} has no cell in the IR`);
    this.#library.add("tandem_delay");
    const cell = cellModule(ir, this.#source);
    const cellName = this.#write(grid.cell.constructor.name, cell.text, `Cell of ${grid.path}`);
    const text = gridModule(grid, cellName, cell.placed);
    const gridName = this.#write(`${type}_${grid.name}`, text, `Grid of ${grid.rows} x ${grid.cols} cells`);
    const name = scope.names.unique(grid.name);
    const feed = this.#wires(module, { kind: "grid", part: grid });
    const results = this.#wires(module, { kind: "push", part: grid.results.channel })!;
    const pins = wiresOf({ kind: "grid", part: grid }).map(({ suffix, width }) =>
      pin(suffix.slice(1), feed ? feed.name + suffix : `${width}'d0`),
    );
    pins.push(pin("results_data", `${results.name}_data`), pin("results_valid", `${results.name}_valid`));
    lines.push(instance(gridName, name, pins));
    const cells = grid.rows * grid.cols;
    probes.push((path) => this.#probes.grids.push({ path: grid.path, instance: path + name, cells }));
  }

  #process(
    module: Module,
    type: string,
    process: ProcessNode,
    lines: string[],
    probes: ((path: string) => void)[],
  ): void {
    const scope = this.#routes.scopes.get(module)!;
    const text = this.#processes.get(process);
    if (!text) throw new Error(`${process.path} has no IR`);
    const moduleName = this.#write(`${type}_${process.name}`, text.text, `Process ${type}.${process.name}`);
    const name = scope.names.unique(process.name);
    const pins = text.bundles.flatMap(({ bundle, name: port }) => {
      const local = this.#wires(module, bundle)!;
      return wiresOf(bundle).map(({ suffix }) => pin(port + suffix, local.name + suffix));
    });
    lines.push(instance(moduleName, name, pins));
    probes.push((path) =>
      this.#probes.processes.push({
        node: process,
        instance: path + name,
        stalls: text.stalls.map(({ side, channel, register }) => ({ side, channel: channel.path, register })),
      }),
    );
  }

  /** Collect the probes of a module that stands at `path` (empty, or ending in a dot). */
  #probe(module: Module, path: string): void {
    if (module instanceof BlackBox) return;
    for (const probe of this.#inside.get(module)!) probe(path);
    for (const child of module.children) this.#probe(child, `${path}${this.#instances.get(child)!}.`);
  }
}

function instance(type: string, name: string, pins: readonly string[], reset = true): string {
  const all = [pin("clk", "clk"), ...(reset ? [pin("rst", "rst")] : []), ...pins];
  return `  ${type} ${name} (\n    ${all.join(",\n    ")}\n  );`;
}
