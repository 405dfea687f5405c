/** The checker: every rule of the language that can be held against the text of a design (docs/language.md). */
import { BlackBox } from "../blackbox.js";
import type { Elaborated } from "../elaborate.js";
import { readDesign, type Reading } from "../frontend/index.js";
import type { ProcessIr } from "../ir/ir.js";
import { statementsIn } from "../ir/walk.js";
import { checkClocks, type Find } from "./clocks.js";
import { boxText } from "../verilog/black-box.js";
import { positionKey, type Diagnostic } from "./diagnostic.js";
import { lineAt } from "./lines.js";
import { checkUsers } from "./users.js";

export interface CheckOptions {
  /** For hardware: no estimates. */
  readonly rtl?: boolean;
}

/** Read a design and check it. */
export async function checkDesign(design: Elaborated, options: CheckOptions = {}): Promise<Reading> {
  const { ir, diagnostics, files } = await readDesign(design);
  const found = new Map<string, Diagnostic>();
  for (const one of diagnostics) found.set(`${positionKey(one.at)} ${one.rule}`, one);
  const find: Find = (at, rule, message, hint) => {
    const key = `${positionKey(at)} ${rule}`;
    if (!found.has(key)) found.set(key, { at, rule, message, hint, text: lineAt(at) });
  };
  for (const process of ir.processes) {
    checkClocks(process, find);
    if (options.rtl) checkEstimates(process, find);
  }
  checkUsers(ir, find);
  for (const module of design.modules)
    if (module instanceof BlackBox)
      for (const { at, message, hint } of boxText(module).problems) find(at, "black-box", message, hint);
  return { ir, diagnostics: inOrder([...found.values()]), files };
}

function checkEstimates({ node, body }: ProcessIr, find: Find): void {
  for (const stmt of statementsIn(body))
    if (stmt.kind === "clocks" && stmt.estimate)
      find(
        stmt.at,
        "estimate",
        `${node.path} holds an estimate: it is not hardware yet`,
        "Write what takes the time, and remove the estimate.",
      );
}

/** By file, line and column. */
export function inOrder(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return [...diagnostics].sort(
    (a, b) => a.at.file.localeCompare(b.at.file) || a.at.line - b.at.line || a.at.column - b.at.column,
  );
}
