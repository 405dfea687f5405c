/** Writes the table of fields into docs/instructions.md: `node dist/scripts/docs/instructions.js`. */
import { readFileSync, writeFileSync } from "node:fs";
import { instructionTable } from "../../driver/gemm/instruction-table.js";

const file = "docs/instructions.md";
const text = readFileSync(file, "utf8");
writeFileSync(
  file,
  text.replace(/(<!-- fields: [^\n]*-->\n)[^]*?(<!-- end of fields -->)/, `$1\n${instructionTable()}\n\n$2`),
);
