import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { tandem } from "../support/cli.js";
import { type Golden, goldenPath, modelPath, needsShared, shared } from "../support/shared.js";

const name = "ds_cnn_kws_int8";

describe("tandem verify", () => {
  let folder = "";
  let golden: Golden;
  beforeEach(function () {
    needsShared(this);
    folder = mkdtempSync(join(tmpdir(), "tandem-"));
    golden = JSON.parse(readFileSync(goldenPath(name), "utf8")) as Golden;
    for (const { file } of [...golden.inputs, ...golden.outputs]) {
      copyFileSync(`${shared}golden/tflite/${file}`, join(folder, file));
    }
  });
  afterEach(() => {
    if (folder) rmSync(folder, { recursive: true });
  });

  /** Verifies against the golden file as it stands. */
  const verify = async () => {
    const path = join(folder, "golden.json");
    writeFileSync(path, JSON.stringify(golden));
    return tandem(["verify", modelPath(name), "--golden", path, "--on", "cpu"]);
  };

  it("agrees with the golden file, operator by operator", async () => {
    const { code, stdout } = await verify();
    expect(code).to.equal(0);
    expect(stdout).to.match(/^ds_cnn_kws_int8\.tflite: 13 of 13 operators agree with TFLite 2\.21 reference kernels/);
  });

  it("names the first operator that differs", async () => {
    golden.operators[3]!.sha256 = "0".repeat(64);
    golden.operators[5]!.sha256 = "0".repeat(64);
    const { code, stdout, stderr } = await verify();
    expect(code).to.equal(1);
    expect(stdout).to.match(/11 of 13 operators agree/);
    expect(stderr).to.match(
      /operator 3 \(DEPTHWISE_CONV_2D\) is the first that differs: SHA-256 [0-9a-f]{16}\.\.\., expected 0{16}/,
    );
  });

  it("says how many elements differ and by how much where the golden bytes are at hand", async () => {
    const last = golden.operators.at(-1)!;
    last.sha256 = "0".repeat(64);
    const path = join(folder, golden.outputs[0]!.file);
    const bytes = new Int8Array(readFileSync(path));
    bytes[2]! += 3;
    bytes[7]! += 1;
    writeFileSync(path, bytes);
    const { stderr } = await verify();
    expect(stderr).to.match(/operator 12 \(SOFTMAX\) is the first that differs: 2 of 12 elements differ, by 3 at most/);
  });

  it("refuses the golden file of another model, or none", async () => {
    golden.operators[1]!.type = "ADD";
    expect((await verify()).stderr).to.match(
      /has operator 1 \(ADD\) where .* has operator 1 \(DEPTHWISE_CONV_2D\)\nThe golden file belongs/,
    );
    writeFileSync(join(folder, "golden.json"), "{");
    const broken = await tandem(["verify", modelPath(name), "--golden", join(folder, "golden.json")]);
    expect(broken.stderr).to.match(/golden\.json: not JSON\n/);
    const lacking = join(folder, "lacking.json");
    writeFileSync(lacking, JSON.stringify({ ...golden, operators: [{ op: 1 }] }));
    expect((await tandem(["verify", modelPath(name), "--golden", lacking])).stderr).to.match(
      /an entry lacks the text "type"/,
    );
    const gone = await tandem(["verify", modelPath(name), "--golden", join(folder, "gone.json")]);
    expect({ ...gone, stdout: "" }).to.deep.include({ code: 1 });
    expect(gone.stderr).to.match(/gone\.json: cannot be read \(ENOENT\)/);
  });
});

describe("tandem inspect", () => {
  it("shows operators, shapes, quantisation, MACs and parameters", async function () {
    needsShared(this);
    const { code, stdout } = await tandem(["inspect", modelPath(name)]);
    expect(code).to.equal(0);
    expect(stdout).to.match(
      / 0 {2}CONV_2D +1x49x10x1 +64x10x4x1 +1x25x5x64 +int8 .* 64 per channel +320,000 +2,624 +SAME, stride 2, RELU\n/,
    );
    expect(stdout).to.match(/\ninput +"input_1": 1x49x10x1 int8, scale 0\.5847, zero point 83\n/);
    expect(stdout).to.match(/\n13 operators, 2,656,768 MACs, 22,604 parameters, 16,000 bytes for activations\n$/);
  });
});
