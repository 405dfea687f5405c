// Type-aware linting, and the one-way rule for imports: hw <- sim <- driver <- host; designs stand on hw and driver.
import { existsSync, readdirSync } from "node:fs";
import tseslint from "typescript-eslint";
import prettier from "eslint-config-prettier";

/** Folders that each folder must not import from, and why the rule exists. */
const forbidden = {
  hw: ["sim", "driver", "host", "designs", "scripts", "test"],
  sim: ["driver", "host", "designs", "scripts", "test"],
  driver: ["host", "designs", "scripts", "test"],
  designs: ["sim", "host", "scripts", "test"],
  host: ["scripts", "test"],
  scripts: ["test"],
};

/** Folders of designs. What several of them use has a folder of its own beside them, without an index. */
const designs = readdirSync(new URL("designs", import.meta.url)).filter((name) =>
  existsSync(new URL(`designs/${name}/index.ts`, import.meta.url)),
);

const direction = Object.entries(forbidden).map(([folder, targets]) => ({
  files: [`${folder}/**/*.ts`],
  // The registry of designs is the one place of the host that imports designs.
  ignores: folder === "host" ? ["host/registry.ts"] : [],
  rules: {
    "no-restricted-imports": [
      "error",
      {
        patterns: [
          {
            regex: `^(\\.\\./)+(${[...targets, ...(folder === "host" ? ["designs"] : [])].join("|")})/`,
            message: `Imports point one way (hw <- sim <- driver <- host; designs on hw and driver): ${folder}/ must not import this.`,
          },
          ...(folder === "designs"
            ? [
                {
                  regex: `^(\\.\\./)+(${designs.join("|")})/`,
                  message:
                    "A design must not import another: what both use belongs into a folder of its own in designs/.",
                },
              ]
            : []),
        ],
      },
    ],
  },
}));

export default tseslint.config(
  { ignores: ["dist/**", "node_modules/**", "coverage/**", "**/*.mjs", "**/*.cjs", "eslint.config.js"] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/no-unnecessary-condition": ["error", { allowConstantLoopConditions: true }],
      "@typescript-eslint/unbound-method": "off",
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
    },
  },
  ...direction,
  {
    files: ["test/**/*.ts"],
    rules: { "@typescript-eslint/no-unused-expressions": "off" },
  },
  prettier,
);
