/** All examples of the language that pass the checker, those of its page among them: what every engine runs alike. */
import { Module } from "../../../hw/index.js";
import * as pages from "../language/examples.js";
import * as arithmetic from "./passing/arithmetic.js";
import * as channels from "./passing/channels.js";
import * as memories from "./passing/memories.js";
import * as rules from "./passing/rules.js";
import * as structure from "./passing/structure.js";
import { example, type Example, type Tokens } from "./harness.js";

/** The page's examples stand there as they are read: what they need to get anywhere is said here. */
const TOKENS: Readonly<Record<string, Tokens>> = {
  Mac: { count: (random) => Math.floor(random() * 4) },
  Mean: { x: (random) => 1 + Math.floor(random() * 3) },
};

const isModule = (value: unknown): value is Parameters<typeof example>[0] =>
  typeof value === "function" && value.prototype instanceof Module && value.length === 0;

export const EXAMPLES: readonly Example[] = [arithmetic, channels, structure, memories, rules, pages].flatMap((file) =>
  Object.values<unknown>(file)
    .filter(isModule)
    .map((Class) => {
      const one = example(Class);
      return { ...one, tokens: TOKENS[one.name] ?? one.tokens };
    }),
);
