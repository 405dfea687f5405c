import { readFileSync } from "node:fs";
import { expect } from "chai";
import { acceleratorConv2d } from "../../../host/backends/accelerator.js";
import { OPERATOR_TYPES } from "../../../host/graph/check.js";
import { CPU_IMPLEMENTATIONS } from "../../../host/kernels/registry.js";
import { BuiltinOperator } from "../../../host/tflite/schema.js";

/** docs/operators.md lies beside the sources; this file is compiled to `dist/test/host/kernels`. */
const page = readFileSync(new URL("../../../../docs/operators.md", import.meta.url), "utf8");

describe("docs/operators.md", () => {
  it("lists exactly what the registry runs", () => {
    const accelerator = acceleratorConv2d({
      name: "any",
      peakMacsPerClock: 1,
      refuses: () => null,
      compile: (layer) => ({ layer }),
      run: () => Promise.reject(new Error("not run here")),
      close: () => Promise.resolve(),
    });
    const all = [...CPU_IMPLEMENTATIONS, accelerator];
    const names = [...new Set(all.map(({ name }) => name))].sort((a, b) => order(a) - order(b));
    const rows = [...OPERATOR_TYPES].sort().map((type) => {
      const cells = names.map((name) =>
        all.find((each) => each.name === name && each.operator === type)?.dtypes.join(", "),
      );
      return `| ${[type, ...cells.map((cell) => cell ?? "-")].join(" | ")} |`;
    });
    const expected = [`| ${["operator", ...names].join(" | ")} |`, `|---|---|---|---|`, ...rows];
    expect(page.split("\n").filter((line) => line.startsWith("|"))).to.deep.equal(expected);
  });

  it("covers the operators of the schema", () => {
    expect([...OPERATOR_TYPES].sort()).to.deep.equal(Object.keys(BuiltinOperator).sort());
  });

  it("stands on a reference implementation of every operator", () => {
    const reference = CPU_IMPLEMENTATIONS.filter(({ name }) => name === "reference").map(({ operator }) => operator);
    expect([...reference].sort()).to.deep.equal([...OPERATOR_TYPES].sort());
  });
});

function order(name: string): number {
  return ["reference", "fast", "accelerator"].indexOf(name);
}
