#!/usr/bin/env node
// The process edge: arguments, environment, signals, exit codes.
import { whyTooOld } from './cli/node-version.ts';

// Whoever reads what we print may stop early (`mgateway routes | head`).
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);

const tooOld = whyTooOld(process.versions.node);
if (tooOld !== undefined) {
  process.stderr.write(`${tooOld}\n`);
  process.exit(1);
}
// Not loaded before: an older Node does not understand all of it.
const { runProgram } = await import('./cli/program.ts');

const exitCode = await runProgram(process.argv.slice(2), {
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  interactive: process.stdin.isTTY && process.stderr.isTTY,
  onSignal: (signal, listener) => void process.on(signal, listener),
  // Only where Node started this program with a channel: otherwise there is nothing to hear.
  onParentGone: (listener) => process.connected && void process.once('disconnect', listener),
});
// Not before everything printed has left; nothing that is still open keeps the program.
process.stdout.write('', () => process.stderr.write('', () => process.exit(exitCode)));
