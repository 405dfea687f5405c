/** Tables of measurements for `tandem calibrate`: CSV with a header. */
import { parse } from "csv-parse/sync";
import { TandemError } from "../../hw/errors.js";
import { confidences, isConfidence, type Measurement } from "../../sim/platform/evidence.js";
import { readText } from "./files.js";

const COLUMNS = ["id", "quantity", "value", "unit", "conditions", "source", "confidence"] as const;

/** @throws TandemError naming the file where it cannot be read, is no CSV, or lacks a column. */
export function readMeasurements(path: string): Measurement[] {
  const text = readText(path, "a CSV file of measurements");
  let rows: Record<string, string>[];
  try {
    rows = parse(text, { columns: true, skip_empty_lines: true, bom: true });
  } catch (error) {
    throw new TandemError(`${path}: no CSV table (${error instanceof Error ? error.message : String(error)})`, {
      hint: `Expected a header with the columns ${COLUMNS.join(", ")}.`,
      cause: error,
    });
  }
  const missing = COLUMNS.filter((column) => !(column in (rows[0] ?? {})));
  if (missing.length > 0)
    throw new TandemError(`${path}: ${rows.length === 0 ? "no rows" : `no column ${missing.join(", ")}`}`, {
      hint: `Expected a header with the columns ${COLUMNS.join(", ")}; docs/platform.md describes them.`,
    });
  for (const [i, { id, confidence }] of rows.entries())
    if (!isConfidence(confidence!))
      throw new TandemError(`${path}: row ${i + 1} (${id!}): confidence "${confidence!}"`, {
        hint: `Expected one of ${confidences.join(", ")}; what follows in brackets is yours.`,
      });
  return rows as unknown as Measurement[];
}
