/**
 * What the text of a process is written with: the names of everything that it touches, the lines written so far, and which
 * variables may have changed in this clock where the text goes on.
 */
import type { Channel } from "../channel.js";
import type { Expr, Local, Position, StateField, Target } from "../ir/ir.js";
import type { MemoryPort } from "../memory.js";
import type { Signal } from "../signal.js";
import type { Grid } from "../grid.js";
import type { Variable } from "../fsm/uses.js";
import type { Side } from "../fsm/usage.js";
import type { Machine, Step } from "../fsm/walk.js";
import type { Node } from "../fsm/graph.js";
import { rootOf } from "../fsm/unroll.js";
import { ExprText, placeText, type Names } from "./expr.js";
import { bundlesOf } from "./bundles.js";
import { findBranches, inline, type Branches } from "./branches.js";
import { FunctionLibrary } from "./functions.js";
import { defaultName, wiresOf, type Bundle } from "./interface.js";
import { NameTable, span } from "./names.js";

/** The words of the source at a position, for comments; undefined where the text is not at hand. */
export type SourceLine = (at: Position) => string | undefined;

export class ProcessScope implements Names {
  readonly machine: Machine;
  readonly source: SourceLine;
  readonly names = new NameTable();
  readonly functions = new FunctionLibrary();
  readonly expr: ExprText;
  readonly bundles: { bundle: Bundle; name: string }[];
  readonly pops = new Map<Channel, string>();
  readonly pushes = new Map<Channel, string>();
  readonly ports = new Map<MemoryPort, string>();
  readonly reads = new Map<Signal, string>();
  readonly writes = new Map<Signal, string>();
  readonly grids = new Map<Grid, string>();
  readonly locals = new Map<Local, string>();
  readonly fields = new Map<StateField, string>();
  readonly states = new Map<Node, string>();
  readonly flags = new Map<Step, string>();
  readonly branches: Branches;
  readonly written = new Set<Local>();
  /** Channels into which operands are written before they are pushed. */
  readonly staged: ReadonlySet<Channel>;
  /** Declarations of values bound inside expressions. */
  readonly extra: string[] = [];
  readonly extraDefaults: string[] = [];
  /** Names of texts that the statement being written has computed already; undefined where no statement can stand. */
  shared: Map<string, string> | undefined = new Map();
  lines: string[] = [];
  indent = 2;
  /** Variables that may have changed in this clock, where the text is being written; undefined for "all". */
  changed: ReadonlySet<Variable> | undefined = new Set();
  lastComment = "";

  constructor(machine: Machine, nameOf: (bundle: Bundle) => string | undefined, source: SourceLine) {
    this.machine = machine;
    this.staged = new Set(machine.staged.values());
    this.branches = findBranches(machine.steps);
    this.source = source;
    this.expr = new ExprText(this, this.functions);
    for (const reserved of ["state", "state_n", "busy"]) this.names.unique(reserved);
    this.bundles = bundlesOf(machine).map((bundle) => {
      const suffixes = wiresOf(bundle).map(({ suffix }) => suffix);
      const name = this.names.family(nameOf(bundle) ?? defaultName(bundle), suffixes);
      if (bundle.kind === "pop") this.pops.set(bundle.part, name);
      else if (bundle.kind === "push") this.pushes.set(bundle.part, name);
      else if (bundle.kind === "port") this.ports.set(bundle.part, name);
      else if (bundle.kind === "signalRead") this.reads.set(bundle.part, name);
      else if (bundle.kind === "signalWrite") this.writes.set(bundle.part, name);
      else this.grids.set(bundle.part, name);
      return { bundle, name };
    });
    for (const field of machine.process.fields) this.fields.set(field, this.names.family(field.name, ["", "_n"]));
    for (const local of machine.locals)
      this.locals.set(
        local,
        machine.registers.has(local) ? this.names.family(local.name, ["", "_n"]) : this.names.unique(local.name),
      );
    for (const node of machine.states) this.states.set(node, this.names.unique(`S_${this.label(node)}`));
    for (const step of machine.steps)
      if (!inline(step) && !this.branches.met.has(step))
        this.flags.set(step, this.names.unique(`at_${this.label(step.node)}`));
  }

  // Names, as expressions ask for them.
  local(local: Local): string {
    const name = this.locals.get(local)!;
    return this.machine.registers.has(local) && this.isChanged(local) ? `${name}_n` : name;
  }
  field(field: StateField): string {
    const name = this.fields.get(field)!;
    return this.isChanged(field) ? `${name}_n` : name;
  }
  q(port: MemoryPort): string {
    return `${this.ports.get(port)!}_q`;
  }
  signal(signal: Signal): string {
    return this.reads.get(signal)!;
  }
  bind(wanted: string, width: number, text: string): string {
    const name = this.names.unique(wanted);
    this.extra.push(`  reg ${span(width)}${name};`);
    this.extraDefaults.push(`    ${name} = ${width}'bx;`);
    this.#push(`${name} = ${text};`);
    return name;
  }
  share(wanted: string, width: number, text: string): string | undefined {
    const name = this.shared && (this.shared.get(text) ?? this.bind(wanted, width, text));
    if (name !== undefined) this.shared!.set(text, name);
    return name;
  }

  /** What a place in the program is called. */
  label(node: Node): string {
    const line = `L${node.at.line}`;
    if (node.kind === "pop" || node.kind === "push")
      return `${node.kind}_${this.name(node.kind, node.channel.parts[0]!)}_${line}`;
    return node.kind === "end" ? "ended" : line;
  }

  isChanged(variable: Variable): boolean {
    return this.changed?.has(variable) ?? true;
  }

  line(text: string): void {
    this.#push(text);
    // What comes next may see other values, or stand in another branch.
    this.shared?.clear();
  }

  #push(text: string): void {
    this.lines.push(`${"  ".repeat(this.indent)}${text}`);
  }

  block(open: string, body: () => void, close = "end"): void {
    this.line(open);
    this.indent++;
    body();
    this.indent--;
    this.line(close);
  }

  comment(at: Position): void {
    const file = at.file.replace(/^.*\//, "");
    const words = this.source(at);
    const text = `// ${file}:${at.line}${words ? `  ${words}` : ""}`;
    if (text === this.lastComment) return;
    this.lastComment = text;
    this.line(text);
  }

  name(side: Side, channel: Channel): string {
    return (side === "pop" ? this.pops : this.pushes).get(channel)!;
  }

  /** The name under which a local is assigned. */
  target(local: Local): string {
    this.written.add(local);
    const name = this.locals.get(local)!;
    return this.machine.registers.has(local) ? `${name}_n` : name;
  }

  set(local: Local, text: string): void {
    this.line(`${this.target(local)} = ${text};`);
  }

  /** The left side of an assignment: always the next value. */
  assigned(target: Target): string {
    const root = rootOf(target);
    if (root.kind === "local") this.written.add(root.local);
    const variable = root.kind === "local" ? root.local : (root as Extract<Expr, { kind: "field" }>).field;
    const place = this.expr.place(target, true)!;
    const registered = root.kind === "field" || this.machine.registers.has(variable as Local);
    const base =
      root.kind === "field" ? this.fields.get(root.field)! : this.locals.get((root as { local: Local }).local)!;
    return placeText({ ...place, name: registered ? `${base}_n` : base });
  }
}
