/** The one table printer: columns as wide as their cells, numbers to the right, no lines between. */
import { oneLine } from "./errors.js";

export interface Column<Row> {
  readonly title: string;
  /** Text of a cell; undefined leaves it empty. */
  readonly cell: (row: Row) => string | number | undefined;
  /** `left` for words; numbers stand `right`, which is the default. */
  readonly align?: "left" | "right";
  /** Longest text; longer ones are cut with an ellipsis. */
  readonly width?: number;
}

/** A table as text, with a line for the titles. A column whose cells are all empty is left out. */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const cells = columns.map((column) => rows.map((row) => cut(text(column.cell(row)), column.width)));
  const shown = [...columns.keys()].filter((c) => cells[c]!.some((cell) => cell !== ""));
  const widths = shown.map((c) => Math.max(columns[c]!.title.length, ...cells[c]!.map((cell) => cell.length)));
  const line = (of: (c: number) => string): string =>
    shown
      .map((c, i) => (columns[c]!.align === "left" ? of(c).padEnd(widths[i]!) : of(c).padStart(widths[i]!)))
      .join("  ")
      .trimEnd();
  return [line((c) => columns[c]!.title), ...rows.map((_, r) => line((c) => cells[c]![r]!))].join("\n");
}

function text(value: string | number | undefined): string {
  if (value === undefined) return "";
  return typeof value === "number" ? count(value) : oneLine(value);
}

function cut(value: string, width = Infinity): string {
  return value.length <= width ? value : `${value.slice(0, width - 1)}…`;
}

/** An integer with its thousands apart: `1,234,567`. */
export function count(value: number): string {
  // As below, without the tables of languages, which take some 10 ms to load.
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) return String(value).replace(/\B(?=(\d{3})+$)/g, ",");
  return value.toLocaleString("en-US", { maximumFractionDigits: 0 });
}

/** A number with a fixed number of decimals and its thousands apart. */
export function fixed(value: number, decimals: number): string {
  return value.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

/** A factor with two decimals; below 0.1 with two digits that say something, however small it is. */
export const factor = (value: number): string => (value < 0.1 ? value.toPrecision(2) : fixed(value, 2));

/** A share as a percentage with one decimal. */
export function percent(share: number): string {
  return `${fixed(share * 100, 1)} %`;
}
