import { expect } from "chai";
import { TandemError } from "../../../hw/index.js";
import { randomNetwork } from "./network.js";
import { comparable, inFast, inKernel, outside, type Outcome } from "./outside.js";

function check(seed: number, polls: boolean): void {
  const made = randomNetwork(seed, { polls });
  const around = outside(seed, made);
  let expected: Outcome | undefined;
  let refused: string | undefined;
  try {
    expected = inKernel(made, around);
  } catch (error) {
    if (!(error instanceof TandemError)) throw error;
    refused = error.message;
  }
  if (refused !== undefined) {
    expect(() => inFast(randomNetwork(seed, { polls }), around, false), `seed ${seed}: ${refused}`).to.throw(
      TandemError,
    );
    return;
  }
  const again = randomNetwork(seed, { polls });
  expect(comparable(inFast(again, around, seed % 3 === 0)), `seed ${seed}, polls ${polls}`).to.deep.equal(
    comparable(expected!),
  );
}

const first = Number(process.env["SEED"] ?? 1);
const count = process.env["SEED"] ? 1 : Number(process.env["NETWORKS"] ?? 60);

describe("The fast engine on random networks", () => {
  it(`equals the kernel on ${count} networks of blocking channels (seed ${first})`, () => {
    for (let seed = first; seed < first + count; seed++) check(seed, false);
  });

  it(`equals the kernel on ${count} networks with polls and signals (seed ${first})`, () => {
    for (let seed = first; seed < first + count; seed++) check(seed, true);
  });
});
