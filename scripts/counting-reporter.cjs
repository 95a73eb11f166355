// mocha's `spec` reporter, which also writes what it counted, and on which Node, to $MGATEWAY_TEST_REPORT.
const { writeFileSync } = require('node:fs');
const { reporters, Runner } = require('mocha');

const leakGraceMs = 30_000;

module.exports = class CountingReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.once(Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures, pending } = this.stats;
      const report = (failed) => {
        const counts = { node: process.version, passes, failures: failed, pending };
        writeFileSync(process.env.MGATEWAY_TEST_REPORT, `${JSON.stringify(counts)}\n`);
      };
      report(failures);
      // A test that leaves something open must not hang the run, and must not pass unseen.
      setTimeout(() => {
        const open = process.getActiveResourcesInfo().join(', ');
        process.stderr.write(`the tests have ended, but something is still open: ${open}\n`);
        report(failures + 1);
        // mocha sets the exit code in a listener of its own; this one comes after it.
        process.once('exit', () => (process.exitCode = 1));
        process.exit();
      }, leakGraceMs).unref();
    });
  }
};
