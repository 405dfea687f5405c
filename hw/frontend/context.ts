/** The state of the compiler while it reads one process or cell. */
import { lineAt } from "../check/lines.js";
import { Breach, type Diagnostic, type Rule } from "../check/diagnostic.js";
import type { Expr, ExprType, Local, Position, StateField, Stmt } from "../ir/ir.js";
import type { Module } from "../module.js";
import type { ProcessNode } from "../process.js";
import { Env } from "./env.js";
import type { FunctionNode, Node } from "./parse.js";
import { Scope } from "./scope.js";
import type { LoadedFile, Sources } from "./sources.js";
import { dynamic, mapExprs, type Value } from "./values.js";

/** What every reading shares. */
export interface Seed {
  readonly sources: Sources;
  readonly report: (diagnostic: Diagnostic) => void;
}

/** What is being read: a process, a cell's step, or a constant. */
export interface Unit {
  readonly kind: "process" | "cell" | "constant";
  readonly module: Module | undefined;
  readonly node: ProcessNode | undefined;
  /** The registers of each module, with the process that each belongs to. */
  readonly registers: ReadonlyMap<object, ReadonlyMap<string, Register>>;
  readonly locals: Local[];
  readonly fields: Set<StateField>;
  readonly shares: Share[];
  polls: boolean;
  estimates: boolean;
  labels: number;
}

export interface Register {
  readonly field: StateField;
  readonly owner: ProcessNode;
}

/** A vector or struct that got a second name without a copy. */
export interface Share {
  readonly from: Expr;
  /** Undefined where the new holder never changes it in place. */
  readonly to: Expr | undefined;
  readonly node: Node;
  readonly file: LoadedFile;
}

/** Where `break` and `continue` lead. */
export interface Jump {
  /** Label in the source, if any. */
  readonly name: string | undefined;
  readonly label: string;
  readonly isLoop: boolean;
  /** A `switch`: a plain `break` leaves it, `continue` does not see it. */
  readonly isSwitch: boolean;
  /** Label of the block to leave for `continue`, where the loop was unrolled or its test moved into the body. */
  readonly next: string | undefined;
  readonly breaks: Env[];
  readonly continues: Env[];
}

/** Where `return` leads. */
export interface Returns {
  readonly label: string;
  readonly values: { readonly value: Value; readonly env: Env }[];
  /** Keeps the value of a return that is not the last statement. */
  result: Local | undefined;
  used: boolean;
}

interface Let {
  readonly local: Local;
  readonly value: Expr;
}

export class Context implements Seed {
  readonly sources: Sources;
  readonly unit: Unit;
  readonly report: (diagnostic: Diagnostic) => void;
  file: LoadedFile;
  scope: Scope;
  self: Value;
  env = new Env();
  /** The statements being made; undefined where only pure expressions are allowed. */
  out: Stmt[] | undefined;
  lets: Let[] = [];
  /** Functions being inlined, against recursion. */
  readonly inlining: FunctionNode[] = [];
  /** Why an effect must not stand here; undefined where it may. */
  forbidden: string | undefined;
  /** Locals with a lower number were there before: changing them is an effect. */
  outside = 0;
  /** What is being made is copied by whoever takes it (a push, a type call). */
  copies = false;
  jumps: Jump[] = [];
  returns: Returns | undefined;
  /** The text in which a name declared here can be assigned. */
  around: Node | undefined;
  /** The statements after this one in its block: the life of a name declared here. */
  rest: readonly Node[] = [];
  /** Label of the source that the next loop or block carries. */
  pendingLabel: string | undefined;

  constructor(
    sources: Sources,
    unit: Unit,
    file: LoadedFile,
    scope: Scope,
    self: Value,
    report: (d: Diagnostic) => void,
  ) {
    this.sources = sources;
    this.unit = unit;
    this.file = file;
    this.scope = scope;
    this.self = self;
    this.report = report;
  }

  at(node: Node): Position {
    return this.file.source.position(node.start);
  }

  diagnostic(node: Node, rule: Rule, message: string, hint: string): Diagnostic {
    const at = this.at(node);
    return { rule, at, message, hint, text: lineAt(at) };
  }

  fail(node: Node, rule: Rule, message: string, hint: string): never {
    throw new Breach(this.diagnostic(node, rule, message, hint));
  }

  /** Report and go on. */
  breach(node: Node, rule: Rule, message: string, hint: string): void {
    this.report(this.diagnostic(node, rule, message, hint));
  }

  /** The text of a node, shortened, for messages. */
  text(node: Node): string {
    const text = this.file.source.text.slice(node.start, node.end).replace(/\s+/g, " ");
    return text.length > 60 ? `${text.slice(0, 57)}...` : text;
  }

  local(name: string, type: ExprType, mutable: boolean): Local {
    const local: Local = { id: this.unit.locals.length, name, type, mutable };
    this.unit.locals.push(local);
    return local;
  }

  label(name: string): string {
    return `${name}${this.unit.labels++}`;
  }

  emit(stmt: Stmt): void {
    if (!this.out) throw new Error("a statement inside an expression");
    this.out.push(stmt);
  }

  /** Name the value of an expression: a statement where one may stand, else around the expression. */
  name(name: string, value: Expr): Expr {
    const local = this.local(name, value.type, false);
    if (this.out) this.out.push({ kind: "let", local, value, at: value.at });
    else this.lets.push({ local, value });
    return { kind: "local", local, type: local.type, at: value.at };
  }

  /** Lower into a list of statements of its own. */
  collect(body: () => void): Stmt[] {
    const { out } = this;
    const list: Stmt[] = [];
    this.out = list;
    try {
      body();
    } finally {
      this.out = out;
    }
    return list;
  }

  /** Lower a value that may not be evaluated, or more than once: no statements, no effects. */
  pure(what: string, body: () => Value): Value {
    const { out, lets, forbidden } = this;
    this.out = undefined;
    this.lets = [];
    this.forbidden ??= what;
    try {
      const value = body();
      const names = this.lets;
      return names.length === 0 ? value : mapExprs(value, (expr) => wrap(names, expr));
    } finally {
      this.out = out;
      this.lets = lets;
      this.forbidden = forbidden;
    }
  }

  pureExpr(what: string, body: () => Expr): Expr {
    const value = this.pure(what, () => dynamic(body()));
    if (value.kind !== "expr") throw new Error("not an expression");
    return value.expr;
  }

  /** Lower what must not have effects. */
  without<T>(what: string, body: () => T): T {
    const { forbidden, outside } = this;
    if (forbidden === undefined) this.outside = this.unit.locals.length;
    this.forbidden ??= what;
    try {
      return body();
    } finally {
      this.forbidden = forbidden;
      this.outside = outside;
    }
  }

  copying<T>(body: () => T): T {
    const { copies } = this;
    this.copies = true;
    try {
      return body();
    } finally {
      this.copies = copies;
    }
  }

  /** Lower under other knowledge; what is learned below is dropped. */
  under<T>(env: Env, body: () => T): T {
    const before = this.env;
    this.env = env;
    try {
      return body();
    } finally {
      this.env = before;
    }
  }

  inner<T>(scope: Scope, body: () => T): T {
    const before = this.scope;
    this.scope = scope;
    try {
      return body();
    } finally {
      this.scope = before;
    }
  }
}

const wrap = (names: readonly Let[], value: Expr): Expr =>
  names.reduceRight<Expr>(
    (body, { local, value }) => ({ kind: "let", local, value, body, type: body.type, at: body.at }),
    value,
  );
