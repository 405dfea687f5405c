/**
 * Fits the platform's constants to measurements: weighted least squares of the relative errors. A constant that no
 * measurement speaks of keeps its value, and so does one that would come out negative.
 */
import type { Equation } from "./evidence.js";
import { constantNames, type BoardValues } from "./platform.js";
import type { ConstantName } from "./pynq-z1.constants.js";

export interface Residual {
  readonly equation: Equation;
  /** In the equation's unit, with the constants before and after. */
  readonly before: number;
  readonly after: number;
}

export interface Calibration {
  readonly values: BoardValues;
  readonly changed: readonly { readonly name: ConstantName; readonly before: number; readonly after: number }[];
  /** Constants whose fitted value was negative, and so was not taken. */
  readonly refused: readonly ConstantName[];
  readonly residuals: readonly Residual[];
  /** Weighted root mean square of the relative errors, of the equations to fit and of those to check. */
  readonly error: Readonly<Record<Equation["use"], { readonly before: number; readonly after: number }>>;
}

/** Pull towards the present values, relative to one equation of weight 1: decides only what nothing else decides. */
const PRIOR = 1e-9;

export function calibrate(equations: readonly Equation[], board: BoardValues): Calibration {
  const fitted = equations.filter(({ use }) => use === "fit");
  const names = [...new Set(fitted.flatMap(({ terms }) => Object.keys(terms)))];
  const isConstant = (name: string): name is ConstantName => (constantNames as string[]).includes(name);
  const present = names.map((name) => (isConstant(name) ? board[name] : 1));
  const solution = leastSquares(fitted, names, present);

  const refused: ConstantName[] = [];
  const values: Record<string, number> = { ...board };
  const unknowns = new Map<string, number>();
  names.forEach((name, i) => {
    const value = solution[i]!;
    if (!isConstant(name)) unknowns.set(name, value);
    else if (value >= 0) values[name] = value;
    else refused.push(name);
  });
  const after = values as BoardValues;
  const residuals = equations.map((equation) => ({
    equation,
    before: predict(equation, board, unknowns),
    after: predict(equation, after, unknowns),
  }));
  const error = (use: Equation["use"]): { before: number; after: number } => {
    const rows = residuals.filter(({ equation }) => equation.use === use);
    return { before: rms(rows, "before"), after: rms(rows, "after") };
  };
  return {
    values: after,
    changed: constantNames.flatMap((name) =>
      after[name] === board[name] ? [] : [{ name, before: board[name], after: after[name] }],
    ),
    refused,
    residuals,
    error: { fit: error("fit"), check: error("check") },
  };
}

/** What an equation's right side comes to; `unknowns` are the `~` names, 0 where they are not known. */
export function predict(
  { offset, terms }: Equation,
  board: BoardValues,
  unknowns: ReadonlyMap<string, number> = new Map(),
): number {
  return Object.entries(terms).reduce((sum, [name, coefficient]) => {
    return sum + (coefficient ?? 0) * (name.startsWith("~") ? (unknowns.get(name) ?? 0) : board[name as ConstantName]);
  }, offset);
}

function rms(rows: readonly Residual[], key: "before" | "after"): number {
  const weight = rows.reduce((sum, { equation }) => sum + equation.weight, 0);
  const total = rows.reduce((sum, { equation, [key]: value }) => {
    return sum + equation.weight * ((value - equation.observed) / equation.observed) ** 2;
  }, 0);
  return weight > 0 ? Math.sqrt(total / weight) : 0;
}

/** Normal equations in units of the present values, so that constants of all sizes count alike. */
function leastSquares(equations: readonly Equation[], names: readonly string[], present: readonly number[]): number[] {
  const n = names.length;
  const scale = present.map((value) => (value > 0 ? value : 1));
  const matrix = names.map((_, i) => names.map((__, j) => (i === j ? PRIOR : 0)));
  const right = names.map((_, i) => PRIOR * (present[i]! / scale[i]!));
  for (const { terms, observed, offset, weight } of equations) {
    const row = names.map((name, i) => ((terms[name as ConstantName] ?? 0) * scale[i]!) / observed);
    const target = (observed - offset) / observed;
    for (let i = 0; i < n; i++) {
      if (row[i] === 0) continue;
      for (let j = 0; j < n; j++) matrix[i]![j]! += weight * row[i]! * row[j]!;
      right[i]! += weight * row[i]! * target;
    }
  }
  return solve(matrix, right).map((value, i) => value * scale[i]!);
}

/** Gaussian elimination with partial pivoting; the matrix is positive definite. */
function solve(matrix: number[][], right: number[]): number[] {
  const n = right.length;
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(matrix[i]![k]!) > Math.abs(matrix[pivot]![k]!)) pivot = i;
    [matrix[k], matrix[pivot]] = [matrix[pivot]!, matrix[k]!];
    [right[k], right[pivot]] = [right[pivot]!, right[k]!];
    for (let i = k + 1; i < n; i++) {
      const factor = matrix[i]![k]! / matrix[k]![k]!;
      for (let j = k; j < n; j++) matrix[i]![j]! -= factor * matrix[k]![j]!;
      right[i]! -= factor * right[k]!;
    }
  }
  const out = new Array<number>(n).fill(0);
  for (let i = n - 1; i >= 0; i--) {
    let sum = right[i]!;
    for (let j = i + 1; j < n; j++) sum -= matrix[i]![j]! * out[j]!;
    out[i] = sum / matrix[i]![i]!;
  }
  return out;
}
