import { expect } from "chai";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Module, TandemError } from "../../hw/index.js";
import { openDesign } from "../../host/design-file.js";
import { tandem } from "./support/cli.js";

interface GemmJson {
  readonly output: { readonly sha256: string };
  readonly clocks: { readonly total: number };
}

describe("Designs from files", function () {
  this.timeout(120_000);
  let folder: string;
  const at = (name: string): string => join(folder, name);
  const write = (name: string, text: string): string => {
    writeFileSync(at(name), text);
    return at(name);
  };
  before(() => (folder = mkdtempSync(join(tmpdir(), "tandem-design-"))));
  after(() => rmSync(folder, { recursive: true, force: true }));

  async function refused(name: string): Promise<TandemError> {
    try {
      await openDesign(name);
    } catch (error) {
      expect(error).to.be.instanceOf(TandemError);
      return error as TandemError;
    }
    return expect.fail(`${name} was taken`);
  }

  async function gemm(design: string, ...args: string[]): Promise<GemmJson> {
    const json = at("gemm.json");
    const result = await tandem(["gemm", "40", "24", "20", "--design", design, "--json", json, ...args]);
    expect(result.code, result.stderr).to.equal(0);
    return JSON.parse(readFileSync(json, "utf8")) as GemmJson;
  }

  describe("a copy of the systolic design elsewhere, as TypeScript, with Tandem as a package", () => {
    let file: string;
    before(() => {
      for (const name of ["gemm", "secda", "systolic"]) {
        cpSync(join("designs", name), at(`designs/${name}`), { recursive: true });
        for (const each of readdirSync(at(`designs/${name}`), { recursive: true, encoding: "utf8" }))
          if (each.endsWith(".ts")) {
            const path = at(`designs/${name}/${each}`);
            const text = readFileSync(path, "utf8");
            writeFileSync(path, text.replace(/"(?:\.\.\/)+(hw|driver)\//g, '"tandem/$1/'));
          }
      }
      file = at("designs/systolic/index.ts");
    });

    it("runs as it stands: the bytes and clocks of the design that ships", async () => {
      const { output, clocks } = await gemm("systolic");
      expect(await gemm(file)).to.deep.include({ output, clocks });
    });

    it("runs an edit without a build, equal under both engines", async () => {
      const before = await gemm(file);
      const path = at("designs/gemm/collector.ts");
      const text = readFileSync(path, "utf8");
      const edited = text.replace("address = u16(address + tile.stride);", "$& yield;");
      expect(edited).not.to.equal(text);
      writeFileSync(path, edited);
      const after = await gemm(file);
      expect(after.output).to.deep.equal(before.output);
      expect(after.clocks.total).to.be.above(before.clocks.total);
      expect(await gemm(file, "--engine", "kernel")).to.deep.include({ output: after.output, clocks: after.clocks });
    });

    it("is checked by its own lines", async () => {
      const path = at("designs/systolic/array.ts");
      const lines = readFileSync(path, "utf8").split("\n");
      const line = lines.findIndex((each) => each.includes("const command = yield* this.commands.pop();"));
      lines[line] = "      const command = this.commands.pop();";
      writeFileSync(path, lines.join("\n"));
      const { code, stdout } = await tandem(["check", file]);
      expect(code).to.equal(1);
      expect(stdout).to.include(`systolic/array.ts:${line + 1}:23: this.commands.pop is not awaited`);
    });

    it("has its presets, behind the file's name", async () => {
      const { preset, export: exported } = await openDesign(`${file}/naive`);
      expect(exported).to.equal("systolic");
      expect(preset).to.include({ lanes: 1 });
      expect((await refused(`${file}/nave`)).message).to.equal('Design systolic has no preset "nave"');
    });
  });

  it("finds Tandem's modules by the package's name, without its folder of compiled files", async () => {
    expect((await import("tandem/hw/index.js")).Module).to.equal(Module);
  });

  it("takes a registered design by its name as before", async () => {
    expect((await openDesign("vmac/naive")).design.name).to.equal("vmac");
    expect((await refused("./no-such-design.ts")).message).to.include("does not exist");
    expect((await refused("no-such-design")).hint).to.include("my-design.ts");
  });

  it("says what is wrong with a file", async () => {
    const none = await refused(write("none.ts", "export const x: number = 3;\n"));
    expect(none.message).to.match(/none\.ts exports no design/);
    const one = '{ name: "one", build() {}, configure() {} }';
    const two = await refused(write("two.ts", `export const a = ${one};\nexport const b = ${one};\n`));
    expect(two.message).to.match(/two\.ts exports 2 designs: a, b/);
    const enumerated = await refused(write("enum.ts", "const a = 1;\nexport enum Kind { A }\n"));
    expect(enumerated.message).to.match(/enum\.ts cannot be imported: .*enum\.ts:2:\d+: .*enum/);
    const broken = await refused(write("broken.ts", 'import { nothing } from "./nowhere.js";\nexport { nothing };\n'));
    expect(broken.message).to.match(/broken\.ts cannot be imported: .*nowhere/);
    const thrown = await refused(write("throws.js", 'throw new Error("not today");\n'));
    expect(thrown.message).to.match(/throws\.js cannot be imported: not today/);
  });
});
