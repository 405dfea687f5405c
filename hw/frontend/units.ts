/** One process, or the step of one grid's cell, from its text to its IR. */
import { Breach, type Diagnostic } from "../check/diagnostic.js";
import type { Elaborated } from "../elaborate.js";
import type { Grid } from "../grid.js";
import type { CellIr, Expr, ExprType, Local, ProcessIr } from "../ir/ir.js";
import { Module } from "../module.js";
import type { ProcessNode } from "../process.js";
import { bool, type Type } from "../types.js";
import { bind } from "./bind.js";
import { constantScope } from "./constants.js";
import { Context, type Unit } from "./context.js";
import { coerce, zeroOf } from "./convert.js";
import { memberText } from "./inline.js";
import type { FunctionNode } from "./parse.js";
import type { Registers } from "./registers.js";
import { Scope } from "./scope.js";
import { checkShares } from "./shares.js";
import { classesOf, type Sources } from "./sources.js";
import { statements } from "./statements.js";
import { dynamic, known, type Value } from "./values.js";

export interface Reader {
  readonly design: Elaborated;
  readonly sources: Sources;
  readonly registers: Registers;
  readonly report: (diagnostic: Diagnostic) => void;
}

const unitOf = (kind: Unit["kind"], registers: Registers, module?: Module, node?: ProcessNode): Unit => ({
  kind,
  module,
  node,
  registers,
  locals: [],
  fields: new Set(),
  shares: [],
  polls: false,
  estimates: false,
  labels: 0,
});

/** The function behind a process or a step, with a context in which to read it; undefined if there is no text. */
function open(reader: Reader, self: object, name: string, unit: Unit): { cx: Context; fn: FunctionNode } | undefined {
  const found = memberText(reader.sources, self, name);
  const fn = found?.member.type === "MethodDefinition" ? found.member.value : undefined;
  if (!found || !fn) {
    const owner = classesOf(self, Module)[0]?.name ?? "?";
    reader.report({
      rule: "source",
      at: { file: `class ${owner}`, line: 1, column: 1 },
      message: `the text of ${owner}.${name} cannot be read`,
      hint: `Make it a method of the class, and add: static readonly source = import.meta.url;`,
      text: undefined,
    });
    return undefined;
  }
  const { file, node } = found.text;
  const cx = new Context(
    reader.sources,
    unit,
    file,
    new Scope(constantScope(reader, file, node), true),
    known(self),
    reader.report,
  );
  cx.around = fn;
  return { cx, fn };
}

export function readProcess(reader: Reader, node: ProcessNode): ProcessIr | undefined {
  const { module } = node;
  const unit = unitOf("process", reader.registers, module, node);
  const opened = open(reader, module, node.name, unit);
  if (!opened) return undefined;
  const { cx, fn } = opened;
  for (const [name, { field, owner }] of reader.registers.get(module) ?? [])
    if (owner === node) known0(cx, name, field.initial);
  cx.inlining.push(fn);
  if (!fn.generator)
    cx.breach(
      fn,
      "yield-star",
      `${node.name} is a clocked process, but no generator`,
      `Write *${node.name}(): Process { ... }`,
    );
  const body = cx.collect(() => statements(cx, (fn.body as { body: Parameters<typeof statements>[1] }).body));
  checkShares(cx, body);
  const { locals, fields, polls, estimates } = unit;
  return { node, locals, fields: [...fields], body, polls, estimates };
}

/** A register starts with its value after reset. */
function known0(cx: Context, name: string, initial: unknown): void {
  if (typeof initial === "number" || typeof initial === "boolean")
    cx.env.set(`this.${name}`, { lo: Number(initial), hi: Number(initial) });
}

export function readCell(reader: Reader, grid: Grid): CellIr | undefined {
  const { cell } = grid;
  const unit = unitOf("cell", reader.registers);
  const opened = open(reader, cell, "step", unit);
  if (!opened) return undefined;
  const { cx, fn } = opened;
  cx.inlining.push(fn);
  const at = cx.at(fn);
  const local = (name: string, type: ExprType, mutable = false): Local => cx.local(name, type, mutable);
  const refer = (one: Local): Value => dynamic({ kind: "local", local: one, type: one.type, at });
  const west = local("west", cell.west);
  const north = local("north", cell.north);
  const state = local("state", cell.state, true);
  const row = local("row", { kind: "exact", range: { lo: 0, hi: grid.rows - 1 } });
  const col = local("col", { kind: "exact", range: { lo: 0, hi: grid.cols - 1 } });
  const object = (fields: Record<string, Value>): Value => ({
    kind: "object",
    fields: new Map(Object.entries(fields)),
  });
  const given = [
    object({ west: refer(west), north: refer(north) }),
    refer(state),
    object({ row: refer(row), col: refer(col) }),
  ];
  try {
    fn.params.forEach((param, i) => {
      if (param.type === "RestElement" || param.type === "TSParameterProperty")
        return cx.fail(param, "syntax", "rest parameters have no hardware", "Name every parameter.");
      bind(cx, param, given[i] ?? known(undefined), fn, "parameter");
    });
  } catch (error) {
    if (!(error instanceof Breach)) throw error;
    if (error.diagnostic) reader.report(error.diagnostic);
    return undefined;
  }
  cx.returns = { label: cx.label("step"), values: [], result: undefined, used: false };
  const { returns } = cx;
  const body = cx.collect(() => statements(cx, (fn.body as { body: Parameters<typeof statements>[1] }).body, returns));
  checkShares(cx, body);
  const [only] = returns.values;
  if (!only || returns.values.length > 1 || returns.used) {
    if (!only || returns.used)
      cx.breach(
        fn,
        "type",
        "the step of a cell returns once, at its end",
        "Write return { east, south, emit } as the last statement.",
      );
    return undefined;
  }
  try {
    return { grid, west, north, state, row, col, locals: unit.locals, body, ...outputs(cx, only.value, grid, fn) };
  } catch (error) {
    if (!(error instanceof Breach)) throw error;
    if (error.diagnostic) reader.report(error.diagnostic);
    return undefined;
  }
}

function outputs(
  cx: Context,
  value: Value,
  grid: Grid,
  fn: FunctionNode,
): Pick<CellIr, "east" | "south" | "emit" | "emitWhen"> {
  if (value.kind !== "object") return cx.fail(fn, "type", "the step of a cell returns { east, south, emit }", "");
  const { cell } = grid;
  // The return stands after the body: its expressions read what the body has left.
  const side = (name: "east" | "south", type: Type): Expr => {
    const field = value.fields.get(name);
    if (!field) return cx.fail(fn, "type", `the step of a cell does not return ${name}`, `Return { east, south }.`);
    return cx.pureExpr("the result of a step", () => coerce(cx, field, type, fn));
  };
  const east = side("east", cell.west);
  const south = side("south", cell.north);
  const emit = value.fields.get("emit") ?? known(undefined);
  const at = cx.at(fn);
  const constant = (holds: boolean): Expr => ({ kind: "const", value: holds, type: bool, at });
  if (emit.kind === "static" && emit.value === undefined)
    return { east, south, emitWhen: constant(false), emit: zeroOf(cx, cell.emit, fn) };
  const when = emit.kind === "option" ? emit.when : constant(true);
  const what = emit.kind === "option" ? emit.value : emit;
  return {
    east,
    south,
    emitWhen: when,
    emit: cx.pureExpr("the result of a step", () => coerce(cx, what, cell.emit, fn)),
  };
}
