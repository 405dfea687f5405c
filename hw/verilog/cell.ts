/** The cell of a grid as a Verilog module: its step as combinational text, its state and its links as registers. */
import type { CellIr, Expr, Local, StateField, Stmt, Target } from "../ir/ir.js";
import type { StructType } from "../types.js";
import { rootOf, unroll } from "../fsm/unroll.js";
import { widthOf } from "../fsm/width.js";
import { fold } from "../fsm/fold.js";
import { ExprText, placeText, type Names } from "./expr.js";
import { FunctionLibrary } from "./functions.js";
import { NameTable, span } from "./names.js";
import type { SourceLine } from "./process-scope.js";

export interface CellModule {
  readonly text: string;
  /** The cell uses its row or column number, as parameters ROW and COL. */
  readonly placed: boolean;
}

export function cellModule(ir: CellIr, source: SourceLine): CellModule {
  return new CellText(ir, source).build();
}

class CellText implements Names {
  readonly #ir: CellIr;
  readonly #source: SourceLine;
  readonly #names = new NameTable();
  readonly #functions = new FunctionLibrary();
  readonly #expr = new ExprText(this, this.#functions);
  readonly #locals = new Map<Local, string>();
  /** Registers of the state, by field. */
  readonly #state = new Map<string, string>();
  #changed = new Set<string>();
  readonly #declared: string[] = [];
  readonly #defaults: string[] = [];
  readonly #lines: string[] = [];
  /** Names of texts that the statement being written has computed already. */
  readonly #shared = new Map<string, string>();
  #indent = 2;
  #placed = false;

  constructor(ir: CellIr, source: SourceLine) {
    this.#ir = ir;
    this.#source = source;
    for (const port of [
      "at_row",
      "at_col",
      "valid",
      "passed",
      "east",
      "south",
      "east_n",
      "south_n",
      "emitted",
      "emits",
      "result",
    ])
      this.#names.unique(port);
    this.#locals.set(ir.west, this.#names.unique("west"));
    this.#locals.set(ir.north, this.#names.unique("north"));
    for (const [name, type] of Object.entries((ir.grid.cell.state as StructType).fields)) {
      const register = this.#names.family(name, ["", "_n"]);
      this.#state.set(name, register);
      this.#declared.push(`  reg ${span(type.bits)}${register}, ${register}_n;`);
      this.#defaults.push(`    ${register}_n = ${register};`);
    }
  }

  local(local: Local): string {
    const { row, col } = this.#ir;
    if (local === row || local === col) {
      this.#placed = true;
      return local === row ? "at_row" : "at_col";
    }
    return this.#locals.get(local) ?? this.#declare(local);
  }
  member(local: Local, name: string): string | undefined {
    if (local !== this.#ir.state) return undefined;
    const register = this.#state.get(name)!;
    return this.#changed.has(name) ? `${register}_n` : register;
  }
  field(field: StateField): string {
    throw new Error(`${field.name}: a cell has no fields`);
  }
  q(): string {
    throw new Error("a cell reads no memory");
  }
  signal(): string {
    throw new Error("a cell reads no signal");
  }
  bind(wanted: string, width: number, text: string): string {
    const name = this.#temporary(wanted, width);
    this.#push(`${name} = ${text};`);
    return name;
  }
  share(wanted: string, width: number, text: string): string {
    const name = this.#shared.get(text) ?? this.bind(wanted, width, text);
    this.#shared.set(text, name);
    return name;
  }

  #temporary(wanted: string, width: number): string {
    const name = this.#names.unique(wanted);
    this.#declared.push(`  reg ${span(width)}${name};`);
    this.#defaults.push(`    ${name} = ${width}'bx;`);
    return name;
  }

  #declare(local: Local): string {
    const name = this.#temporary(local.name, widthOf(local.type).width);
    this.#locals.set(local, name);
    return name;
  }

  #line(text: string): void {
    this.#push(text);
    this.#shared.clear();
  }

  #push(text: string): void {
    this.#lines.push(`${"  ".repeat(this.#indent)}${text}`);
  }

  build(): CellModule {
    const { grid, body, east, south, emitWhen, emit } = this.#ir;
    const { cell } = grid;
    this.#statements(unroll(body));
    const expr = this.#expr;
    const nothing = new Map<Local, number | boolean>();
    this.#line(`east_n = ${expr.bits(fold(east, nothing), cell.west.bits)};`);
    this.#line(`south_n = ${expr.bits(fold(south, nothing), cell.north.bits)};`);
    this.#line(`emits = ${expr.bool(fold(emitWhen, nothing))};`);
    // A result that is a register of the state needs no second register: the next clock reads it there.
    const held = this.#heldResult(fold(emit, nothing));
    if (held === undefined) this.#line(`result_n = ${expr.bits(fold(emit, nothing), cell.emit.bits)};`);
    const emitSpan = span(cell.emit.bits);
    const registers = [...this.#state.values()];
    const parameters = this.#placed ? " #(\n  parameter ROW = 0,\n  parameter COL = 0\n)" : "";
    const places = [
      ["at_row", "ROW", this.#ir.row],
      ["at_col", "COL", this.#ir.col],
    ] as const;
    const placed = places.map(([name, parameter, local]) => {
      const { width } = widthOf(local.type);
      return `  wire ${span(width)}${name} = ${parameter}[${width - 1}:0];`;
    });
    const text = [
      `${parameters} (`,
      "  input wire clk,",
      "  input wire rst,",
      "  // A wave passes.",
      "  input wire valid,",
      `  input wire ${span(cell.west.bits)}west,`,
      `  input wire ${span(cell.north.bits)}north,`,
      "  output reg passed,",
      `  output reg ${span(cell.west.bits)}east,`,
      `  output reg ${span(cell.north.bits)}south,`,
      "  output reg emitted,",
      `  output ${held === undefined ? "reg" : "wire"} ${emitSpan}result`,
      ");",
      ...(this.#placed ? placed : []),
      this.#functions.text.trimEnd(),
      ...this.#declared,
      `  reg ${span(cell.west.bits)}east_n;`,
      `  reg ${span(cell.north.bits)}south_n;`,
      "  reg emits;",
      ...(held === undefined ? [`  reg ${emitSpan}result_n;`] : [`  assign result = ${held};`]),
      "",
      "  always @* begin",
      ...this.#defaults,
      ...this.#lines,
      "  end",
      "",
      "  always @(posedge clk) begin",
      "    if (rst) begin",
      "      passed <= 1'b0;",
      "      emitted <= 1'b0;",
      ...registers.map(
        (name, i) => `      ${name} <= ${Object.values((cell.state as StructType).fields)[i]!.bits}'d0;`,
      ),
      "    end else begin",
      "      passed <= valid;",
      "      emitted <= valid && emits;",
      "      if (valid) begin",
      ...registers.map((name) => `        ${name} <= ${name}_n;`),
      "      end",
      "    end",
      "    if (valid) begin",
      "      east <= east_n;",
      "      south <= south_n;",
      ...(held === undefined ? ["      result <= result_n;"] : []),
      "    end",
      "  end",
      "endmodule",
      "",
    ];
    return { text: text.filter((line, i) => line !== "" || i > 12).join("\n"), placed: this.#placed };
  }

  /** The registers of the state that the result is made of; undefined where something is computed. */
  #heldResult(emit: Expr): string | undefined {
    if (emit.kind === "member") {
      if (emit.base.kind !== "local" || emit.base.local !== this.#ir.state) return undefined;
      return this.#state.get(emit.name);
    }
    if (emit.kind !== "vector") return undefined;
    const items = emit.items.map((item) => this.#heldResult(item));
    return items.includes(undefined) ? undefined : `{${items.reverse().join(", ")}}`;
  }

  #statements(stmts: readonly Stmt[]): void {
    for (const s of stmts) this.#statement(s);
  }

  #statement(s: Stmt): void {
    const expr = this.#expr;
    const words = this.#source(s.at);
    this.#line(`// ${s.at.file.replace(/^.*\//, "")}:${s.at.line}${words ? `  ${words}` : ""}`);
    switch (s.kind) {
      case "let": {
        const text = expr.bits(s.value, widthOf(s.local.type).width);
        this.#line(`${this.#locals.get(s.local) ?? this.#declare(s.local)} = ${text};`);
        return;
      }
      case "assign": {
        const text = expr.bits(s.value, widthOf(s.target.type).width);
        this.#line(`${this.#assigned(s.target)} = ${text};`);
        return;
      }
      case "if": {
        this.#line(`if (${expr.bool(s.condition)}) begin`);
        const before = new Set(this.#changed);
        this.#indent++;
        this.#statements(s.then);
        const then = this.#changed;
        this.#changed = new Set(before);
        this.#indent--;
        this.#line("end else begin");
        this.#indent++;
        this.#statements(s.else);
        this.#indent--;
        this.#line("end");
        for (const name of then) this.#changed.add(name);
        return;
      }
      case "assert":
        this.#line(`// asserted in simulation: ${s.text}`);
        return;
      default:
        throw new Error(`a cell has no statement "${s.kind}"`);
    }
  }

  #assigned(target: Target): string {
    const root = rootOf(target);
    if (root.kind === "local" && root.local === this.#ir.state) {
      let member: Expr = target;
      while (member.kind === "index" || (member.kind === "member" && member.base !== root)) member = member.base;
      const { name } = member as Extract<Expr, { kind: "member" }>;
      const place = this.#expr.place(target, true)!;
      this.#changed.add(name);
      return placeText({ ...place, name: `${this.#state.get(name)!}_n` });
    }
    return placeText(this.#expr.place(target, true)!);
  }
}
