/**
 * The meaning of the IR's statements: a process of IR as a generator that the kernel runs in place of the original one,
 * and a cell's step as a function. Tests hold the two against each other, clock for clock; so the IR is known to say what
 * the source says.
 */
import { assert } from "../arithmetic.js";
import type { Process } from "../process.js";
import { estimated, clocks } from "../process.js";
import { assign, copyOf, evaluate, Frame, partOf } from "./evaluate.js";
import type { CellIr, DesignIr, ProcessIr, Stmt } from "./ir.js";
import { takesTime } from "./walk.js";

/** How control leaves a list of statements other than at its end. */
type Exit = { readonly kind: "break" | "continue"; readonly label: string } | { readonly kind: "end" } | undefined;

/** Statements that take no clock. */
function run(frame: Frame, body: readonly Stmt[]): Exit {
  for (const stmt of body) {
    const exit = runOne(frame, stmt);
    if (exit) return exit;
  }
  return undefined;
}

function runOne(frame: Frame, stmt: Stmt): Exit {
  const of = (expr: Parameters<typeof evaluate>[1]): unknown => evaluate(frame, expr);
  switch (stmt.kind) {
    case "let":
      frame.set(stmt.local, of(stmt.value));
      return undefined;
    case "assign":
      assign(frame, stmt.target, of(stmt.value));
      return undefined;
    case "if":
      return run(frame, of(stmt.condition) ? stmt.then : stmt.else);
    case "loop":
      while (of(stmt.condition)) {
        const exit = run(frame, stmt.body);
        if (exit && !(exit.kind === "continue" && exit.label === stmt.label)) return caught(exit, stmt.label);
        const after = run(frame, stmt.update);
        if (after) return after;
      }
      return undefined;
    case "block":
      return caught(run(frame, stmt.body), stmt.label);
    case "break":
    case "continue":
      return stmt;
    case "end":
      return { kind: "end" };
    case "tryPop":
    case "peek": {
      const channel = partOf(frame, stmt.channel);
      const token = stmt.kind === "tryPop" ? channel.tryPop() : channel.peek();
      frame.set(stmt.ok, token !== undefined);
      frame.set(stmt.into, token ?? channel.type.zero());
      return undefined;
    }
    case "tryPush":
      frame.set(stmt.ok, partOf(frame, stmt.channel).tryPush(of(stmt.value)));
      return undefined;
    case "read":
      partOf(frame, stmt.port).read(of(stmt.address) as number);
      return undefined;
    case "write":
      partOf(frame, stmt.port).write(of(stmt.address) as number, of(stmt.value));
      return undefined;
    case "signal":
      partOf(frame, stmt.signal).write(of(stmt.value));
      return undefined;
    case "feed":
      stmt.grid.feed(copyOf(of(stmt.west)) as unknown[], copyOf(of(stmt.north)) as unknown[]);
      return undefined;
    case "assert":
      assert(of(stmt.condition) as boolean, stmt.text);
      return undefined;
    default:
      throw new Error(`${stmt.kind} takes time`);
  }
}

/** A labelled statement is left by a break to it; anything else goes on outwards. */
const caught = (exit: Exit, label: string): Exit => (exit?.kind === "break" && exit.label === label ? undefined : exit);

/** Statements of which some take clocks. */
function* runTimed(frame: Frame, body: readonly Stmt[]): Process<Exit> {
  for (const stmt of body) {
    const exit = takesTime(stmt) ? yield* runTimedOne(frame, stmt) : runOne(frame, stmt);
    if (exit) return exit;
  }
  return undefined;
}

function* runTimedOne(frame: Frame, stmt: Stmt): Process<Exit> {
  switch (stmt.kind) {
    case "edge":
      yield;
      return undefined;
    case "clocks": {
      const n = evaluate(frame, stmt.count) as number;
      yield* stmt.estimate ? estimated(n) : clocks(n);
      return undefined;
    }
    case "pop": {
      const token = yield* partOf(frame, stmt.channel).pop();
      if (stmt.into) frame.set(stmt.into, token);
      return undefined;
    }
    case "push":
      yield* partOf(frame, stmt.channel).push(evaluate(frame, stmt.value));
      return undefined;
    case "if":
      return yield* runTimed(frame, evaluate(frame, stmt.condition) ? stmt.then : stmt.else);
    case "loop":
      while (evaluate(frame, stmt.condition)) {
        const exit = yield* runTimed(frame, stmt.body);
        if (exit && !(exit.kind === "continue" && exit.label === stmt.label)) return caught(exit, stmt.label);
        const after = yield* runTimed(frame, stmt.update);
        if (after) return after;
      }
      return undefined;
    case "block":
      return caught(yield* runTimed(frame, stmt.body), stmt.label);
    default:
      return runOne(frame, stmt);
  }
}

/** The body of a process, from its IR. */
export function interpretProcess({ body, node }: ProcessIr): () => Process {
  const named = {
    *[node.name](): Process {
      yield* runTimed(new Frame(), body);
    },
  };
  return named[node.name]!;
}

interface Step {
  (
    inputs: { readonly west: unknown; readonly north: unknown },
    state: unknown,
    at: { readonly row: number; readonly col: number },
  ): { east: unknown; south: unknown; emit?: unknown };
}

/** The step of a grid's cell, from its IR. */
export function interpretCell(cell: CellIr): Step {
  return ({ west, north }, state, { row, col }) => {
    const frame = new Frame();
    frame.set(cell.west, west);
    frame.set(cell.north, north);
    // The registers themselves: the body changes them in place.
    frame.values[cell.state.id] = state;
    frame.set(cell.row, row);
    frame.set(cell.col, col);
    run(frame, cell.body);
    return {
      east: copyOf(evaluate(frame, cell.east)),
      south: copyOf(evaluate(frame, cell.south)),
      emit: evaluate(frame, cell.emitWhen) ? copyOf(evaluate(frame, cell.emit)) : undefined,
    };
  };
}

/** All bodies and steps of a design, for a kernel that runs the IR in their place. */
export function interpretDesign({ processes, cells }: DesignIr): {
  bodies: ReadonlyMap<ProcessIr["node"], () => Process>;
  steps: ReadonlyMap<CellIr["grid"], Step>;
} {
  return {
    bodies: new Map(processes.map((process) => [process.node, interpretProcess(process)])),
    steps: new Map(cells.map((cell) => [cell.grid, interpretCell(cell)])),
  };
}
