/** Programs that the co-simulation runs. */
import { expect } from "chai";
import { runTool } from "../../../sim/rtl/tools.js";

const shell = (text: string): [string, string[]] => ["sh", ["-c", text]];

describe("a program that a simulation runs", () => {
  const lines: string[] = [];
  const line = (text: string): void => void lines.push(text);
  beforeEach(() => lines.splice(0));

  it("gives its lines as they come, the last one with or without an end", async () => {
    const { status, timedOut } = await runTool(...shell("printf 'one\\ntwo'"), ".", { line });
    expect({ status, timedOut, lines }).to.deep.equal({ status: 0, timedOut: false, lines: ["one", "two"] });
  });

  it("is ended when its time is over, and what it had begun to say is dropped", async () => {
    const { timedOut } = await runTool(...shell("printf 'one\\nha'; exec sleep 60"), ".", { line, timeout: 300 });
    expect({ timedOut, lines }).to.deep.equal({ timedOut: true, lines: ["one"] });
  });

  it("is ended by a line that cannot be read, with that error", async () => {
    const thrown = await runTool(...shell("printf 'one\\n'; exec sleep 60"), ".", {
      line: (text) => {
        throw new Error(`what is ${text}?`);
      },
    }).then(
      () => undefined,
      (error: unknown) => (error as Error).message,
    );
    expect(thrown).to.equal("what is one?");
  });
});
