/** All examples of the language that pass the checker: what every engine runs alike. */
import * as arithmetic from "./passing/arithmetic.js";
import * as channels from "./passing/channels.js";
import * as memories from "./passing/memories.js";
import * as rules from "./passing/rules.js";
import * as structure from "./passing/structure.js";
import { example, type Example } from "./harness.js";

export const EXAMPLES: readonly Example[] = [arithmetic, channels, structure, memories, rules].flatMap((file) =>
  Object.values(file).map(example),
);
