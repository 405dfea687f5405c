/**
 * A process as one Verilog module: a combinational walk from the present state through everything that happens in this
 * clock, written in the order of the source, and the registers that it leaves behind. `name_n` is a register's
 * next value; a name alone is its value at the start of the clock. A step that several others lead to has a flag `at_...`.
 */
import type { Channel } from "../channel.js";
import type { Expr, Local } from "../ir/ir.js";
import type { Side } from "../fsm/usage.js";
import type { Machine, Step } from "../fsm/walk.js";
import { widthOf } from "../fsm/width.js";
import { bitsFor, literal } from "./expr.js";
import { countersText } from "./counters.js";
import { wiresOf, type Bundle } from "./interface.js";
import { span } from "./names.js";
import { packed } from "./pack.js";
import { ProcessActions } from "./process-actions.js";
import { ProcessScope, type SourceLine } from "./process-scope.js";

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

class ProcessText {
  readonly #scope: ProcessScope;
  readonly #actions: ProcessActions;

  constructor(machine: Machine, nameOf: (bundle: Bundle) => string | undefined, source: SourceLine) {
    this.#scope = new ProcessScope(machine, nameOf, source);
    this.#actions = new ProcessActions(this.#scope);
  }

  build(): ProcessModule {
    const { steps, states, start } = this.#scope.machine;
    for (const step of steps) {
      const flag = this.#scope.flags.get(step);
      if (!flag) continue;
      this.#scope.lastComment = "";
      this.#scope.block(`if (${flag}) begin`, () => this.#step(step));
    }
    const walk = this.#scope.lines;
    this.#scope.lines = [];
    const bits = bitsFor(states.length);
    const stalls = this.#stalls();
    const { initial } = this.#scope.machine;
    const reset = this.#registers().filter(([local]) => initial.has(local));
    const free = this.#registers().filter(([local]) => !initial.has(local));
    const initialOf = (local: Local): string => this.#scope.expr.bits(initial.get(local)!, widthOf(local.type).width);
    const text = [
      ` (\n${this.#portList()}\n);\n`,
      this.#scope.functions.text,
      ...states.map((node, i) => `  localparam ${span(bits)}${this.#scope.states.get(node)!} = ${literal(i, bits)};`),
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
      `      state <= ${this.#scope.states.get(start)!};`,
      ...[...this.#scope.fields].map(([{ type, initial }, name]) => `      ${name} <= ${packed(type, initial)};`),
      ...reset.map(([local, name]) => `      ${name} <= ${initialOf(local)};`),
      "    end else begin",
      "      state <= state_n;",
      ...reset.map(([, name]) => `      ${name} <= ${name}_n;`),
      ...[...this.#scope.fields.values()].map((name) => `      ${name} <= ${name}_n;`),
      "    end",
      ...free.map(([, name]) => `    ${name} <= ${name}_n;`),
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
      bundles: this.#scope.bundles,
      stalls: stalls.list,
    };
  }

  #registers(): [Local, string][] {
    return [...this.#scope.locals].filter(
      ([local]) => this.#scope.machine.registers.has(local) && this.#scope.written.has(local),
    );
  }

  #portList(): string {
    const lines = ["  input wire clk", "  input wire rst"];
    for (const { bundle, name } of this.#scope.bundles)
      for (const { suffix, width, byProcess } of wiresOf(bundle))
        lines.push(`  ${byProcess ? "output reg" : "input wire"} ${span(width)}${name}${suffix}`);
    return lines.join(",\n");
  }

  #declarations(): string[] {
    const lines: string[] = [];
    for (const [field, name] of this.#scope.fields) lines.push(`  reg ${span(field.type.bits)}${name}, ${name}_n;`);
    for (const [local, name] of this.#scope.locals) {
      if (!this.#scope.written.has(local)) continue;
      const { width } = widthOf(local.type);
      lines.push(`  reg ${span(width)}${name}${this.#scope.machine.registers.has(local) ? `, ${name}_n` : ""};`);
    }
    lines.push(...this.#scope.extra);
    for (const flag of this.#scope.flags.values()) lines.push(`  reg ${flag};`);
    return lines;
  }

  #defaults(): string[] {
    const lines = ["    state_n = state;", "    busy = 1'b0;"];
    for (const { bundle, name } of this.#scope.bundles)
      for (const { suffix, width, byProcess } of wiresOf(bundle)) {
        if (!byProcess) continue;
        const control = /_(valid|stage|ready|re|we|feed)$/.test(suffix);
        lines.push(`    ${name}${suffix} = ${control ? `${width}'d0` : `${width}'bx`};`);
      }
    for (const name of this.#scope.fields.values()) lines.push(`    ${name}_n = ${name};`);
    for (const [local, name] of this.#scope.locals) {
      if (!this.#scope.written.has(local)) continue;
      if (this.#scope.machine.registers.has(local)) lines.push(`    ${name}_n = ${name};`);
      else lines.push(`    ${name} = ${widthOf(local.type).width}'bx;`);
    }
    lines.push(...this.#scope.extraDefaults);
    for (const [step, flag] of this.#scope.flags)
      lines.push(`    ${flag} = ${step.state ? `!rst && state == ${this.#scope.states.get(step.node)!}` : "1'b0"};`);
    return lines;
  }

  /** Write a step and all that only it leads to. */
  #step(step: Step): void {
    const { node } = step;
    this.#scope.changed = step.changed;
    switch (node.kind) {
      case "end":
        this.#scope.line(`state_n = ${this.#scope.states.get(node)!};`);
        return;
      case "edge":
        this.#scope.comment(node.at);
        this.#scope.line("busy = 1'b1;");
        this.#scope.line(`state_n = ${this.#scope.states.get(node.next)!};`);
        return;
      case "branch":
        this.#branch(step, node.condition);
        return;
      case "pop":
      case "push":
        this.#actions.operation(step, node, (to) => this.#go(to));
        return;
      case "action":
        this.#scope.comment(node.at);
        this.#actions.action(step, node.action);
        this.#go(step.next!);
        return;
      case "join":
        throw new Error("joins are gone from a finished graph");
    }
  }

  #branch(step: Step, condition: Expr): void {
    this.#scope.comment(step.node.at);
    const test = this.#scope.expr.bool(condition);
    const arm = (to: Step): string[] => {
      const outer = this.#scope.lines;
      this.#scope.lines = [];
      this.#scope.shared?.clear();
      this.#scope.indent++;
      this.#go(to);
      this.#scope.indent--;
      const lines = this.#scope.lines;
      this.#scope.lines = outer;
      return lines;
    };
    const then = arm(step.next!);
    const otherwise = arm(step.otherwise!);
    if (then.length === 0) {
      if (otherwise.length > 0) this.#scope.block(`if (!${test}) begin`, () => this.#scope.lines.push(...otherwise));
    } else {
      this.#scope.block(
        `if (${test}) begin`,
        () => this.#scope.lines.push(...then),
        otherwise.length > 0 ? "end else begin" : "end",
      );
      if (otherwise.length > 0) {
        this.#scope.lines.push(...otherwise);
        this.#scope.line("end");
      }
    }
    const join = this.#scope.branches.joins.get(step);
    if (join) this.#step(join);
  }

  #go(step: Step): void {
    // Where the arms of a plain branch meet, its text goes on behind the `end`.
    if (this.#scope.branches.met.has(step)) return;
    const flag = this.#scope.flags.get(step);
    if (flag) this.#scope.line(`${flag} = 1'b1;`);
    else this.#step(step);
  }

  /** Registers that count where the process stands at the end of each clock (simulation only). */
  #stalls(): { text: string[]; list: ProcessModule["stalls"] } {
    this.#scope.changed = undefined;
    // What is written here stands in continuous assignments.
    this.#scope.shared = undefined;
    const sites = new Map<string, { side: Side; channel: Channel; at: string[] }>();
    for (const node of this.#scope.machine.states) {
      if (node.kind !== "pop" && node.kind !== "push") continue;
      const { index, parts } = node.channel;
      const state = this.#scope.states.get(node)!;
      parts.forEach((channel, i) => {
        const name = this.#scope.name(node.kind, channel);
        const bits = bitsFor(parts.length);
        const here = index ? ` && ${this.#scope.expr.bits(index, bits)} == ${literal(i, bits)}` : "";
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
