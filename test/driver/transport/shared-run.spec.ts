import { expect } from "chai";
import { touch } from "../../../driver/transport/shared-run.js";

const noise = (count: number): Uint8Array<SharedArrayBuffer> => {
  const bytes = new Uint8Array(new SharedArrayBuffer(count));
  bytes.forEach((_, i) => (bytes[i] = (i * 73 + (i >> 5)) & 255));
  return bytes;
};

describe("Buffers of a run that are touched beforehand", () => {
  it("hold what the driver has filled in by then", () => {
    const parts = {
      control: new Int32Array(new SharedArrayBuffer(8)),
      report: new Float64Array(new SharedArrayBuffer(8)),
      inputs: { a: noise(10_000), b: noise(1), c: noise(0) },
      outputs: { d: noise(4097) },
    };
    touch(parts);
    expect(parts.inputs).to.deep.equal({ a: noise(10_000), b: noise(1), c: noise(0) });
    expect(parts.outputs).to.deep.equal({ d: noise(4097) });
  });
});
