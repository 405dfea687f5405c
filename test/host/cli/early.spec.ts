import { expect } from "chai";
import { likelySimulators } from "../../../host/cli/early.js";

const likely = (line: string): string => {
  const found = likelySimulators(line.split(" "));
  return found ? `${found.threads} ${/designs\/(\w+)\//.exec(found.module)![1]!}` : "none";
};

describe("Threads that are started before the command line is read", () => {
  it("are those that a network's simulation takes beside the first", () => {
    expect(likely("run model.tflite --jobs 3")).to.equal("2 systolic");
    expect(likely("run model.tflite --jobs=2 --design vmac/naive --platform pynq-z1")).to.equal("1 vmac");
    expect(likely("evaluate --with vmac --jobs 2")).to.equal("1 vmac");
    expect(likely("verify model.tflite --golden x.json --engine fast --jobs 2 --on sim")).to.equal("1 systolic");
  });

  it("are not too many, whatever is asked for", () => {
    expect(likely("run --jobs 200")).to.equal("15 systolic");
  });

  it("are none where nothing is simulated, or not by them", () => {
    for (const line of [
      "run model.tflite --jobs 1",
      "run --on cpu --jobs 2",
      "run --on=tcp://board:4000 --jobs 2",
      "run --engine kernel --jobs 2",
      "run --level functional --jobs 2",
      "run --design mine.ts --jobs 2",
      "run --jobs 2 --help",
      "run --jobs many",
      "inspect model.tflite",
      "constructor --jobs 2",
      "--help",
      "",
    ])
      expect(likely(line), line).to.equal("none");
  });
});
