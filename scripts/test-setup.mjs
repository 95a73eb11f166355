// mocha hands a rejection that nobody handles to whoever listens, and else drops it. Thrown, it fails the test.
process.on('unhandledRejection', (reason) => {
  throw reason instanceof Error ? reason : new Error(`unhandled rejection: ${String(reason)}`);
});
