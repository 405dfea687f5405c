/**
 * A process as one Verilog module: a combinational walk from the present state through everything that happens in this
 * clock, written in the order of the source, and the registers that it leaves behind. `name_n` is a register's
 * next value; a name alone is its value at the start of the clock. A step that several others lead to has a flag `at_...`.
 */
import type { Channel } from "../channel.js";
import type { Expr, Local, Position, Ref, StateField, Target } from "../ir/ir.js";
import type { MemoryPort } from "../memory.js";
import type { Signal } from "../signal.js";
import type { Grid } from "../grid.js";
import type { Variable } from "../fsm/uses.js";
import { isUsedUp, usageOf, type Side } from "../fsm/usage.js";
import type { Machine, Step } from "../fsm/walk.js";
import type { Action, Node } from "../fsm/graph.js";
import { widthOf } from "../fsm/width.js";
import { rootOf } from "../fsm/unroll.js";
import { bitsFor, ExprText, literal, placeText, type Names } from "./expr.js";
import { bundlesOf } from "./bundles.js";
import { findBranches, inline, type Branches } from "./branches.js";
import { countersText } from "./counters.js";
import { FunctionLibrary } from "./functions.js";
import { countBits, defaultName, wiresOf, type Bundle } from "./interface.js";
import { NameTable, span } from "./names.js";
import { packed } from "./pack.js";

/** The words of the source at a position, for comments; undefined where the text is not at hand. */
export type SourceLine = (at: Position) => string | undefined;

export interface ProcessModule {
  /** The text behind `module NAME`, from the port list on; equal texts share a module. */
  readonly text: string;
  readonly bundles: readonly { readonly bundle: Bundle; readonly name: string }[];
  /** Stalled clocks are counted in these registers (simulation with counters). */
  readonly stalls: readonly { readonly side: Side; readonly channel: Channel; readonly register: string }[];
}

export function processModule(
  machine: Machine,
  nameOf: (bundle: Bundle) => string | undefined,
  source: SourceLine,
): ProcessModule {
  return new ProcessText(machine, nameOf, source).build();
}

class ProcessText implements Names {
  readonly #machine: Machine;
  readonly #source: SourceLine;
  readonly #names = new NameTable();
  readonly #functions = new FunctionLibrary();
  readonly #expr: ExprText;
  readonly #bundles: { bundle: Bundle; name: string }[];
  readonly #pops = new Map<Channel, string>();
  readonly #pushes = new Map<Channel, string>();
  readonly #ports = new Map<MemoryPort, string>();
  readonly #reads = new Map<Signal, string>();
  readonly #writes = new Map<Signal, string>();
  readonly #grids = new Map<Grid, string>();
  readonly #locals = new Map<Local, string>();
  readonly #fields = new Map<StateField, string>();
  readonly #states = new Map<Node, string>();
  readonly #flags = new Map<Step, string>();
  readonly #branches: Branches;
  readonly #written = new Set<Local>();
  /** Channels into which operands are written before they are pushed. */
  readonly #staged: ReadonlySet<Channel>;
  /** Declarations of values bound inside expressions. */
  readonly #extra: string[] = [];
  readonly #extraDefaults: string[] = [];
  #lines: string[] = [];
  #indent = 2;
  /** Variables that may have changed in this clock, where the text is being written; undefined for "all". */
  #changed: ReadonlySet<Variable> | undefined = new Set();
  #lastComment = "";

  constructor(machine: Machine, nameOf: (bundle: Bundle) => string | undefined, source: SourceLine) {
    this.#machine = machine;
    this.#staged = new Set(machine.staged.values());
    this.#branches = findBranches(machine.steps);
    this.#source = source;
    this.#expr = new ExprText(this, this.#functions);
    for (const reserved of ["state", "state_n", "busy"]) this.#names.unique(reserved);
    this.#bundles = bundlesOf(machine).map((bundle) => {
      const suffixes = wiresOf(bundle).map(({ suffix }) => suffix);
      const name = this.#names.family(nameOf(bundle) ?? defaultName(bundle), suffixes);
      if (bundle.kind === "pop") this.#pops.set(bundle.part, name);
      else if (bundle.kind === "push") this.#pushes.set(bundle.part, name);
      else if (bundle.kind === "port") this.#ports.set(bundle.part, name);
      else if (bundle.kind === "signalRead") this.#reads.set(bundle.part, name);
      else if (bundle.kind === "signalWrite") this.#writes.set(bundle.part, name);
      else this.#grids.set(bundle.part, name);
      return { bundle, name };
    });
    for (const field of machine.process.fields) this.#fields.set(field, this.#names.family(field.name, ["", "_n"]));
    for (const local of machine.locals)
      this.#locals.set(
        local,
        machine.registers.has(local) ? this.#names.family(local.name, ["", "_n"]) : this.#names.unique(local.name),
      );
    for (const node of machine.states) this.#states.set(node, this.#names.unique(`S_${this.#label(node)}`));
    for (const step of machine.steps)
      if (!inline(step) && !this.#branches.met.has(step))
        this.#flags.set(step, this.#names.unique(`at_${this.#label(step.node)}`));
  }

  // Names, as expressions ask for them.
  local(local: Local): string {
    const name = this.#locals.get(local)!;
    return this.#machine.registers.has(local) && this.#isChanged(local) ? `${name}_n` : name;
  }
  field(field: StateField): string {
    const name = this.#fields.get(field)!;
    return this.#isChanged(field) ? `${name}_n` : name;
  }
  q(port: MemoryPort): string {
    return `${this.#ports.get(port)!}_q`;
  }
  signal(signal: Signal): string {
    return this.#reads.get(signal)!;
  }
  bind(wanted: string, width: number, text: string): string {
    const name = this.#names.unique(wanted);
    this.#extra.push(`  reg ${span(width)}${name};`);
    this.#extraDefaults.push(`    ${name} = ${width}'bx;`);
    this.#line(`${name} = ${text};`);
    return name;
  }

  /** What a place in the program is called. */
  #label(node: Node): string {
    const line = `L${node.at.line}`;
    if (node.kind === "pop" || node.kind === "push")
      return `${node.kind}_${this.#name(node.kind, node.channel.parts[0]!)}_${line}`;
    return node.kind === "end" ? "ended" : line;
  }

  #isChanged(variable: Variable): boolean {
    return this.#changed?.has(variable) ?? true;
  }

  #line(text: string): void {
    this.#lines.push(`${"  ".repeat(this.#indent)}${text}`);
  }

  #block(open: string, body: () => void, close = "end"): void {
    this.#line(open);
    this.#indent++;
    body();
    this.#indent--;
    this.#line(close);
  }

  #comment(at: Position): void {
    const file = at.file.replace(/^.*\//, "");
    const words = this.#source(at);
    const text = `// ${file}:${at.line}${words ? `  ${words}` : ""}`;
    if (text === this.#lastComment) return;
    this.#lastComment = text;
    this.#line(text);
  }

  build(): ProcessModule {
    const { steps, states, start } = this.#machine;
    for (const step of steps) {
      const flag = this.#flags.get(step);
      if (!flag) continue;
      this.#lastComment = "";
      this.#block(`if (${flag}) begin`, () => this.#step(step));
    }
    const walk = this.#lines;
    this.#lines = [];
    const bits = bitsFor(states.length);
    const stalls = this.#stalls();
    const text = [
      ` (\n${this.#portList()}\n);\n`,
      this.#functions.text,
      ...states.map((node, i) => `  localparam ${span(bits)}${this.#states.get(node)!} = ${literal(i, bits)};`),
      // One-hot states and a rebuilt machine gain nothing here and cost synthesis much time.
      `  (* fsm_encoding = "none" *) reg ${span(bits)}state;`,
      `  reg ${span(bits)}state_n;`,
      "  // This clock ends at a yield.",
      "  reg busy;",
      ...this.#declarations(),
      "",
      "  always @* begin",
      ...this.#defaults(),
      ...walk,
      "  end",
      "",
      "  always @(posedge clk) begin",
      "    if (rst) begin",
      `      state <= ${this.#states.get(start)!};`,
      ...[...this.#fields].map(([{ type, initial }, name]) => `      ${name} <= ${packed(type, initial)};`),
      "    end else begin",
      "      state <= state_n;",
      ...[...this.#fields.values()].map((name) => `      ${name} <= ${name}_n;`),
      "    end",
      ...this.#registers().map(([, name]) => `    ${name} <= ${name}_n;`),
      "  end",
      ...stalls.text,
      "endmodule",
      "",
    ];
    return {
      text:
        text
          .filter((line) => line !== "")
          .join("\n")
          .replace(/\n  always/g, "\n\n  always") + "\n",
      bundles: this.#bundles,
      stalls: stalls.list,
    };
  }

  #registers(): [Local, string][] {
    return [...this.#locals].filter(([local]) => this.#machine.registers.has(local) && this.#written.has(local));
  }

  #portList(): string {
    const lines = ["  input wire clk", "  input wire rst"];
    for (const { bundle, name } of this.#bundles)
      for (const { suffix, width, byProcess } of wiresOf(bundle))
        lines.push(`  ${byProcess ? "output reg" : "input wire"} ${span(width)}${name}${suffix}`);
    return lines.join(",\n");
  }

  #declarations(): string[] {
    const lines: string[] = [];
    for (const [field, name] of this.#fields) lines.push(`  reg ${span(field.type.bits)}${name}, ${name}_n;`);
    for (const [local, name] of this.#locals) {
      if (!this.#written.has(local)) continue;
      const { width } = widthOf(local.type);
      lines.push(`  reg ${span(width)}${name}${this.#machine.registers.has(local) ? `, ${name}_n` : ""};`);
    }
    lines.push(...this.#extra);
    for (const flag of this.#flags.values()) lines.push(`  reg ${flag};`);
    return lines;
  }

  #defaults(): string[] {
    const lines = ["    state_n = state;", "    busy = 1'b0;"];
    for (const { bundle, name } of this.#bundles)
      for (const { suffix, width, byProcess } of wiresOf(bundle)) {
        if (!byProcess) continue;
        const control = /_(valid|stage|ready|re|we|feed)$/.test(suffix);
        lines.push(`    ${name}${suffix} = ${control ? `${width}'d0` : `${width}'bx`};`);
      }
    for (const name of this.#fields.values()) lines.push(`    ${name}_n = ${name};`);
    for (const [local, name] of this.#locals) {
      if (!this.#written.has(local)) continue;
      if (this.#machine.registers.has(local)) lines.push(`    ${name}_n = ${name};`);
      else lines.push(`    ${name} = ${widthOf(local.type).width}'bx;`);
    }
    lines.push(...this.#extraDefaults);
    for (const [step, flag] of this.#flags)
      lines.push(`    ${flag} = ${step.state ? `!rst && state == ${this.#states.get(step.node)!}` : "1'b0"};`);
    return lines;
  }

  /** Write a step and all that only it leads to. */
  #step(step: Step): void {
    const { node } = step;
    this.#changed = step.changed;
    switch (node.kind) {
      case "end":
        this.#line(`state_n = ${this.#states.get(node)!};`);
        return;
      case "edge":
        this.#comment(node.at);
        this.#line("busy = 1'b1;");
        this.#line(`state_n = ${this.#states.get(node.next)!};`);
        return;
      case "branch":
        this.#branch(step, node.condition);
        return;
      case "pop":
      case "push":
        this.#operation(step, node);
        return;
      case "action":
        this.#comment(node.at);
        this.#action(step, node.action);
        this.#go(step.next!);
        return;
      case "join":
        throw new Error("joins are gone from a finished graph");
    }
  }

  #branch(step: Step, condition: Expr): void {
    this.#comment(step.node.at);
    const test = this.#expr.bool(condition);
    const arm = (to: Step): string[] => {
      const outer = this.#lines;
      this.#lines = [];
      this.#indent++;
      this.#go(to);
      this.#indent--;
      const lines = this.#lines;
      this.#lines = outer;
      return lines;
    };
    const then = arm(step.next!);
    const otherwise = arm(step.otherwise!);
    if (then.length === 0) {
      if (otherwise.length > 0) this.#block(`if (!${test}) begin`, () => this.#lines.push(...otherwise));
    } else {
      this.#block(
        `if (${test}) begin`,
        () => this.#lines.push(...then),
        otherwise.length > 0 ? "end else begin" : "end",
      );
      if (otherwise.length > 0) {
        this.#lines.push(...otherwise);
        this.#line("end");
      }
    }
    const join = this.#branches.joins.get(step);
    if (join) this.#step(join);
  }

  #go(step: Step): void {
    // Where the arms of a plain branch meet, its text goes on behind the `end`.
    if (this.#branches.met.has(step)) return;
    const flag = this.#flags.get(step);
    if (flag) this.#line(`${flag} = 1'b1;`);
    else this.#step(step);
  }

  #operation(step: Step, node: Extract<Node, { kind: "pop" | "push" }>): void {
    const wait = `state_n = ${this.#states.get(node)!};`;
    this.#comment(node.at);
    if (isUsedUp(step.node, step.usage)) {
      this.#line(wait);
      return;
    }
    const ready = this.#ready(step, node.channel, node.kind);
    this.#block(
      `if (${ready}) begin`,
      () => {
        this.#each(node.channel, (channel) => {
          if (node.kind === "pop") this.#take(step, channel, node.into);
          else this.#put(step, channel, node.value);
        });
        this.#go(step.next!);
      },
      "end else begin",
    );
    this.#indent++;
    this.#line(wait);
    this.#indent--;
    this.#line("end");
  }

  #name(side: Side, channel: Channel): string {
    return (side === "pop" ? this.#pops : this.#pushes).get(channel)!;
  }

  /** The wire of the other side that says how many tokens (slots) there are, and the process's own count. */
  #handshake(side: Side, channel: Channel): { other: string; own: string } {
    const name = this.#name(side, channel);
    return side === "pop"
      ? { other: `${name}_valid`, own: `${name}_ready` }
      : { other: `${name}_ready`, own: `${name}_valid` };
  }

  /** Whether an operation can happen now. */
  #ready(step: Step, ref: Ref<Channel>, side: Side): string {
    return this.#select(ref, (channel) => {
      const { other, own } = this.#handshake(side, channel);
      const { min, max } = usageOf(step.usage, channel, side);
      if (channel.lanes === 1) return max === 0 ? other : min > 0 ? "1'b0" : `${other} && !${own}`;
      const bits = countBits(channel.lanes);
      if (min >= channel.lanes) return "1'b0";
      return `${other} > ${min === max ? literal(min, bits) : own}`;
    });
  }

  /** An expression over the part that the reference means. */
  #select<P>(ref: Ref<P>, text: (part: P) => string): string {
    const { index, parts } = ref;
    if (!index) return text(parts[0]!);
    const bits = bitsFor(parts.length);
    return parts
      .map((part) => `(${text(part)})`)
      .reduceRight((rest, one, i) => `(${this.#expr.bits(index, bits)} == ${literal(i, bits)} ? ${one} : ${rest})`);
  }

  /** Statements on the part that the reference means. */
  #each<P>(ref: Ref<P>, write: (part: P) => void): void {
    const { index, parts } = ref;
    if (!index) {
      write(parts[0]!);
      return;
    }
    const bits = bitsFor(parts.length);
    this.#block(
      `case (${this.#expr.bits(index, bits)})`,
      () => {
        parts.forEach((part, i) => {
          const label = i === parts.length - 1 ? "default" : literal(i, bits);
          this.#block(`${label}: begin`, () => write(part));
        });
      },
      "endcase",
    );
  }

  /** Lane of the next operation in this clock: a number where it is known. */
  #lane(step: Step, channel: Channel, side: Side): number | string {
    const { min, max } = usageOf(step.usage, channel, side);
    if (channel.lanes === 1) return 0;
    return min === max ? min : this.#handshake(side, channel).own;
  }

  #lanePlace(channel: Channel, name: string, lane: number | string): string {
    const { bits } = channel.type;
    const total = bits * channel.lanes;
    const wide = bitsFor(total);
    const low =
      typeof lane === "number"
        ? lane * bits
        : `(${this.#widen(lane, countBits(channel.lanes), wide)} * ${literal(bits, wide)})`;
    return placeText({ name, total, low, width: bits });
  }

  #widen(name: string, from: number, to: number): string {
    return to > from ? `{${to - from}'d0, ${name}}` : to < from ? `${name}[${to - 1}:0]` : name;
  }

  #count(channel: Channel, own: string, lane: number | string): void {
    if (channel.lanes === 1) this.#line(`${own} = 1'b1;`);
    else {
      const bits = countBits(channel.lanes);
      this.#line(`${own} = ${typeof lane === "number" ? literal(lane + 1, bits) : `${lane} + ${literal(1, bits)}`};`);
    }
  }

  #take(step: Step, channel: Channel, into: Local | undefined): void {
    const lane = this.#lane(step, channel, "pop");
    if (into) this.#set(into, this.#lanePlace(channel, `${this.#name("pop", channel)}_data`, lane));
    this.#count(channel, `${this.#name("pop", channel)}_ready`, lane);
  }

  #put(step: Step, channel: Channel, value: Expr): void {
    const name = this.#name("push", channel);
    const lane = this.#lane(step, channel, "push");
    // A staged operand stands in the channel already.
    if (value.kind !== "local" || !this.#machine.staged.has(value.local)) {
      const text = this.#expr.bits(value, channel.type.bits);
      this.#line(`${this.#lanePlace(channel, `${name}_data`, lane)} = ${text};`);
      if (this.#staged.has(channel)) this.#line(`${name}_stage = 1'b1;`);
    }
    this.#count(channel, `${name}_valid`, lane);
  }

  #stage(channel: Channel, value: Expr): void {
    const name = this.#name("push", channel);
    this.#line(`${name}_data = ${this.#expr.bits(value, channel.type.bits)};`);
    this.#line(`${name}_stage = 1'b1;`);
  }

  /** The name under which a local is assigned. */
  #target(local: Local): string {
    this.#written.add(local);
    const name = this.#locals.get(local)!;
    return this.#machine.registers.has(local) ? `${name}_n` : name;
  }

  #set(local: Local, text: string): void {
    this.#line(`${this.#target(local)} = ${text};`);
  }

  #action(step: Step, action: Action): void {
    const expr = this.#expr;
    switch (action.kind) {
      case "let":
        if (this.#machine.staged.has(action.local)) this.#stage(this.#machine.staged.get(action.local)!, action.value);
        else this.#set(action.local, expr.bits(action.value, widthOf(action.local.type).width));
        return;
      case "assign": {
        const text = expr.bits(action.value, widthOf(action.target.type).width);
        this.#line(`${this.#assigned(action.target)} = ${text};`);
        return;
      }
      case "tryPop":
      case "peek":
        this.#poll(step, action);
        return;
      case "tryPush": {
        const ok = this.#target(action.ok);
        this.#line(`${ok} = ${this.#ready(step, action.channel, "push")};`);
        this.#block(`if (${ok}) begin`, () =>
          this.#each(action.channel, (channel) => this.#put(step, channel, action.value)),
        );
        return;
      }
      case "read":
        this.#each(action.port, (port) => {
          const name = this.#ports.get(port)!;
          this.#line(`${name}_re = 1'b1;`);
          this.#address(name, port, action.address);
        });
        return;
      case "write":
        this.#each(action.port, (port) => {
          const name = this.#ports.get(port)!;
          this.#line(`${name}_we = 1'b1;`);
          this.#address(name, port, action.address);
          this.#line(`${name}_d = ${expr.bits(action.value, port.memory.type.bits)};`);
        });
        return;
      case "signal":
        this.#each(action.signal, (signal) => {
          const name = this.#writes.get(signal)!;
          this.#line(`${name}_we = 1'b1;`);
          this.#line(`${name}_d = ${expr.bits(action.value, signal.type.bits)};`);
        });
        return;
      case "feed": {
        const name = this.#grids.get(action.grid)!;
        this.#line(`${name}_feed = 1'b1;`);
        this.#line(`${name}_west = ${expr.whole(action.west)};`);
        this.#line(`${name}_north = ${expr.whole(action.north)};`);
        return;
      }
      case "assert":
        this.#line(`// asserted in simulation: ${action.text.replaceAll("\n", " ")}`);
        return;
    }
  }

  #address(name: string, port: MemoryPort, address: Expr): void {
    this.#line(`${name}_addr = ${this.#expr.bits(address, bitsFor(port.memory.depth))};`);
  }

  #poll(step: Step, action: Extract<Action, { kind: "tryPop" | "peek" }>): void {
    const ok = this.#target(action.ok);
    const into = this.#target(action.into);
    this.#line(`${ok} = ${this.#ready(step, action.channel, "pop")};`);
    this.#line(`${into} = ${widthOf(action.into.type).width}'d0;`);
    this.#block(`if (${ok}) begin`, () =>
      this.#each(action.channel, (channel) => {
        const lane = this.#lane(step, channel, "pop");
        const name = this.#name("pop", channel);
        this.#line(`${into} = ${this.#lanePlace(channel, `${name}_data`, lane)};`);
        if (action.kind === "tryPop") this.#count(channel, `${name}_ready`, lane);
      }),
    );
  }

  /** The left side of an assignment: always the next value. */
  #assigned(target: Target): string {
    const root = rootOf(target);
    if (root.kind === "local") this.#written.add(root.local);
    const variable = root.kind === "local" ? root.local : (root as Extract<Expr, { kind: "field" }>).field;
    const place = this.#expr.place(target, true)!;
    const registered = root.kind === "field" || this.#machine.registers.has(variable as Local);
    const base =
      root.kind === "field" ? this.#fields.get(root.field)! : this.#locals.get((root as { local: Local }).local)!;
    return placeText({ ...place, name: registered ? `${base}_n` : base });
  }

  /** Registers that count where the process stands at the end of each clock (simulation only). */
  #stalls(): { text: string[]; list: ProcessModule["stalls"] } {
    this.#changed = undefined;
    const sites = new Map<string, { side: Side; channel: Channel; at: string[] }>();
    for (const node of this.#machine.states) {
      if (node.kind !== "pop" && node.kind !== "push") continue;
      const { index, parts } = node.channel;
      const state = this.#states.get(node)!;
      parts.forEach((channel, i) => {
        const name = this.#name(node.kind, channel);
        const bits = bitsFor(parts.length);
        const here = index ? ` && ${this.#expr.bits(index, bits)} == ${literal(i, bits)}` : "";
        const site = sites.get(`${node.kind}_${name}`) ?? { side: node.kind, channel, at: [] };
        sites.set(`${node.kind}_${name}`, site);
        site.at.push(`(state_n == ${state}${here})`);
      });
    }
    const counters = [...sites].map(([name, site]) => ({ ...site, register: `stalled_${name}` }));
    const text = countersText(counters);
    return { text, list: counters.map(({ side, channel, register }) => ({ side, channel, register })) };
  }
}
