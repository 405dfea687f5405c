/** The fields of the instruction as a table for docs/instructions.md. */
import { fields, type Field } from "./instruction.js";

export function instructionTable(): string {
  const rows = (fields as readonly Field[]).map(({ name, word, low, bits, signed, description }) => {
    const place = bits === 1 ? `${low}` : `${low + bits - 1}..${low}`;
    return `| ${word} | ${place} | \`${name}\` | ${signed ? `int${bits}` : `uint${bits}`} | ${description} |`;
  });
  return ["| word | bits | field | type | meaning |", "|---|---|---|---|---|", ...rows].join("\n");
}
