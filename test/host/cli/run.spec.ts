import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv } from "ajv";
import { expect } from "chai";
import type { Report } from "../../../host/report/report.js";
import { digits } from "../../../host/zoo/zoo.js";
import { tandem } from "../support/cli.js";
import { modelPath, needsShared, readGolden, shared } from "../support/shared.js";

const schema = JSON.parse(
  readFileSync(new URL("../../../../docs/report.schema.json", import.meta.url), "utf8"),
) as object;

describe("tandem run", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tandem-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it("reads a digit without any argument, and prints the layers and totals", async () => {
    const { code, stdout, stderr } = await tandem(["run", "--on", "cpu"]);
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: "" });
    const lines = stdout.split("\n");
    expect(lines[0]).to.match(/^digits\.tflite, input .*seven\.png \(stretched, bilinear, grey, .*\)$/);
    expect(lines[1]).to.match(/^ {2}0\.\d{4} {2}7$/);
    expect(stdout).to.match(/# +operator +output +on +MACs +ms/);
    expect(stdout).to.match(/\n\d+ layers, [\d,]+ MACs, [\d.,]+ ms of wall time\n$/);
  });

  it("says military uniform for the picture of Grace Hopper", async function () {
    needsShared(this);
    const model = modelPath("mobilenet_v1_1.0_224_uint8");
    const { stdout } = await tandem([
      "run",
      model,
      "--on",
      "cpu",
      "--input",
      `${shared}images/grace_hopper.bmp`,
      "--top",
      "1",
    ]);
    expect(stdout.split("\n")[1]).to.match(/^ {2}0\.9\d* {2}military uniform$/);
  });

  it("writes a report that its schema describes, and the layers as CSV", async function () {
    needsShared(this);
    const [json, csv] = [join(folder, "report.json"), join(folder, "layers.csv")];
    const { outputs } = readGolden("resnet8_cifar10_int8");
    const input = `${shared}golden/tflite/resnet8_cifar10_int8.input0.bin`;
    const model = modelPath("resnet8_cifar10_int8");
    const { code } = await tandem([
      "run",
      model,
      "--on",
      "cpu",
      "--input",
      input,
      "--json",
      json,
      "--csv",
      csv,
      "--use",
      "ADD=reference",
    ]);
    expect(code).to.equal(0);

    const report = JSON.parse(readFileSync(json, "utf8")) as Report;
    const validate = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(schema);
    expect(validate(report), JSON.stringify(validate.errors)).to.equal(true);
    expect(report).to.deep.include({ model: "resnet8_cifar10_int8.tflite", design: null, config: {}, engine: "cpu" });
    expect(report.macs).to.equal(12_501_632);
    expect(report.clocks).to.deep.equal({ total: 0, exact: true, estimates: 0 });
    const { createHash } = await import("node:crypto");
    expect(report.output[0]!.sha256).to.equal(createHash("sha256").update(outputs[0]!).digest("hex"));
    expect(
      report.layers.filter(({ operator }) => operator === "ADD").map(({ implementation }) => implementation),
    ).to.deep.equal(["reference", "reference", "reference"]);

    const rows = readFileSync(csv, "utf8").trim().split("\n");
    expect(rows[0]).to.equal(
      "index,name,operator,on,implementation,reason,shape,macs,clocks,macPerClock,bytesIn,bytesOut,wallMs",
    );
    expect(rows).to.have.length(17);
    expect(rows[1]).to.match(/^0,.*,CONV_2D,cpu,fast,,1x32x32x16,442368,,,,,[\d.]+$/);
  });

  it("leaves a link in place and replaces what it points to", async () => {
    const [link, target] = [join(folder, "link.json"), join(folder, "real.json")];
    writeFileSync(target, "old");
    symlinkSync(target, link);
    await tandem(["run", "--on", "cpu", "--json", link]);
    expect(JSON.parse(readFileSync(target, "utf8"))).to.have.property("tandem");
    expect(readdirSync(folder).sort()).to.deep.equal(["link.json", "real.json"]);
  });

  it("takes labels from a file, and refuses one of another length", async () => {
    const labels = join(folder, "labels.txt");
    writeFileSync(labels, "a\nb\nc\nd\ne\nf\ng\nSEVEN\ni\nj\n");
    expect((await tandem(["run", "--on", "cpu", "--labels", labels, "--top", "1"])).stdout).to.match(/ {2}SEVEN\n/);
    writeFileSync(labels, "a\nb\n");
    const { code, stderr } = await tandem(["run", "--on", "cpu", "--labels", labels]);
    expect(code).to.equal(1);
    expect(stderr).to.match(/labels\.txt: not one label per line for 10 outputs/);
  });

  it("draws a progress bar on stderr when asked to", async () => {
    const { stderr } = await tandem(["run", "--on", "cpu", "--progress"]);
    expect(stderr).to.match(/\[[#.]{30}\] \d+ % /);
    expect(stderr.endsWith("\r\x1b[2K")).to.equal(true);
  });

  describe("ends bad input in one line and a hint", () => {
    const model = digits.model;
    const cases: [string, (path: (name: string) => string) => string[], number, RegExp][] = [
      ["no such model", (path) => [path("absent.tflite")], 1, /absent\.tflite: cannot be read \(ENOENT\)\nCheck/],
      ["no model", (path) => [path("text.tflite")], 1, /text\.tflite: not a TFLite model/],
      ["a cut model", (path) => [path("cut.tflite")], 1, /cut\.tflite: .* lies outside the file/],
      ["no such picture", (path) => [model, "--input", path("absent.png")], 1, /absent\.png: cannot be read/],
      ["no picture", (path) => [model, "--input", path("text.tflite")], 1, /text\.tflite: /],
      [
        "a tensor of another size",
        (path) => [model, "--input", path("short.bin")],
        1,
        /short\.bin: 3 bytes of raw data/,
      ],
      [
        "an unwritable folder",
        (path) => [model, "--json", path("none/report.json")],
        1,
        /report\.json: cannot be written \(ENOENT\)/,
      ],
      [
        "a folder for a file",
        (path) => [model, "--csv", path("folder")],
        1,
        /folder: cannot be written \(it is a folder\)/,
      ],
      [
        "a full disk",
        () => [model, "--json", "/dev/full"],
        1,
        /\/dev\/full: cannot be written \(ENOSPC\)\nThe disk is full/,
      ],
      ["one file twice", (path) => [model, "--json", path("x"), "--csv", path("x")], 2, /name the same file/],
      ["no such place", () => [model, "--on", "moon"], 2, /--on moon: no such place/],
      ["a design for the CPU", () => [model, "--on", "cpu", "--design", "systolic"], 2, /mean nothing with --on cpu/],
      ["no address", () => [model, "--on", "tcp://nowhere"], 1, /expected tcp:\/\/HOST:PORT/],
      ["nobody at an address", () => [model, "--on", "tcp://127.0.0.1:1"], 1, /nothing listens there\nStart a server/],
      ["no such design", () => [model, "--design", "abacus"], 1, /no design named "abacus"\nThere are systolic, vmac/],
      ["no such parameter", () => [model, "--set", "rovs=8"], 1, /no parameter "rovs"\nIts parameters are rows/],
      [
        "a parameter out of range",
        () => [model, "--set", "rows=1000"],
        1,
        /rows = 1000\nExpected an integer from 1 to 64/,
      ],
      ["a parameter twice", () => [model, "--set", "rows=8", "--set", "rows=9"], 2, /rows is given twice/],
      ["no such kernels", () => [model, "--kernels", "quick"], 2, /kernels/],
      ["no such layer", () => [model, "--use", "RELU=fast"], 2, /"RELU" is neither a layer's index nor an operator/],
      ["no such implementation", () => [model, "--use", "3=quick"], 2, /no such implementation\nThere are/],
      ["no pair", () => [model, "--use", "3"], 2, /--use 3: expected NAME=VALUE/],
      ["a negative count", () => [model, "--top", "-1"], 2, /--top -1: expected a count/],
      ["no workers", () => [model, "--jobs", "0"], 2, /--jobs 0: expected a number from 1 to 256/],
      ["no number", () => [model, "--mean", "1,x"], 2, /--mean 1,x: expected numbers/],
      ["an unknown option", () => [model, "--frob"], 2, /Unknown argument: frob/],
      ["an option without its value", () => [model, "--json"], 2, /Not enough arguments following: json/],
      ["an option twice", () => [model, "--top", "1", "--top", "2"], 2, /--top is given more than once/],
      ["two models", () => [model, model], 2, /Unknown argument/],
    ];

    for (const [what, args, expected, message] of cases) {
      it(what, async function () {
        if (what === "a full disk" && !existsSync("/dev/full")) this.skip();
        writeFileSync(join(folder, "text.tflite"), "a text that is long enough to be looked at");
        writeFileSync(join(folder, "short.bin"), "abc");
        writeFileSync(join(folder, "cut.tflite"), readFileSync(model).subarray(0, 3000));
        mkdirSync(join(folder, "folder"));
        const before = readdirSync(folder);
        const { code, stdout, stderr } = await tandem(["run", ...args((name) => join(folder, name))]);
        expect(stderr).to.match(message);
        expect(stderr).to.match(/^tandem: [^\n]+\n([^\n]+\n)?$/);
        expect(code).to.equal(expected);
        if (what !== "a full disk") expect(stdout).to.equal("");
        expect(readdirSync(folder)).to.deep.equal(before);
      });
    }
  });
});
