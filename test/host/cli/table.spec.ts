import { expect } from "chai";
import { oneLine } from "../../../host/cli/errors.js";
import { count, fixed, percent, table } from "../../../host/cli/table.js";

describe("The table printer", () => {
  it("sets words left and numbers right, cuts long cells and leaves out empty columns", () => {
    const rows = [
      { name: "a", n: 1, long: "" },
      { name: "bcd", n: 1234567, long: "" },
    ];
    const text = table(rows, [
      { title: "name", cell: ({ name }) => name, align: "left" },
      { title: "n", cell: ({ n }) => n },
      { title: "empty", cell: ({ long }) => long },
      { title: "cut", cell: ({ name }) => name.repeat(9), align: "left", width: 10 },
    ]);
    expect(text).to.equal(
      ["name          n  cut", "a             1  aaaaaaaaa", "bcd   1,234,567  bcdbcdbcd…"].join("\n"),
    );
  });

  it("writes numbers in one way", () => {
    expect([count(0), count(1e6), fixed(1234.567, 1), percent(0.8512)]).to.deep.equal([
      "0",
      "1,000,000",
      "1,234.6",
      "85.1 %",
    ]);
    for (const value of [-0, -999, -1000, 12.6, 1234.5, 2 ** 53 - 1, 2 ** 60, NaN])
      expect(count(value), String(value)).to.equal(value.toLocaleString("en-US", { maximumFractionDigits: 0 }));
  });

  it("keeps control characters of names away from the terminal", () => {
    expect(oneLine("a\x1b[31mb\nc\u202ed")).to.equal("a [31mb c d");
  });
});
