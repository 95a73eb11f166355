/** `npm run bench`: measures the gateway beside what people would pick instead, on the loopback interface only. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readOptions, usage } from './options.ts';
import { createClosing } from './process/closing.ts';
import { createPorts } from './process/ports.ts';
import { describeMachine } from './report/machine.ts';
import { renderTable } from './report/table.ts';
import { writeReport } from './report/write.ts';
import { scenarios } from './scenarios/all.ts';
import { builtGateway } from './subjects/mgateway.ts';
import type { Bench } from './scenarios/scenario.ts';

const say = (text: string): void => void process.stderr.write(`${text}\n`);

process.exitCode = await main().catch((error: unknown) => {
  say(`bench: ${error instanceof Error ? error.message : String(error)}`);
  return 1;
});

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2), {
    out: fileURLToPath(new URL('results', import.meta.url)),
    gateway: builtGateway,
  });
  const wanted = options.scenarios.flatMap((name) => scenarios.filter((scenario) => scenario.name === name));
  if (wanted.length < options.scenarios.length) {
    say(`${usage}\n${scenarios.map(({ name, describe }) => `  ${name.padEnd(10)} ${describe}`).join('\n')}`);
    return 2;
  }
  const machine = describeMachine();
  say(`${machine.processor}, ${machine.cores} cores, Node ${machine.node}, load ${machine.load.toFixed(1)}`);
  const scratch = mkdtempSync(join(tmpdir(), 'mgateway-bench-'));
  // nginx, started by root, serves as somebody else.
  chmodSync(scratch, 0o755);
  const closing = createClosing();
  // Someone who loses patience leaves nothing running either.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void closing.closeAll().finally(() => process.exit(130)));
  }
  try {
    let dirs = 0;
    const bench: Bench = {
      options,
      closing,
      say,
      nextPort: createPorts(),
      newDir(name) {
        const dir = join(scratch, `${++dirs}-${name}`);
        mkdirSync(dir);
        return dir;
      },
    };
    for (const scenario of wanted) {
      say(`\n${scenario.name}: ${scenario.describe}`);
      try {
        const report = await scenario.run(bench);
        process.stdout.write(`${renderTable(report)}\n`);
        writeReport(options.out, report, machine);
      } finally {
        await closing.closeAll();
      }
    }
  } finally {
    await closing.closeAll();
    rmSync(scratch, { recursive: true, force: true });
  }
  return 0;
}
