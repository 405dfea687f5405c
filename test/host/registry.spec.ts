import { expect } from "chai";
import { TandemError } from "../../hw/index.js";
import { findDesign } from "../../host/registry.js";

describe("The registry of designs", () => {
  it("finds a design by its name, and its presets by design/preset", async () => {
    const plain = await findDesign("systolic");
    expect(plain.preset).to.deep.equal({});
    const naive = await findDesign("systolic/naive");
    expect(naive.design).to.equal(plain.design);
    expect(naive.preset).to.include({ lanes: 1, streams: 1, overlapTiles: false });
  });

  it("says what there is where nothing is found", async () => {
    const error = async (name: string): Promise<TandemError> => {
      try {
        await findDesign(name);
      } catch (e) {
        if (e instanceof TandemError) return e;
      }
      return expect.fail("no error");
    };
    expect((await error("sytolic")).message).to.equal('There is no design named "sytolic"');
    expect((await error("systolic/nave")).message).to.equal('Design systolic has no preset "nave"');
    expect((await error("systolic/nave")).hint).to.include("naive, step-2");
    expect((await error("systolic/toString")).message).to.include("no preset");
  });
});
