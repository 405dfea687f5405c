import { expect } from "chai";
import type { LayerCost } from "../../../driver/accelerator.js";
import { TandemError } from "../../../hw/errors.js";
import type { Implementation } from "../../../host/kernels/implementation.js";
import { CPU_IMPLEMENTATIONS } from "../../../host/kernels/registry.js";
import { execute } from "../../../host/runtime/executor.js";
import { makePlan } from "../../../host/runtime/plan.js";
import { single } from "../support/graphs.js";

const quantised = { dtype: "int8" as const, scales: [0.5], zeroPoint: 0 };
const sum = () =>
  single(
    "ADD",
    { activation: "NONE" },
    [
      { shape: [4], ...quantised },
      { shape: [1], ...quantised, data: Int8Array.of(10) },
    ],
    { shape: [4], ...quantised },
  );
const inputs = [Uint8Array.of(1, 2, 3, 4)];

describe("A plan", () => {
  it("takes the first implementation that does not refuse, and says why an earlier one did", () => {
    const plan = makePlan(sum(), { implementations: CPU_IMPLEMENTATIONS, prefer: ["gpu", "fast", "reference"] });
    expect(plan.layers[0]!.implementation.name).to.equal("reference");
    expect(plan.layers[0]!.reason).to.equal("no gpu ADD");
    const cpu = makePlan(sum(), { implementations: CPU_IMPLEMENTATIONS, prefer: ["fast", "reference"] });
    expect(cpu.layers[0]!.reason).to.equal("broadcasting");
  });

  it("follows a choice for one layer or one operator", () => {
    const same = single(
      "ADD",
      { activation: "NONE" },
      [
        { shape: [4], ...quantised },
        { shape: [4], ...quantised },
      ],
      { shape: [4], ...quantised },
    );
    const options = { implementations: CPU_IMPLEMENTATIONS, prefer: ["fast", "reference"] };
    const name = (layers: Record<string, string>) =>
      makePlan(same, { ...options, layers }).layers[0]!.implementation.name;
    expect(name({})).to.equal("fast");
    expect(name({ ADD: "reference" })).to.equal("reference");
    expect(name({ "0": "reference", ADD: "fast" })).to.equal("reference");
  });

  it("is refused where nothing runs a layer", () => {
    expect(() => makePlan(sum(), { implementations: CPU_IMPLEMENTATIONS, prefer: ["fast"] })).to.throw(
      TandemError,
      "nothing runs operator 0 (ADD): broadcasting",
    );
  });

  it("waits for kernels that run elsewhere and keeps what they cost", async () => {
    const cost: LayerCost = { clocks: 12, exact: true, estimates: 0, bytesIn: 4, bytesOut: 4, stalls: {} };
    const remote: Implementation = {
      name: "remote",
      operator: "ADD",
      dtypes: ["int8"],
      refuses: () => null,
      prepare: () => async (_, output) => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        (output as Int8Array).set([9, 9, 9, 9]);
        return cost;
      },
    };
    const plan = makePlan(sum(), { implementations: [remote], prefer: ["remote"] });
    const result = await execute(plan, inputs);
    expect([...result.outputs[0]!]).to.deep.equal([9, 9, 9, 9]);
    expect(result.layers[0]!.cost).to.equal(cost);
  });

  it("begins, and its time does, when what kernels have begun to load is there", async () => {
    const happened: string[] = [];
    const loading: Implementation = {
      name: "remote",
      operator: "ADD",
      dtypes: ["int8"],
      refuses: () => null,
      prepare: () =>
        Object.assign(
          (): undefined => {
            happened.push("run");
          },
          {
            ready: async (): Promise<void> => {
              await new Promise((resolve) => setTimeout(resolve, 200));
              happened.push("ready");
            },
          },
        ),
    };
    const plan = makePlan(sum(), { implementations: [loading], prefer: ["remote"] });
    for (const jobs of [1, 2]) {
      const begin = performance.now();
      const { wallMs } = await execute(plan, inputs, { jobs });
      expect(performance.now() - begin - wallMs).to.be.at.least(190);
    }
    expect(happened).to.deep.equal(["ready", "run", "ready", "run"]);
  });

  it("runs again with other inputs, and refuses inputs of another size", async () => {
    const plan = makePlan(sum(), { implementations: CPU_IMPLEMENTATIONS, prefer: ["reference"] });
    expect([...(await execute(plan, inputs)).outputs[0]!]).to.deep.equal([11, 12, 13, 14]);
    expect([...(await execute(plan, [Uint8Array.of(0, 0, 0, 120)])).outputs[0]!]).to.deep.equal([10, 10, 10, 127]);
    for (const [bad, message] of [
      [[], /0 inputs given; expected 1/],
      [[new Uint8Array(3)], /input 0 has 3 bytes; expected 4 for shape \[4\]/],
    ] as const) {
      const error: unknown = await execute(plan, bad).catch((caught: unknown) => caught);
      expect(error).to.be.instanceOf(TandemError);
      expect((error as TandemError).message).to.match(message);
    }
  });
});
