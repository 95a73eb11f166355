/**
 * What a line of the access log costs a worker: built by hand, and by JSON.stringify of the same object.
 * `node --import=ts-blank-space/register bench/access-log.ts`
 */
import { performance } from 'node:perf_hooks';
import { createAccessLine } from '../src/telemetry/access-line.ts';
import type { AccessEntry } from '../src/telemetry/access-line.ts';

const lines = 200_000;
const entry = (i: number): AccessEntry => ({
  time: 1_700_000_000_000 + i,
  requestId: `0190c9a0-7c1e-7cc0-b1f3-${i.toString(16).padStart(12, '0')}`,
  clientAddress: '203.0.113.9',
  method: 'GET',
  host: 'api.example.com',
  path: `/users/${i}`,
  protocol: 'HTTP/1.1',
  status: 200,
  bytesIn: 0,
  bytesOut: 128 + (i % 100),
  durationMs: 1.2345 + (i % 10),
  route: 'default/users',
  upstream: 'default/users-v1',
  endpoint: 'http://10.0.0.1:8080',
  attempts: 1,
  middleware: '',
  code: '',
  generation: 12,
  userAgent:
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36',
});

function measure(name: string, line: (entry: AccessEntry) => string): void {
  const times: number[] = [];
  for (let round = 0; round < 7; round++) {
    let bytes = 0;
    let batch = '';
    const started = performance.now();
    for (let i = 0; i < lines; i++) {
      batch += line(entry(i));
      if (batch.length < 32 * 1024) continue;
      bytes += Buffer.from(batch).length;
      batch = '';
    }
    if (bytes > 0) times.push(performance.now() - started);
  }
  const median = times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? NaN;
  process.stdout.write(`${name}: ${((median * 1e3) / lines).toFixed(2)} µs a line\n`);
}

const stringified = (given: AccessEntry): string =>
  `${JSON.stringify({ ...given, time: new Date(given.time).toISOString() })}\n`;
for (let round = 0; round < 2; round++) {
  measure('by hand', createAccessLine('json'));
  measure('JSON.stringify', stringified);
}
