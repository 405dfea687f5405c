import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "chai";
import { TandemError } from "../../../hw/errors.js";
import { elaborate } from "../../../hw/index.js";
import { readDesign } from "../../../hw/frontend/index.js";
import type { Module } from "../../../hw/module.js";
import { CompileCache } from "../../../sim/fast/cache.js";
import { compile } from "../../../sim/fast/compile.js";
import { imageOf } from "../../../sim/fast/image.js";
import { ImageEngine } from "../../../sim/fast/image-engine.js";
import { FastSimulator } from "../../../driver/transport/fast-simulator.js";
import type { Design } from "../../../driver/design.js";
import { tandem } from "../../host/support/cli.js";

const language = new URL("../../../hw/index.js", import.meta.url).href;

/** A design in a file of its own: y = x + 1, `limit` times; then it asserts that it never gets there. */
const source = (constant: number): string => `
import { Module, i32, u16 } from ${JSON.stringify(language)};
import { step } from "./helper.js";
export class Adder extends Module {
  static source = import.meta.url;
  constructor(limit) {
    super(null, "adder");
    this.limit = limit;
    this.x = this.channelIn(i32);
    this.y = this.channelOut(i32);
    this.clocked(this.run);
  }
  *run() {
    for (let i = u16(0); i < this.limit; i = u16(i + 1)) {
      const x = yield* this.x.pop();
      yield* this.y.push(i32(x + step(${constant})));
      yield;
    }
    yield;
  }
}
`;
const helper = (factor: number): string => `export function step(n) { return n * ${factor}; }\n`;

describe("The cache of compiled designs", () => {
  let folder = "";
  let count = 0;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tandem-cache-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  /** Write the design's files and import them anew. */
  async function load(files: { constant?: number; factor?: number; limit?: number }, at?: string) {
    const { constant = 1, factor = 1, limit = 100 } = files;
    const home = at ?? join(folder, `source${count++}`);
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, "package.json"), '{"type":"module"}');
    writeFileSync(join(home, "helper.js"), helper(factor));
    const file = join(home, "adder.js");
    writeFileSync(file, source(constant));
    const { Adder } = (await import(pathToFileURL(file).href)) as { Adder: new (limit: number) => Module };
    return { design: elaborate(new Adder(limit)), home };
  }

  const identity = { design: "adder", parameters: {} };
  const cache = (): CompileCache => new CompileCache(join(folder, "cache"));

  async function keep(design: ReturnType<typeof elaborate>) {
    const { ir, files } = await readDesign(design);
    const image = imageOf(compile(ir));
    cache().put(identity, design, files, image);
    return image;
  }
  const entries = (): string[] => readdirSync(join(folder, "cache", "designs"));

  it("gives back what was put, and it runs the same", async () => {
    const { design } = await load({});
    expect(cache().get(identity, design)).to.equal(undefined);
    const { errors: _errors, ...image } = await keep(design);
    const { ...found } = cache().get(identity, design)!;
    expect(found).to.deep.equal(image);
    const engine = new ImageEngine(design, found);
    engine.send("x", [1, 2, 3]);
    engine.output("y", 3);
    engine.run();
    expect(engine.values("y").map(({ value }) => value)).to.deep.equal([2, 3, 4]);
  });

  it("misses after an edit of the design's file or of a file that it imports, and finds the old text again", async () => {
    const { design, home } = await load({});
    await keep(design);
    for (const [name, changed, before] of [
      ["adder.js", source(2), source(1)],
      ["helper.js", helper(3), helper(1)],
    ] as const) {
      writeFileSync(join(home, name), changed);
      expect(cache().get(identity, design), name).to.equal(undefined);
      writeFileSync(join(home, name), before);
      expect(cache().get(identity, design), name).not.to.equal(undefined);
    }
  });

  it("misses for other parameters, another name and another live value", async () => {
    const { design } = await load({});
    await keep(design);
    expect(cache().get({ ...identity, parameters: { rows: 8 } }, design)).to.equal(undefined);
    expect(cache().get({ ...identity, design: "other" }, design)).to.equal(undefined);
    const other = await load({ limit: 7 });
    expect(cache().get(identity, other.design)).to.equal(undefined);
  });

  it("does not take a design for another one of the same name and structure in other files", async () => {
    const [one, other] = [await load({ constant: 1 }), await load({ constant: 5 })];
    await keep(one.design);
    expect(cache().get(identity, other.design)).to.equal(undefined);
    await keep(other.design);
    expect(entries()).to.have.length(2);
    expect(cache().get(identity, one.design)!.wasm).to.not.deep.equal(cache().get(identity, other.design)!.wasm);
    // The same text beside another helper: only the place differs.
    const twin = await load({ constant: 1, factor: 7 });
    expect(cache().get(identity, twin.design)).to.equal(undefined);
  });

  it("takes a damaged file for none, and replaces it", async () => {
    const { design } = await load({});
    await keep(design);
    const path = join(folder, "cache", "designs", entries()[0]!);
    const whole = readFileSync(path);
    const flipped = Buffer.from(whole);
    flipped[whole.length >> 1]! ^= 1;
    for (const damaged of [Buffer.alloc(0), whole.subarray(0, 40), whole.subarray(0, whole.length - 1), flipped]) {
      writeFileSync(path, damaged);
      expect(cache().get(identity, design)).to.equal(undefined);
    }
    await keep(design);
    expect(cache().get(identity, design)).not.to.equal(undefined);
  });

  it("bears many writers at once, and leaves no half-written files", async () => {
    const { design } = await load({});
    await Promise.all(Array.from({ length: 8 }, () => keep(design)));
    expect(entries()).to.have.length(1);
    expect(cache().get(identity, design)).not.to.equal(undefined);
  });

  it("is no error where it cannot write", async () => {
    const { design } = await load({});
    writeFileSync(join(folder, "cache"), "a file, not a folder");
    await keep(design);
    expect(cache().get(identity, design)).to.equal(undefined);
  });

  it("names an error that stops a run, also when the design came from the cache", async () => {
    const home = join(folder, "failing");
    mkdirSync(home);
    writeFileSync(join(home, "package.json"), '{"type":"module"}');
    const file = join(home, "failing.js");
    writeFileSync(
      file,
      `import { Module, assert, u8 } from ${JSON.stringify(language)};
       import { beatType } from ${JSON.stringify(new URL("../../../driver/stream.js", import.meta.url).href)};
       export class Failing extends Module {
         static source = import.meta.url;
         constructor() { super(null, "failing"); this.x = this.channelIn(beatType(4)); this.clocked(this.run); }
         *run() { for (;;) { const { data } = yield* this.x.pop(); assert(data[0] < 5); yield; } }
       }`,
    );
    const { Failing } = (await import(pathToFileURL(file).href)) as { Failing: new () => Module };
    const design = {
      name: "failing",
      levels: ["cycle"],
      configure: () => ({}),
      describe: () => ({}),
      build: () => new Failing(),
    } as unknown as Design;
    const program = {
      name: "nine",
      buffers: [{ name: "in", role: "constant" as const, bytes: 4, data: new Uint8Array([9, 0, 0, 0]) }],
      steps: [{ kind: "send" as const, stream: "x", buffer: 0, offset: 0, length: 4 }],
    };
    const messages: string[] = [];
    for (let i = 0; i < 3; i++) {
      const simulator = await FastSimulator.of(design, {}, { cache: join(folder, "cache") });
      const handle = await simulator.load(program);
      for (let again = 0; again < 2; again++)
        await simulator.run(handle, {}).catch((error: unknown) => {
          expect(error).to.be.instanceOf(TandemError);
          messages.push((error as TandemError).message);
        });
    }
    expect(new Set(messages).size, messages.join("\n")).to.equal(1);
    expect(messages).to.have.length(6);
    expect(messages[0]).to.match(/assert/i);
  });

  it("is chosen on the command line, or left out", async () => {
    const chosen = join(folder, "chosen");
    const gemm = ["gemm", "4", "4", "8", "--set", "rows=2", "--set", "cols=2"];
    for (const args of [["--cache", chosen], ["--cache", chosen], ["--no-cache"]])
      expect((await tandem([...gemm, ...args])).code).to.equal(0);
    expect(readdirSync(join(chosen, "designs"))).to.have.length(1);
    const refused = await tandem([
      ...gemm,
      "--cache",
      join(chosen, "designs", readdirSync(join(chosen, "designs"))[0]!),
    ]);
    expect(refused.code).to.equal(1);
    expect(refused.stderr).to.include(chosen);
  });
});
