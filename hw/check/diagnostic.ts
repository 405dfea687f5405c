/**
 * What the checker reports: a breach of one rule of the language at one place of the source, with the line itself and
 * what to write instead.
 */
import type { Position } from "../ir/ir.js";

/** The rules by name; docs/language.md has a paragraph for each. */
export const RULES = [
  "syntax",
  "name",
  "constant",
  "yield-star",
  "yield-place",
  "effects",
  "type",
  "uncast",
  "increment",
  "range",
  "operator",
  "index",
  "alias",
  "loop-clock",
  "loop-bound",
  "recursion",
  "closure",
  "owner",
  "channel-user",
  "port-user",
  "port-twice",
  "signal-writer",
  "grid-feed",
  "undefined-token",
  "nondeterminism",
  "estimate",
  "source",
  "black-box",
] as const;
export type Rule = (typeof RULES)[number];

export interface Diagnostic {
  readonly rule: Rule;
  readonly at: Position;
  /** What is wrong, in one line. */
  readonly message: string;
  /** What to do, as an imperative sentence. */
  readonly hint: string;
  /** The line of source at `at`. */
  readonly text: string | undefined;
}

/** Thrown inside the front end; one statement is given up, the rest goes on. */
export class Breach extends Error {
  /** Undefined where the cause was reported already. */
  readonly diagnostic: Diagnostic | undefined;

  constructor(diagnostic?: Diagnostic) {
    super(diagnostic?.message);
    this.diagnostic = diagnostic;
  }
}

/** `file:line:column: message`, the line with a caret, and the suggestion. */
export function formatDiagnostic({ at, message, hint, text, rule }: Diagnostic): string {
  const lines = [`${at.file}:${at.line}:${at.column}: ${message} [${rule}]`];
  if (text !== undefined) {
    const number = String(at.line);
    lines.push(`  ${number} | ${text}`);
    // Tabs stay tabs, so that the caret stands under its character.
    lines.push(`  ${" ".repeat(number.length)} | ${text.slice(0, at.column - 1).replace(/[^\t]/g, " ")}^`);
  }
  if (hint) lines.push(`  ${hint}`);
  return lines.join("\n");
}

export const positionKey = ({ file, line, column }: Position): string => `${file}:${line}:${column}`;
