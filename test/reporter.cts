// The reporter of the suite: mocha's own `spec`, then one closing line that any tool can read.
import mocha = require("mocha");

class ClosingLine extends mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    runner.once("end", () => {
      const { passes, failures, pending } = this.stats;
      const skipped = pending > 0 ? `, ${pending} skipped` : "";
      // mocha's spec reporter prints its epilogue in the same event, after us: the line is written when the process ends.
      process.once("exit", () => process.stdout.write(`\n${passes} passed, ${failures} failed${skipped}\n`));
    });
  }
}
export = ClosingLine;
