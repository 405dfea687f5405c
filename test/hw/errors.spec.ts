import { expect } from "chai";
import { TandemError } from "../../hw/errors.js";

describe("TandemError", () => {
  it("carries what to do beside what went wrong", () => {
    const error = new TandemError("model.tflite: truncated", { hint: "Download it again." });
    expect(error.message).to.equal("model.tflite: truncated");
    expect(error.hint).to.equal("Download it again.");
  });
});
