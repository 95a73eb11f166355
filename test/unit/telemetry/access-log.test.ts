import { expect } from 'chai';
import fc from 'fast-check';
import { createAccessLog } from '../../../src/telemetry/access-log.ts';
import { createAccessLine } from '../../../src/telemetry/access-line.ts';
import type { AccessEntry } from '../../../src/telemetry/access-line.ts';

const entry: AccessEntry = {
  time: 1_700_000_000_123,
  requestId: 'r-1',
  clientAddress: '10.0.0.9',
  method: 'GET',
  host: 'api.example.com',
  path: '/users/7',
  protocol: 'HTTP/1.1',
  status: 200,
  bytesIn: 0,
  bytesOut: 128,
  durationMs: 1.25,
  route: 'default/users',
  upstream: 'default/v1',
  endpoint: 'http://10.0.0.1:80',
  attempts: 1,
  middleware: '',
  code: '',
  generation: 4,
  userAgent: 'curl/8',
};

const accessLine = (given: AccessEntry, format: 'json' | 'pretty'): string => createAccessLine(format)(given);

describe('createAccessLine', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string(),
    fc.constantFrom('"', '\\', '\n', '\u001b[2J', '\u2028', '\ud800'),
  );
  const anyEntry = fc.record({
    ...Object.fromEntries(
      Object.entries(entry).map(([name, value]) => [name, typeof value === 'string' ? text : fc.nat()]),
    ),
    query: fc.option(text, { nil: undefined }),
  }) as fc.Arbitrary<Record<string, unknown>>;

  it('is one line of JSON that says exactly what was given, whatever a client sent', () => {
    fc.assert(
      fc.property(anyEntry, (given) => {
        const line = accessLine(given as unknown as AccessEntry, 'json');

        expect(line).to.match(/^[^\u0000-\u001f\u007f-\u009f]*\n$/);
        const { query, ...rest } = given;
        expect(JSON.parse(line)).to.deep.equal({
          ...rest,
          time: new Date(given['time'] as number).toISOString(),
          ...(query === undefined ? {} : { query }),
        });
      }),
      { numRuns: 1_000 },
    );
  });

  it('is one line for a person, with as many words whatever a client sent', () => {
    const words = (line: string): number => line.split(' ').length;
    fc.assert(
      fc.property(anyEntry, (given) => {
        const line = accessLine(given as unknown as AccessEntry, 'pretty');
        expect(line.indexOf('\n')).to.equal(line.length - 1);
        expect(words(line)).to.equal(words(accessLine(entry, 'pretty')));
      }),
    );
  });
});

describe('createAccessLog', () => {
  it('sends batches of bounded size and counts what a flood loses', () => {
    const batches: { readonly text: string; readonly dropped: number }[] = [];
    const log = createAccessLog({ format: 'json', post: (batch) => void batches.push(batch) });
    const lines = 30_000;
    for (let i = 0; i < lines; i++) log.write(entry);
    log.flush();
    const written = batches.reduce((sum, { text }) => sum + text.split('\n').length - 1, 0);
    const dropped = batches.reduce((sum, batch) => sum + batch.dropped, 0);
    expect(written + dropped).to.equal(lines);
    expect(dropped).to.be.greaterThan(0);
    expect(Math.max(...batches.map(({ text }) => text.length))).to.be.at.most(33 * 1024);
    log.write(entry);
    log.flush();
    expect(batches.at(-1)?.text, 'the flood is over').to.equal(accessLine(entry, 'json'));
  });

  it('sends by itself soon after the first line', async () => {
    const text = await new Promise<string>((resolve) => {
      createAccessLog({ format: 'json', post: (batch) => resolve(batch.text) }).write(entry);
    });
    expect(text).to.equal(accessLine(entry, 'json'));
  });
});
