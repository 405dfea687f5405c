/**
 * The intermediate representation of a design: what the processes and cells say, checked and typed, with the structure of
 * the source kept (loops, branches, vectors, grids). Constants are folded from the live objects, helpers are inlined.
 * The fast engine compiles it as it stands; Verilog lowers it to state machines.
 *
 * Values are those of hw/types.ts. An arithmetic expression is an *exact integer* with a range and no width; only a
 * `cast` wraps. Vectors and structs are values: naming or storing one copies it. What is stored in a typed place (local,
 * field, token, word) has exactly its type. All nodes are plain data (live parts are referred to by object), so that an
 * IR can be made by hand; hw/ir/interpret.ts says what it means.
 */
import type { Channel } from "../channel.js";
import type { Grid } from "../grid.js";
import type { MemoryPort } from "../memory.js";
import type { ProcessNode } from "../process.js";
import type { Signal } from "../signal.js";
import type { Type } from "../types.js";
import type { Elaborated } from "../elaborate.js";
import type { Module } from "../module.js";

/** Where a node stands in the source that the user wrote; lines and columns count from 1. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Least and greatest value that an integer expression can have; both below 2^53 in size. */
export interface Range {
  readonly lo: number;
  readonly hi: number;
}

/** The type of an expression: an exact integer with its range, or a type of the language. */
export type ExprType = { readonly kind: "exact"; readonly range: Range } | Type;

/** A local variable of a process, after inlining; ids are unique in the process. */
export interface Local {
  readonly id: number;
  readonly name: string;
  /** Declared by its initialiser; an exact integer for a `const` that no type call wraps. */
  readonly type: ExprType;
  /** Set more than once; its type is a range only for the counter of a loop or the result of an inlined function. */
  readonly mutable: boolean;
}

/** One of several like parts (ports of banks, channels of lanes); without an index it is `parts[0]`. */
export interface Ref<P> {
  readonly parts: readonly P[];
  readonly index?: Expr;
}

interface At {
  readonly at: Position;
}
interface Typed extends At {
  readonly type: ExprType;
}

export type BinaryOp =
  "+" | "-" | "*" | "%" | "&" | "|" | "^" | "<<" | ">>" | ">>>" | "<" | "<=" | ">" | ">=" | "===" | "!==" | "&&" | "||";

/** Helpers of hw/arithmetic.ts, by name; each has a twin in every engine. */
export type HelperName =
  | "asr"
  | "shl"
  | "bits"
  | "andU"
  | "orU"
  | "xorU"
  | "doublingHighMul"
  | "roundingShiftRight"
  | "clamp"
  | "mulPair"
  | "min"
  | "max"
  | "abs";

export type Expr = Typed &
  (
    | { readonly kind: "const"; readonly value: number | boolean }
    | { readonly kind: "local"; readonly local: Local }
    /** A register of the process's module. */
    | { readonly kind: "field"; readonly field: StateField }
    | { readonly kind: "index"; readonly base: Expr; readonly index: Expr }
    | { readonly kind: "member"; readonly base: Expr; readonly name: string }
    | { readonly kind: "unary"; readonly op: "-" | "!" | "~"; readonly operand: Expr }
    | { readonly kind: "binary"; readonly op: BinaryOp; readonly left: Expr; readonly right: Expr }
    | { readonly kind: "select"; readonly condition: Expr; readonly then: Expr; readonly else: Expr }
    /** Wrap to an integer type: the only place where bits are lost. */
    | { readonly kind: "cast"; readonly operand: Expr }
    | { readonly kind: "call"; readonly helper: HelperName; readonly args: readonly Expr[] }
    /** A vector lane by lane; `lane` is an exact integer in 0..length-1. */
    | { readonly kind: "map"; readonly length: number; readonly lane: Local; readonly body: Expr }
    /** `value` has a name in `body`: shared work inside a map or under a condition, where no statement can stand. */
    | { readonly kind: "let"; readonly local: Local; readonly value: Expr; readonly body: Expr }
    | { readonly kind: "vector"; readonly items: readonly Expr[] }
    | { readonly kind: "struct"; readonly fields: readonly { readonly name: string; readonly value: Expr }[] }
    /** The word that the port read before this clock. */
    | { readonly kind: "q"; readonly port: Ref<MemoryPort> }
    | { readonly kind: "signal"; readonly signal: Ref<Signal> }
  );

/** A register: a field that one process assigns. */
export interface StateField {
  readonly module: Module;
  readonly name: string;
  readonly type: Type;
  /** Value after reset. */
  readonly initial: unknown;
}

/** What can be assigned: a local, a field, or a lane or field of one. */
export type Target = Extract<Expr, { kind: "local" | "field" | "index" | "member" }>;

export type Stmt = At &
  (
    | { readonly kind: "let"; readonly local: Local; readonly value: Expr }
    | { readonly kind: "assign"; readonly target: Target; readonly value: Expr }
    | { readonly kind: "if"; readonly condition: Expr; readonly then: readonly Stmt[]; readonly else: readonly Stmt[] }
    | Loop
    | { readonly kind: "block"; readonly label: string; readonly body: readonly Stmt[] }
    /** Leave the labelled loop or block, or go to the loop's `update`. */
    | { readonly kind: "break"; readonly label: string }
    | { readonly kind: "continue"; readonly label: string }
    /** The process ends. */
    | { readonly kind: "end" }
    /** One clock edge. */
    | { readonly kind: "edge" }
    | { readonly kind: "clocks"; readonly count: Expr; readonly estimate: boolean }
    | { readonly kind: "pop"; readonly channel: Ref<Channel>; readonly into?: Local }
    | { readonly kind: "push"; readonly channel: Ref<Channel>; readonly value: Expr }
    /** Polling: `ok` says whether it happened; `into` has the token if so, else zero. */
    | { readonly kind: "tryPop" | "peek"; readonly channel: Ref<Channel>; readonly ok: Local; readonly into: Local }
    | { readonly kind: "tryPush"; readonly channel: Ref<Channel>; readonly value: Expr; readonly ok: Local }
    | { readonly kind: "read"; readonly port: Ref<MemoryPort>; readonly address: Expr }
    | { readonly kind: "write"; readonly port: Ref<MemoryPort>; readonly address: Expr; readonly value: Expr }
    | { readonly kind: "signal"; readonly signal: Ref<Signal>; readonly value: Expr }
    | { readonly kind: "feed"; readonly grid: Grid; readonly west: Expr; readonly north: Expr }
    | { readonly kind: "assert"; readonly condition: Expr; readonly text: string }
  );

/**
 * `for (; condition; update) body`; the initialisation stands before it as `let`s.
 */
export interface Loop extends At {
  readonly kind: "loop";
  readonly label: string;
  /** The constant true for an endless loop. */
  readonly condition: Expr;
  readonly update: readonly Stmt[];
  readonly body: readonly Stmt[];
  /** Passes, where the bounds are constant; a `break` makes them fewer. */
  readonly trips?: number;
  /** The condition is known to hold the first time. */
  readonly atLeastOnce: boolean;
  /** No path through the body takes a clock: with constant bounds this is unrolled hardware. */
  readonly combinational: boolean;
}

export interface ProcessIr {
  readonly node: ProcessNode;
  readonly locals: readonly Local[];
  readonly fields: readonly StateField[];
  readonly body: readonly Stmt[];
  /** It polls, so its engine must know that nobody can still act earlier. */
  readonly polls: boolean;
  /** It holds an `estimate`: not hardware yet. */
  readonly estimates: boolean;
}

/** The step of a grid's cell: combinational statements, then what leaves. */
export interface CellIr {
  readonly grid: Grid;
  readonly west: Local;
  readonly north: Local;
  /** The struct of registers; assigned by members. */
  readonly state: Local;
  readonly row: Local;
  readonly col: Local;
  readonly locals: readonly Local[];
  readonly body: readonly Stmt[];
  readonly east: Expr;
  readonly south: Expr;
  /** Emits `emit` where `emitWhen` holds. */
  readonly emitWhen: Expr;
  readonly emit: Expr;
}

/** A process of a black box's model that is no text of the language: only the kernel runs it. */
export interface OpaqueProcess {
  readonly node: ProcessNode;
  /** Why it cannot be read: the first breach. */
  readonly why: string;
}

export interface DesignIr {
  readonly design: Elaborated;
  readonly processes: readonly ProcessIr[];
  readonly cells: readonly CellIr[];
  readonly opaque?: readonly OpaqueProcess[];
}
