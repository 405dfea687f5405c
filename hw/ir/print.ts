/** The IR as text, for people: one statement a line, the structure as indentation. */
import type { CellIr, Expr, ExprType, Local, ProcessIr, Ref, Stmt } from "./ir.js";

export const printType = (type: ExprType): string =>
  type.kind === "exact" ? `${type.range.lo}..${type.range.hi}` : type.name;

const localName = ({ name, id }: Local): string => `${name}%${id}`;

function printRef<P extends { readonly path: string }>({ parts, index }: Ref<P>): string {
  const [first] = parts;
  return index ? `{${parts.map(({ path }) => path).join(", ")}}[${printExpr(index)}]` : first!.path;
}

export function printExpr(expr: Expr): string {
  switch (expr.kind) {
    case "const":
      return String(expr.value);
    case "local":
      return localName(expr.local);
    case "field":
      return `this.${expr.field.name}`;
    case "index":
      return `${printExpr(expr.base)}[${printExpr(expr.index)}]`;
    case "member":
      return `${printExpr(expr.base)}.${expr.name}`;
    case "unary":
      return `${expr.op}${printExpr(expr.operand)}`;
    case "binary":
      return `(${printExpr(expr.left)} ${expr.op} ${printExpr(expr.right)})`;
    case "select":
      return `(${printExpr(expr.condition)} ? ${printExpr(expr.then)} : ${printExpr(expr.else)})`;
    case "cast":
      return `${printType(expr.type)}(${printExpr(expr.operand)})`;
    case "call":
      return `${expr.helper}(${expr.args.map(printExpr).join(", ")})`;
    case "map":
      return `map(${localName(expr.lane)} < ${expr.length}: ${printExpr(expr.body)})`;
    case "let":
      return `(let ${localName(expr.local)} = ${printExpr(expr.value)} in ${printExpr(expr.body)})`;
    case "vector":
      return `[${expr.items.map(printExpr).join(", ")}]`;
    case "struct":
      return `{ ${expr.fields.map(({ name, value }) => `${name}: ${printExpr(value)}`).join(", ")} }`;
    case "q":
      return `${printRef(expr.port)}.q`;
    case "signal":
      return `${printRef(expr.signal)}.value`;
  }
}

const indent = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);
const block = (body: readonly Stmt[]): string[] => indent(body.flatMap(printStmt));

export function printStmt(stmt: Stmt): string[] {
  switch (stmt.kind) {
    case "let":
      return [
        `${stmt.local.mutable ? "var" : "let"} ${localName(stmt.local)}: ${printType(stmt.local.type)} = ${printExpr(stmt.value)}`,
      ];
    case "assign":
      return [`${printExpr(stmt.target)} := ${printExpr(stmt.value)}`];
    case "if": {
      const otherwise = stmt.else.length > 0 ? ["else", ...block(stmt.else)] : [];
      return [`if ${printExpr(stmt.condition)}`, ...block(stmt.then), ...otherwise];
    }
    case "loop": {
      const facts = [
        stmt.trips === undefined ? "" : `${stmt.trips} passes`,
        stmt.atLeastOnce ? "at least once" : "",
        stmt.combinational ? "combinational" : "",
      ].filter((fact) => fact !== "");
      const note = facts.length > 0 ? ` // ${facts.join(", ")}` : "";
      const head = `${stmt.label}: while ${printExpr(stmt.condition)}${note}`;
      const update = stmt.update.length > 0 ? ["then", ...block(stmt.update)] : [];
      return [head, ...block(stmt.body), ...update];
    }
    case "block":
      return [`${stmt.label}:`, ...block(stmt.body)];
    case "break":
    case "continue":
      return [`${stmt.kind} ${stmt.label}`];
    case "end":
      return ["end"];
    case "edge":
      return ["edge"];
    case "clocks":
      return [`${stmt.estimate ? "estimate" : "clocks"} ${printExpr(stmt.count)}`];
    case "pop": {
      const into = stmt.into ? `let ${localName(stmt.into)}: ${printType(stmt.into.type)} = ` : "";
      return [`${into}pop ${printRef(stmt.channel)}`];
    }
    case "push":
      return [`push ${printRef(stmt.channel)} <- ${printExpr(stmt.value)}`];
    case "tryPop":
    case "peek":
      return [
        `let ${localName(stmt.ok)}, ${localName(stmt.into)}: ${printType(stmt.into.type)} = ${stmt.kind} ${printRef(stmt.channel)}`,
      ];
    case "tryPush":
      return [`let ${localName(stmt.ok)} = tryPush ${printRef(stmt.channel)} <- ${printExpr(stmt.value)}`];
    case "read":
      return [`read ${printRef(stmt.port)}[${printExpr(stmt.address)}]`];
    case "write":
      return [`write ${printRef(stmt.port)}[${printExpr(stmt.address)}] <- ${printExpr(stmt.value)}`];
    case "signal":
      return [`signal ${printRef(stmt.signal)} <- ${printExpr(stmt.value)}`];
    case "feed":
      return [`feed ${stmt.grid.path} west ${printExpr(stmt.west)} north ${printExpr(stmt.north)}`];
    case "assert":
      return [`assert ${printExpr(stmt.condition)} "${stmt.text}"`];
  }
}

export function printProcess({ node, fields, body, polls, estimates }: ProcessIr): string {
  const notes = [polls ? "polls" : "", estimates ? "holds estimates" : ""].filter((note) => note !== "");
  const registers = fields.map(
    ({ name, type, initial }) => `register ${name}: ${type.name} = ${JSON.stringify(initial)}`,
  );
  return [
    `process ${node.path}${notes.length > 0 ? ` // ${notes.join(", ")}` : ""}`,
    ...indent(registers),
    ...block(body),
  ].join("\n");
}

export function printCell({ grid, west, north, state, body, east, south, emit, emitWhen }: CellIr): string {
  const link = (local: Local): string => `${localName(local)}: ${printType(local.type)}`;
  return [
    `cell ${grid.path} (${grid.rows} x ${grid.cols}; ${link(west)}; ${link(north)}; ${link(state)})`,
    ...block(body),
    `  east ${printExpr(east)}`,
    `  south ${printExpr(south)}`,
    `  emit ${printExpr(emit)} when ${printExpr(emitWhen)}`,
  ].join("\n");
}
