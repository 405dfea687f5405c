import { expect } from "chai";
import { runSideBySide } from "./parallel.js";
import { Progress } from "./report.js";
import { tasksOf, type Settings } from "./tasks.js";

/** Keeps what is said. */
class Kept extends Progress {
  readonly notes: string[] = [];
  override note(text: string): void {
    this.notes.push(text);
  }
}

const settings: Settings = {
  parts: ["designs", "networks"],
  designs: ["vmac"],
  seed: 5,
  first: 0,
  cases: 1,
  constructs: 0,
  networks: 2,
  rtlNetworks: 0,
  netlists: 0,
  mutations: 0,
  engines: ["fast"],
};
const options = ["--seed", "5", "--cases", "1", "--networks", "2", "--engine", "fast"];

describe("the spine's tasks, each in a process of its own", () => {
  it("give their rows in the order of the table", async function () {
    this.timeout(60_000);
    const kept = new Kept();
    const rows = await runSideBySide(tasksOf(settings), 2, options, kept);
    expect(kept.notes).to.deep.equal([]);
    expect(rows.map(({ part, cases, differences }) => [part, cases, differences])).to.deep.equal([
      ["vmac", 1, 0],
      ["random networks", 2, 0],
    ]);
    expect(rows[0]!.clocks).to.be.above(0);
  });

  it("count as a difference if a process ends before its task", async function () {
    this.timeout(60_000);
    const kept = new Kept();
    const lost = { ...tasksOf(settings)[0]!, name: "designs lost" };
    const rows = await runSideBySide([lost], 2, [...options, "--jobs", "1"], kept);
    expect(rows.map(({ part, differences, note }) => [part, differences, note])).to.deep.equal([
      ["designs lost", 1, "not finished"],
    ]);
    expect(kept.notes).to.deep.equal(["DIFFERENCE designs lost: its process ended (exit code 2)"]);
  });
});
