// The reporter of the suite: mocha's own `spec`, then one closing line that any tool can read.
const { Spec } = require("mocha").reporters;

module.exports = class ClosingLine extends Spec {
  constructor(runner, options) {
    super(runner, options);
    // mocha writes its summary on the same event, after this; the closing line has to be the last.
    runner.once("end", () => {
      const { passes, failures, pending } = this.stats;
      const skipped = pending > 0 ? `, ${pending} skipped` : "";
      process.once("exit", () => process.stdout.write(`\n${passes} passed, ${failures} failed${skipped}\n`));
    });
  }
};
