import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv } from "ajv";
import { expect } from "chai";
import { parseTcpAddress } from "../../../driver/transport/address.js";
import { FrameReader } from "../../../driver/transport/frames.js";
import { decodeMessage } from "../../../driver/transport/messages.js";
import { Waves } from "../../sim/trace/vcd-reader.js";
import { mainPath, tandem } from "../support/cli.js";

const schema = JSON.parse(
  readFileSync(new URL("../../../../docs/gemm.schema.json", import.meta.url), "utf8"),
) as object;

interface GemmJson {
  readonly output: { readonly sha256: string };
  readonly platform: string;
  readonly clocks: { readonly total: number };
  readonly config: Readonly<Record<string, unknown>>;
  readonly stalls: Readonly<Record<string, number>>;
}

interface Serving {
  readonly line: string;
  readonly address: string;
  /** Ends it politely; resolves with its exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

const serving: ChildProcess[] = [];

/** Start `tandem serve` and wait for its line. */
function serve(args: readonly string[]): Promise<Serving> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [mainPath, "serve", ...args], { stdio: ["ignore", "pipe", "inherit"] });
    serving.push(child);
    const exited = new Promise<number | null>((done) => child.on("exit", (code) => done(code)));
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (part: string) => {
      text += part;
      if (!text.includes("\n")) return;
      const line = text.trim();
      resolve({
        line,
        address: /tcp:\S+/.exec(line)![0],
        stop(signal = "SIGTERM") {
          child.kill(signal);
          return exited;
        },
      });
    });
    void exited.then((code) => reject(new Error(`tandem serve ended with code ${code}`)));
  });
}

/** A hop between a client and the server at `address` that sees when the client has asked for a run. */
async function watched(address: string): Promise<{ address: string; runBegun: Promise<void>; close(): void }> {
  const { host, port } = parseTcpAddress(address);
  let begun: () => void;
  const runBegun = new Promise<void>((resolve) => (begun = resolve));
  const hop = createServer((client) => {
    const far = connect({ host, port });
    const reader = new FrameReader();
    client.on("data", (chunk: Buffer) => {
      for (const { kind, payload } of reader.push(chunk))
        if (kind === "request" && decodeMessage(payload).type === "run") begun();
    });
    client.pipe(far).pipe(client);
    // One end's loss is the other's.
    for (const [one, other] of [
      [client, far],
      [far, client],
    ] as const)
      one.on("error", () => other.destroy()).on("close", () => other.destroy());
  });
  await new Promise<void>((resolve) => hop.listen(0, "127.0.0.1", resolve));
  return {
    address: `tcp://127.0.0.1:${(hop.address() as AddressInfo).port}`,
    runBegun,
    close: () => void hop.close(),
  };
}

describe("tandem designs", () => {
  it("lists every design with its parameters, defaults, units and ranges", async () => {
    const { code, stdout } = await tandem(["designs"]);
    expect(code).to.equal(0);
    expect(stdout).to.match(/^systolic: output-stationary systolic array/);
    expect(stdout).to.match(/\nparameter +default +unit +range +what it is\n/);
    expect(stdout).to.match(/\nrows +16 +rows +1 to 64 +/);
  });

  it("gives the same as JSON", async () => {
    const { stdout } = await tandem(["designs", "systolic", "--json"]);
    const [design] = JSON.parse(stdout) as { name: string; peakMacsPerClock: number; parameters: { name: string }[] }[];
    expect(design!.name).to.equal("systolic");
    expect(design!.peakMacsPerClock).to.equal(256);
    expect(design!.parameters.map(({ name }) => name)).to.include.members(["rows", "cols"]);
  });

  it("says which designs there are", async () => {
    const { code, stderr } = await tandem(["designs", "systolix"]);
    expect(code).to.equal(1);
    expect(stderr).to.equal(
      'tandem: There is no design named "systolix"\nThere are systolic, vmac; see tandem designs. A file is named with its ending, as my-design.ts.\n',
    );
  });
});

describe("tandem gemm", () => {
  let folder = "";
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "tandem-gemm-"))));
  afterEach(() => {
    rmSync(folder, { recursive: true });
    for (const child of serving.splice(0)) child.kill("SIGKILL");
  });

  async function gemm(args: readonly string[]): Promise<GemmJson> {
    const file = join(folder, "gemm.json");
    const { code, stderr } = await tandem(["gemm", ...args, "--json", file]);
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: "" });
    return JSON.parse(readFileSync(file, "utf8")) as GemmJson;
  }

  it("prints clocks, products per clock, share of peak and stalls, of a product that is right", async () => {
    const { code, stdout } = await tandem(["gemm", "--set", "rows=8", "--set", "cols=8", "20", "24", "16"]);
    expect(code).to.equal(0);
    expect(stdout).to.match(
      /^20 x 24 x 16 on systolic \(fast, rtl, platform ideal\), equal to the functional model\nrows=8 cols=8 /,
    );
    expect(stdout).to.match(
      /\n[\d,]+ clocks \(exact\) for 7,680 MACs: [\d.]+ MAC per clock, [\d.]+ % of the peak of 64\n/,
    );
    expect(stdout).to.match(/\nstalled +clocks +of the run\nsystolic\./);
  });

  it("writes what its schema describes; the same seed gives the same run, another seed other operands", async () => {
    const first = await gemm(["16", "16", "32"]);
    const ajv = new Ajv({ allowUnionTypes: true });
    expect(ajv.validate(schema, first), ajv.errorsText()).to.equal(true);
    const again = await gemm(["16", "16", "32", "--seed", "1"]);
    expect({ ...again, wallMs: 0 }).to.deep.equal({ ...first, wallMs: 0 });
    const other = await gemm(["16", "16", "32", "--seed", "2"]);
    expect(other.output.sha256).not.to.equal(first.output.sha256);
    // Clocks depend on the shape alone.
    expect(other.clocks).to.deep.equal(first.clocks);
  });

  it("puts a board's memory and DMA behind the streams, alike on both engines", async () => {
    const fast = await gemm(["16", "16", "32", "--platform", "pynq-z1"]);
    const kernel = await gemm(["16", "16", "32", "--platform", "pynq-z1", "--engine", "kernel"]);
    expect({ ...fast, wallMs: 0, engine: "" }).to.deep.include({
      ...kernel,
      wallMs: 0,
      engine: "",
      stalls: fast.stalls,
    });
    const ideal = await gemm(["16", "16", "32", "--platform", "ideal"]);
    expect([ideal.platform, fast.platform]).to.deep.equal(["ideal", "pynq-z1"]);
    expect(fast.clocks.total).to.be.greaterThan(ideal.clocks.total);
    expect(fast.output).to.deep.equal(ideal.output);
    const { code, stderr } = await tandem([
      "gemm",
      "1",
      "1",
      "1",
      "--platform",
      "pynq-z1",
      "--on",
      "tcp://127.0.0.1:9",
    ]);
    expect({ code, stderr }).to.deep.include({ code: 2 });
    expect(stderr).to.match(/--platform/);
  });

  it("writes a waveform of the chosen signals and clocks, and it changes nothing", async () => {
    const file = join(folder, "wave.vcd");
    const traced = await gemm(["16", "16", "32", "--vcd", file, "--trace", "systolic.decoder.*", "--window", "20:50"]);
    // Waveforms are the kernel's.
    const plain = await gemm(["16", "16", "32", "--engine", "kernel"]);
    expect({ ...traced, wallMs: 0 }).to.deep.equal({ ...plain, wallMs: 0 });
    const waves = new Waves(readFileSync(file, "latin1"));
    expect(waves.paths).to.include("systolic.decoder.decode.state");
    expect(waves.paths.every((path) => path === "systolic.clk" || path.startsWith("systolic.decoder."))).to.equal(true);
    expect(waves.lastTime).to.equal(500);
  });

  it("shows in the waveform every stalled clock that the kernel counts", async () => {
    const file = join(folder, "wave.vcd");
    const { stalls, clocks } = await gemm(["16", "16", "32", "--vcd", file]);
    const waves = new Waves(readFileSync(file, "latin1"));
    const seen: Record<string, number> = {};
    for (const path of waves.paths.filter((p) => p.endsWith(".state"))) {
      const process = path.slice(0, -".state".length);
      const states = waves.clocks(path, 0, clocks.total - 1);
      states.forEach((state, clock) => {
        if (state !== 2 && state !== 3) return;
        const key = `${process}: ${state === 2 ? "pop" : "push"} ${waves.text(`${process}.stalled_on`, clock)}`;
        seen[key] = (seen[key] ?? 0) + 1;
      });
    }
    expect(seen).to.deep.equal(stalls);
  });

  it("gives the same bytes, clocks and stalls over tcp, from several clients in turn", async () => {
    const local = await gemm(["20", "24", "16", "--set", "rows=8"]);
    const server = await serve(["--design", "systolic", "--set", "rows=8", "--port", "0"]);
    expect(server.line).to.match(/^tandem serve: systolic \(fast, rtl\) on tcp:\/\/127\.0\.0\.1:\d+$/);
    for (let client = 0; client < 2; client++)
      expect({ ...(await gemm(["20", "24", "16", "--on", server.address])), wallMs: 0 }).to.deep.equal({
        ...local,
        wallMs: 0,
      });
    const { code, stderr } = await tandem(["gemm", "8", "8", "8", "--on", server.address, "--set", "rows=4"]);
    expect(code).to.equal(1);
    expect(stderr).to.include(`${server.address} runs with rows=8, not rows=4`);
    expect(await server.stop("SIGINT")).to.equal(0);
    const gone = await tandem(["gemm", "8", "8", "8", "--on", server.address]);
    expect(gone.code).to.equal(1);
    expect(gone.stderr).to.include(`${server.address}: nothing listens there`);
  });

  it("reads a digit over tcp as in-process", async () => {
    const server = await serve([]);
    const answers = await Promise.all(
      ["sim", server.address].map(async (on) => {
        const file = join(folder, `${on.slice(0, 3)}.json`);
        const { code, stdout } = await tandem(["run", "--on", on, "--json", file]);
        expect(code).to.equal(0);
        expect(stdout.split("\n")[1]).to.match(/ 7$/);
        const { output, clocks } = JSON.parse(readFileSync(file, "utf8")) as {
          output: unknown;
          clocks: { total: number };
        };
        expect(clocks.total).to.be.greaterThan(0);
        return { output, clocks };
      }),
    );
    expect(answers[1]).to.deep.equal(answers[0]);
    expect(await server.stop()).to.equal(0);
  });

  it("ends in an error, not a hang, where the server is killed in the middle of a run", async () => {
    const server = await serve(["--engine", "kernel"]);
    const between = await watched(server.address);
    const running = tandem(["gemm", "512", "512", "512", "--on", between.address]);
    await between.runBegun;
    await server.stop("SIGKILL");
    const { code, stderr } = await running;
    between.close();
    expect(code).to.equal(1);
    expect(stderr).to.include(`${between.address}: the server closed the connection while it worked on "run"`);
  });

  it("serves only on a port that it can have, and closes it when it ends", async () => {
    const server = await serve([]);
    const { host, port } = parseTcpAddress(server.address);
    const second = await tandem(["serve", "--port", String(port)]);
    expect(second.code).to.equal(1);
    expect(second.stderr).to.include("the port is taken");
    expect(await server.stop()).to.equal(0);
    const refused = await new Promise((resolve) =>
      connect({ host, port }).on("error", (error: NodeJS.ErrnoException) => resolve(error.code)),
    );
    expect(refused).to.equal("ECONNREFUSED");
  });

  it("refuses what cannot be meant", async () => {
    const cases: [string[], number, string][] = [
      [["gemm", "16", "16"], 2, "Not enough non-option arguments"],
      [["gemm", "0", "16", "16"], 1, "M = 0: expected a whole number from 1"],
      [["gemm", "1000000", "1000000", "1000"], 1, "multiply-accumulates; at most"],
      [["gemm", "8", "8", "8", "--on", "moon"], 2, "--on moon: expected sim or tcp://HOST:PORT"],
      [["gem", "8", "8", "8"], 2, 'There is no command "gem"\ntandem --help'],
      [["gemm", "8", "8"], 2, "tandem gemm --help shows"],
      [["gemm", "8", "8", "8", "--set", "rows"], 2, "--set rows: expected NAME=VALUE"],
      [["gemm", "8", "8", "8", "--set", "colour=red"], 1, 'no parameter "colour"'],
      [["gemm", "8", "8", "8", "--window", "1:2"], 2, "need --vcd"],
      [
        ["gemm", "8", "8", "8", "--vcd", join(folder, "a.vcd"), "--trace", "moon"],
        1,
        'Trace pattern "moon" matches nothing',
      ],
      [["gemm", "8", "8", "8", "--vcd", join(folder, "a.vcd"), "--window", "2:1"], 1, 'Window "2:1"'],
      [["gemm", "8", "8", "8", "--vcd", join(folder, "no", "a.vcd")], 1, "cannot be written"],
      [["gemm", "8", "8", "8", "--vcd", "/dev/full"], 1, "ENOSPC"],
      [["serve", "--set", "rows=0"], 1, "rows = 0"],
      [["run", "--on", "cpu", "--set", "rows=8"], 2, "mean nothing with --on cpu"],
    ];
    for (const [args, code, text] of cases) {
      const outcome = await tandem(args);
      expect(outcome.stderr, args.join(" ")).to.include(text);
      expect(outcome.code, args.join(" ")).to.equal(code);
      expect(outcome.stderr).not.to.match(/defect of Tandem|\n +at /);
    }
    expect(existsSync(join(folder, "a.vcd"))).to.equal(false);
  });
});
