/** What a process does within a clock, as text: operations on channels with their lanes, memories, signals and grids. */
import type { Channel } from "../channel.js";
import type { Expr, Local, Ref } from "../ir/ir.js";
import type { MemoryPort } from "../memory.js";
import { isUsedUp, usageOf, type Side } from "../fsm/usage.js";
import type { Step } from "../fsm/walk.js";
import type { Action, Node } from "../fsm/graph.js";
import { widthOf } from "../fsm/width.js";
import { bitsFor, literal, placeText } from "./expr.js";
import { countBits } from "./interface.js";
import type { ProcessScope } from "./process-scope.js";

export class ProcessActions {
  readonly #scope: ProcessScope;

  constructor(scope: ProcessScope) {
    this.#scope = scope;
  }

  operation(step: Step, node: Extract<Node, { kind: "pop" | "push" }>, go: (to: Step) => void): void {
    const wait = `state_n = ${this.#scope.states.get(node)!};`;
    this.#scope.comment(node.at);
    if (isUsedUp(step.node, step.usage)) {
      this.#scope.line(wait);
      return;
    }
    const ready = this.#ready(step, node.channel, node.kind);
    this.#scope.block(
      `if (${ready}) begin`,
      () => {
        this.#each(node.channel, (channel) => {
          if (node.kind === "pop") this.#take(step, channel, node.into);
          else this.#put(step, channel, node.value);
        });
        go(step.next!);
      },
      "end else begin",
    );
    this.#scope.indent++;
    this.#scope.line(wait);
    this.#scope.indent--;
    this.#scope.line("end");
  }

  /** The wire of the other side that says how many tokens (slots) there are, and the process's own count. */
  #handshake(side: Side, channel: Channel): { other: string; own: string } {
    const name = this.#scope.name(side, channel);
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
      .reduceRight(
        (rest, one, i) => `(${this.#scope.expr.bits(index, bits)} == ${literal(i, bits)} ? ${one} : ${rest})`,
      );
  }

  /** Statements on the part that the reference means. */
  #each<P>(ref: Ref<P>, write: (part: P) => void): void {
    const { index, parts } = ref;
    if (!index) {
      write(parts[0]!);
      return;
    }
    const bits = bitsFor(parts.length);
    this.#scope.block(
      `case (${this.#scope.expr.bits(index, bits)})`,
      () => {
        parts.forEach((part, i) => {
          const label = i === parts.length - 1 ? "default" : literal(i, bits);
          this.#scope.block(`${label}: begin`, () => write(part));
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
    if (channel.lanes === 1) this.#scope.line(`${own} = 1'b1;`);
    else {
      const bits = countBits(channel.lanes);
      this.#scope.line(
        `${own} = ${typeof lane === "number" ? literal(lane + 1, bits) : `${lane} + ${literal(1, bits)}`};`,
      );
    }
  }

  #take(step: Step, channel: Channel, into: Local | undefined): void {
    const lane = this.#lane(step, channel, "pop");
    if (into) this.#scope.set(into, this.#lanePlace(channel, `${this.#scope.name("pop", channel)}_data`, lane));
    this.#count(channel, `${this.#scope.name("pop", channel)}_ready`, lane);
  }

  #put(step: Step, channel: Channel, value: Expr): void {
    const name = this.#scope.name("push", channel);
    const lane = this.#lane(step, channel, "push");
    // A staged operand stands in the channel already.
    if (value.kind !== "local" || !this.#scope.machine.staged.has(value.local)) {
      const text = this.#scope.expr.bits(value, channel.type.bits);
      this.#scope.line(`${this.#lanePlace(channel, `${name}_data`, lane)} = ${text};`);
      if (this.#scope.staged.has(channel)) this.#scope.line(`${name}_stage = 1'b1;`);
    }
    this.#count(channel, `${name}_valid`, lane);
  }

  #stage(channel: Channel, value: Expr): void {
    const name = this.#scope.name("push", channel);
    this.#scope.line(`${name}_data = ${this.#scope.expr.bits(value, channel.type.bits)};`);
    this.#scope.line(`${name}_stage = 1'b1;`);
  }

  action(step: Step, action: Action): void {
    const expr = this.#scope.expr;
    switch (action.kind) {
      case "let":
        if (this.#scope.machine.staged.has(action.local))
          this.#stage(this.#scope.machine.staged.get(action.local)!, action.value);
        else this.#scope.set(action.local, expr.bits(action.value, widthOf(action.local.type).width));
        return;
      case "assign": {
        const text = expr.bits(action.value, widthOf(action.target.type).width);
        this.#scope.line(`${this.#scope.assigned(action.target)} = ${text};`);
        return;
      }
      case "tryPop":
      case "peek":
        this.#poll(step, action);
        return;
      case "tryPush": {
        const ok = this.#scope.target(action.ok);
        this.#scope.line(`${ok} = ${this.#ready(step, action.channel, "push")};`);
        this.#scope.block(`if (${ok}) begin`, () =>
          this.#each(action.channel, (channel) => this.#put(step, channel, action.value)),
        );
        return;
      }
      case "read":
        this.#each(action.port, (port) => {
          const name = this.#scope.ports.get(port)!;
          this.#scope.line(`${name}_re = 1'b1;`);
          this.#address(name, port, action.address);
        });
        return;
      case "write":
        this.#each(action.port, (port) => {
          const name = this.#scope.ports.get(port)!;
          this.#scope.line(`${name}_we = 1'b1;`);
          this.#address(name, port, action.address);
          this.#scope.line(`${name}_d = ${expr.bits(action.value, port.memory.type.bits)};`);
        });
        return;
      case "signal":
        this.#each(action.signal, (signal) => {
          const name = this.#scope.writes.get(signal)!;
          this.#scope.line(`${name}_we = 1'b1;`);
          this.#scope.line(`${name}_d = ${expr.bits(action.value, signal.type.bits)};`);
        });
        return;
      case "feed": {
        const name = this.#scope.grids.get(action.grid)!;
        this.#scope.line(`${name}_feed = 1'b1;`);
        this.#scope.line(`${name}_west = ${expr.whole(action.west)};`);
        this.#scope.line(`${name}_north = ${expr.whole(action.north)};`);
        return;
      }
      case "assert":
        this.#scope.line(`// asserted in simulation: ${action.text.replaceAll("\n", " ")}`);
        return;
    }
  }

  #address(name: string, port: MemoryPort, address: Expr): void {
    this.#scope.line(`${name}_addr = ${this.#scope.expr.bits(address, bitsFor(port.memory.depth))};`);
  }

  #poll(step: Step, action: Extract<Action, { kind: "tryPop" | "peek" }>): void {
    const ok = this.#scope.target(action.ok);
    const into = this.#scope.target(action.into);
    this.#scope.line(`${ok} = ${this.#ready(step, action.channel, "pop")};`);
    this.#scope.line(`${into} = ${widthOf(action.into.type).width}'d0;`);
    this.#scope.block(`if (${ok}) begin`, () =>
      this.#each(action.channel, (channel) => {
        const lane = this.#lane(step, channel, "pop");
        const name = this.#scope.name("pop", channel);
        this.#scope.line(`${into} = ${this.#lanePlace(channel, `${name}_data`, lane)};`);
        if (action.kind === "tryPop") this.#count(channel, `${name}_ready`, lane);
      }),
    );
  }
}
