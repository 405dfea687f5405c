import { execFile } from "node:child_process";
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { Code, WasmModule } from "../../../sim/fast/wasm.js";

const source = new URL("../../../driver/transport/machine-code.js", import.meta.url).href;

/** A module whose function `answer` gives a number of one byte. */
function answering(answer: number): Uint8Array {
  const module = new WasmModule();
  module.exportFunction("answer", module.add("answer", new Code([], ["i32"]).i32(answer)));
  return module.encode(1);
}

const program = `
import { machineCode } from ${JSON.stringify(source)};
const [wasm, folder] = process.argv.slice(1);
const module = await machineCode(Uint8Array.from(Buffer.from(wasm, "hex")), folder || undefined);
const { exports } = new WebAssembly.Instance(module, { env: { memory: new WebAssembly.Memory({ initial: 1 }) } });
console.log(exports.answer());
`;

/** What the module's function gives in a fresh process; V8 keeps modules of one process together. */
async function run(answer: number, folder = "", flags: readonly string[] = []): Promise<number> {
  const wasm = Buffer.from(answering(answer)).toString("hex");
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...flags,
    "--input-type=module",
    "--eval",
    program,
    wasm,
    folder,
  ]);
  return Number(stdout);
}

describe("Machine code", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tandem-code-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });
  const files = (): string[] =>
    readdirSync(join(folder, "machine-code")).map((name) => join(folder, "machine-code", name));

  it("is compiled where none is to be kept", async () => {
    expect(await run(5)).to.equal(5);
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  describe("that is kept", () => {
    before(function () {
      if (!/^(11\.3|13\.6)\./.test(process.versions.v8)) this.skip();
    });

    it("is what runs in the next process", async () => {
      expect(await run(5, folder)).to.equal(5);
      const [five] = files();
      expect(await run(6, folder)).to.equal(6);
      const six = files().find((file) => file !== five)!;
      expect(await run(6, folder)).to.equal(6);
      // The code of another module in its place shows which of the two runs.
      copyFileSync(five!, six);
      expect(await run(6, folder)).to.equal(5);
    });

    it("is read again where several modules were asked for at once", async () => {
      const both = `
import { machineCode } from ${JSON.stringify(source)};
const [five, six, folder] = process.argv.slice(1);
await Promise.all([five, six].map((wasm) => machineCode(Uint8Array.from(Buffer.from(wasm, "hex")), folder)));
`;
      const hex = [5, 6].map((answer) => Buffer.from(answering(answer)).toString("hex"));
      const compile = () =>
        promisify(execFile)(process.execPath, ["--input-type=module", "--eval", both, ...hex, folder]);
      await compile();
      const written = files().map((file) => statSync(file).mtimeMs);
      await compile();
      expect(written).to.have.length(2);
      expect(
        files().map((file) => statSync(file).mtimeMs),
        "not written again",
      ).to.deep.equal(written);
    });

    it("is compiled again, and written again, where the file is not whole", async () => {
      await run(5, folder);
      const [file] = files();
      const whole = readFileSync(file!);
      const flipped = Buffer.from(whole);
      flipped[whole.length - 9]! ^= 1;
      for (const damaged of [Buffer.alloc(0), whole.subarray(0, 40), whole.subarray(0, whole.length - 1), flipped]) {
        writeFileSync(file!, damaged);
        expect(await run(5, folder)).to.equal(5);
        expect(files()).to.deep.equal([file]);
        expect(statSync(file!).size).to.equal(whole.length);
      }
    });

    it("is not another V8's, nor that of other flags", async () => {
      await run(5, folder);
      const [file] = files();
      expect(await run(5, folder, ["--max-lazy"])).to.equal(5);
      expect(files()).to.have.length(2);
      // The same name, but V8 sees that its flags were others.
      const other = files().find((each) => each !== file)!;
      copyFileSync(file!, other);
      expect(await run(5, folder, ["--max-lazy"])).to.equal(5);
      expect(readFileSync(other).equals(readFileSync(file!))).to.equal(false);
    });

    it("is not asked for where no text may become code, and where a debugger listens", async () => {
      for (const flag of ["--disallow-code-generation-from-strings", "--inspect=127.0.0.1:0"])
        expect(await run(5, folder, [flag])).to.equal(5);
      expect(readdirSync(folder)).to.deep.equal([]);
    });

    it("is read and written again in a process that has long forgotten how", async () => {
      const program = `
import { machineCode } from ${JSON.stringify(source)};
const [folder, ...modules] = process.argv.slice(1);
const answers = [];
for (const wasm of modules) {
  const module = await machineCode(Uint8Array.from(Buffer.from(wasm, "hex")), folder);
  const { exports } = new WebAssembly.Instance(module, { env: { memory: new WebAssembly.Memory({ initial: 1 }) } });
  answers.push(exports.answer());
  for (let i = 0; i < 20; i++) gc();
}
console.log(JSON.stringify(answers));
`;
      const modules = [5, 6, 7, 8].map((answer) => Buffer.from(answering(answer)).toString("hex"));
      // V8 forgets at once what it has made of a function's text.
      const flags = ["--expose-gc", "--stress-flush-code", "--input-type=module"];
      for (let turn = 0; turn < 2; turn++) {
        const { stdout } = await promisify(execFile)(process.execPath, [
          ...flags,
          "--eval",
          program,
          folder,
          ...modules,
        ]);
        expect(JSON.parse(stdout)).to.deep.equal([5, 6, 7, 8]);
      }
      expect(files()).to.have.length(4);
    });

    it("is no error where it cannot be written", async () => {
      writeFileSync(join(folder, "file"), "");
      expect(await run(5, join(folder, "file"))).to.equal(5);
    });
  });
});
