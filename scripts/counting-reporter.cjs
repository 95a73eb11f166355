// mocha's `spec` reporter, which also writes what it counted, and on which Node, to $MGATEWAY_TEST_REPORT.
const { writeFileSync } = require('node:fs');
const { reporters, Runner } = require('mocha');

const leakGraceMs = 30_000;

module.exports = class CountingReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.once(Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures, pending } = this.stats;
      writeFileSync(
        process.env.MGATEWAY_TEST_REPORT,
        `${JSON.stringify({ node: process.version, passes, failures, pending })}\n`,
      );
      // A test that leaves something open must not hang the run, and must not pass unseen.
      setTimeout(() => {
        const open = process.getActiveResourcesInfo().join(', ');
        process.stderr.write(`the tests have ended, but something is still open: ${open}\n`);
        process.exit(1);
      }, leakGraceMs).unref();
    });
  }
};
