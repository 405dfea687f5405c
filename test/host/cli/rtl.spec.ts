/** The engine `rtl` from the command line: the generated Verilog under Verilator, equal to the other two engines. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { spreadSet } from "../../../host/cli/options.js";
import { simulatorVersion } from "../../../sim/rtl/tools.js";
import { tandem } from "../support/cli.js";
import { goldenPath, modelPath, needsShared } from "../support/shared.js";

interface GemmJson {
  readonly output: { readonly sha256: string };
  readonly clocks: unknown;
  readonly stalls: unknown;
}

const ARRAY = ["--set", "rows=4", "cols=4"];

describe("The engine rtl", function () {
  this.timeout(900_000);
  const folder = mkdtempSync(join(tmpdir(), "tandem-rtl-cli-"));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("gives the bytes, clocks and stalls of the other engines", async function () {
    if (simulatorVersion("verilator") === undefined) this.skip();
    const results: GemmJson[] = [];
    for (const engine of ["kernel", "fast", "rtl"]) {
      const json = join(folder, `${engine}.json`);
      const { code, stderr } = await tandem(["gemm", ...ARRAY, "9", "11", "13", "--engine", engine, "--json", json]);
      expect(code, stderr).to.equal(0);
      results.push(JSON.parse(readFileSync(json, "utf8")) as GemmJson);
    }
    const [kernel, ...others] = results.map(({ output, clocks, stalls }) => ({ output, clocks, stalls }));
    for (const other of others) expect(other).to.deep.equal(kernel);
  });

  it("gives ResNet-8's golden bytes, and shows how far it is", async function () {
    needsShared(this);
    if (simulatorVersion("verilator") === undefined) this.skip();
    const name = "resnet8_cifar10_int8";
    const args = ["verify", modelPath(name), "--golden", goldenPath(name), "--engine", "rtl", ...ARRAY, "--progress"];
    const { code, stdout, stderr } = await tandem(args);
    expect(code, stderr).to.equal(0);
    expect(stdout).to.match(/16 of 16 operators agree .* \(10 on accelerator/);
    expect(stderr).to.match(/operator \d+ \(CONV_2D\), [\d,]+ clocks/);
  });

  it("says what is missing where there is no Verilator", async () => {
    const { code, stderr, stdout } = await tandem(["gemm", "8", "8", "8", "--engine", "rtl"], {
      env: { PATH: folder },
    });
    expect(code).to.equal(1);
    expect(stdout).to.equal("");
    expect(stderr).to.contain('The engine "rtl" needs verilator, which is not installed');
    expect(stderr).to.contain("apt-get install verilator");
  });

  it("and the engine fast refuse a design in SystemC", async () => {
    for (const engine of ["rtl", "fast", "kernel"]) {
      const { code, stderr } = await tandem(["run", "--engine", engine, "--design", "my.systemc.json"]);
      expect(code).to.equal(1);
      expect(stderr).to.match(
        new RegExp(`my\\.systemc\\.json is a design in SystemC, which the engine ${engine} cannot`),
      );
    }
    const { code, stderr } = await tandem(["gemm", "8", "8", "8", "--design", "my.systemc.json"]);
    expect(code).to.equal(1);
    expect(stderr).to.contain("my.systemc.json is a design in SystemC: it takes whole networks");
  });

  it("has no waveforms, and does not give those of another engine", async () => {
    const vcd = join(folder, "waves.vcd");
    const { code, stderr } = await tandem(["gemm", "8", "8", "8", "--engine", "rtl", "--vcd", vcd]);
    expect(code).to.equal(2);
    expect(stderr).to.contain("--vcd needs the kernel");
    expect(existsSync(vcd)).to.equal(false);
  });
});

describe("--set", () => {
  it("takes several pairs, and leaves what is none", () => {
    const same = (text: string): void => {
      expect(spreadSet(text.split(" "))).to.deep.equal(text.split(" "));
    };
    expect(spreadSet(["rtl", "--set", "rows=4", "cols=8", "systolic"])).to.deep.equal([
      "rtl",
      "--set",
      "rows=4",
      "--set",
      "cols=8",
      "systolic",
    ]);
    expect(spreadSet(["--set=a=1", "b=2", "c=3", "16"])).to.deep.equal([
      "--set=a=1",
      "--set",
      "b=2",
      "--set",
      "c=3",
      "16",
    ]);
    same("gemm --set rows=4 8 8 8");
    same("run --set rows=4 models/a=b.tflite");
    same("run --use 3=reference CONV_2D=fast");
  });

  it("before the name of a design does not swallow it", async function () {
    const out = join(mkdtempSync(join(tmpdir(), "tandem-set-")), "verilog");
    try {
      const { code, stdout, stderr } = await tandem(["rtl", "--set", "rows=2", "cols=2", "systolic", "--out", out]);
      expect(code, stderr).to.equal(0);
      expect(stdout).to.contain("top Systolic");
    } finally {
      rmSync(join(out, ".."), { recursive: true, force: true });
    }
  });
});

describe("tandem check --rtl", () => {
  it("refuses what has rules' leave but cannot become hardware, by name and place", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tandem-check-"));
    try {
      const hw = new URL("../../../hw/index.js", import.meta.url).href;
      const file = join(folder, "wide.mjs");
      writeFileSync(
        file,
        `import { Module, u16 } from ${JSON.stringify(hw)};
export class Wide extends Module {
  static source = import.meta.url;
  x = this.channelIn(u16);
  y = this.channelOut(u16);
  constructor() { super(null, "wide"); this.clocked(this.run); }
  *run() {
    for (;;) {
      const x = yield* this.x.pop();
      let sum = u16(0);
      for (let i = u16(0); i < 60000; i = u16(i + 1)) sum = u16(sum + x);
      yield* this.y.push(sum);
      yield;
    }
  }
}
`,
      );
      const plain = await tandem(["check", file]);
      expect(plain.code, plain.stderr).to.equal(0);
      const { code, stderr } = await tandem(["check", file, "--rtl"]);
      expect(code).to.equal(1);
      expect(stderr).to.match(/Wide cannot become Verilog: .*wide\.mjs:11:\d+: .*4096 copies/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
