import { expect } from "chai";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileWell } from "../../driver/transport/kernel-code.js";
import { declareKernels, reserveRoom } from "../../driver/wasm-kernels.js";
import { Code } from "../../sim/fast/wasm.js";

/** `to = from + more`, words. */
function addCode(more: number): Code {
  const code = new Code(["i32", "i32"]);
  code.get(1).get(0).mem("i32.load").i32(more).op("i32.add").mem("i32.store");
  return code;
}

interface Adding {
  readonly add: (from: number, to: number) => void;
}

describe("WebAssembly kernels", () => {
  it("of all families share one memory, which grows for who asks", () => {
    const one = declareKernels<Adding>("test one", () => ({ add: addCode(1) }));
    const ten = declareKernels<Adding>("test ten", () => ({ add: addCode(10) }));
    const bytes = one().room(200_000);
    expect(bytes.length).to.be.at.least(200_000);
    bytes[0] = 5;
    one().functions.add(0, 4);
    ten().functions.add(4, 199_996);
    expect([bytes[4], bytes[199_996]]).to.deep.equal([6, 16]);
    expect(ten().room(8), "is not made anew").to.equal(ten().room(100_000));
  });

  it("have room that was reserved, and what stood in it before", () => {
    const kernels = declareKernels<Adding>("test room", () => ({ add: addCode(1) }));
    const bytes = kernels().room(16);
    bytes[0] = 7;
    const more = bytes.length + 300_000;
    reserveRoom(more);
    const grown = kernels().room(16);
    expect(grown.length).to.be.at.least(more);
    kernels().functions.add(0, more - 4);
    expect([grown[0], grown[more - 4]]).to.deep.equal([7, 8]);
    reserveRoom(16);
    expect(kernels().room(16)).to.equal(grown);
  });

  it("are the same when they are declared after others have been opened, and when they are compiled well", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tandem-kernels-"));
    const { TANDEM_CACHE: before } = process.env;
    process.env["TANDEM_CACHE"] = folder;
    try {
      const first = declareKernels<Adding>("test first", () => ({ add: addCode(2) }));
      const plain = first();
      const later = declareKernels<Adding>("test later", () => ({ add: addCode(3) }));
      await compileWell();
      const bytes = plain.room(16);
      bytes[0] = 1;
      plain.functions.add(0, 4);
      first().functions.add(4, 8);
      later().functions.add(8, 12);
      expect([...bytes.subarray(0, 16)].filter((_, i) => i % 4 === 0)).to.deep.equal([1, 3, 5, 8]);
    } finally {
      if (before === undefined) delete process.env["TANDEM_CACHE"];
      else process.env["TANDEM_CACHE"] = before;
      rmSync(folder, { recursive: true });
    }
  });
});
