import { spawnSync } from 'node:child_process';
import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { systemClock } from '../../../../src/controller/clock.ts';
import { History } from '../../../../src/controller/history/history.ts';
import { HistoryFile } from '../../../../src/controller/state/history-file.ts';
import { fileMedium } from '../../../../src/controller/state/state-medium.ts';
import { StateTrouble } from '../../../../src/controller/state/state-trouble.ts';
import { makeEntry } from '../../../../src/controller/translate/entry.ts';
import { cleanupAfterEach } from '../../../support/cleanup.ts';
import { eventually } from '../../../support/eventually.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const silent = (): void => undefined;
const log = { error: silent, warn: silent, info: silent, debug: silent };

describe('HistoryFile', () => {
  const cleanup = cleanupAfterEach();

  /** A history with its file, as the program that was started last has it. */
  function open(directory: string, maxCharacters?: number) {
    const trouble = new StateTrouble({ log, changed: silent });
    const medium = fileMedium(directory, 'history.jsonl');
    const file = new HistoryFile({
      medium,
      trouble,
      clock: systemClock,
      lines: () => history.lines,
      ...(maxCharacters !== undefined && { maxCharacters }),
    });
    const history: History = new History({ lines: file.load(), noted: (line) => file.add(line) });
    const serve = (value: number, padding = ''): void => {
      const generation = history.last + 1;
      const event = { generation, time: generation, sourceHash: 'h', durationSeconds: 0 };
      const entries = Array.from({ length: 50 }, (_, i) => makeEntry(`Route/${i}`, { i }));
      entries.push(makeEntry('Route/a', padding === '' ? { value } : { value, padding }));
      history.served({ ...event, result: 'applied' }, new Map(entries.map((entry) => [entry.key, entry])));
    };
    const valueAt = (generation: number): string | undefined =>
      history.entriesOf(generation)?.get('Route/a')?.json;
    const last = (): number => history.last;
    return { path: medium.place, file, history, serve, valueAt, last, trouble };
  }

  it('brings every generation back, adds what changed alone, and never grows without end', async () => {
    const directory = join(tempDir(cleanup), 'state');
    const first = open(directory);
    for (let value = 1; value <= 3; value += 1) first.serve(value);
    await first.file.close();
    const { size } = statSync(first.path);
    expect(statSync(first.path).mode & 0o777).to.equal(0o600);
    const second = open(directory);
    expect(second.history.records).to.deep.equal(first.history.records);
    expect([1, 2, 3].map(second.valueAt)).to.deep.equal(['{"value":1}', '{"value":2}', '{"value":3}']);
    second.serve(4);
    await second.file.close();
    expect(statSync(first.path).size - size).to.be.within(1, 1500);

    const third = open(directory);
    expect(third.valueAt(2)).to.equal('{"value":2}');
    for (let value = 5; value <= 500; value += 1) {
      third.serve(value);
      await Promise.resolve();
    }
    await third.file.close();
    expect(readFileSync(first.path, 'utf8').split('\n').length).to.be.below(130);
    const fourth = open(directory);
    expect(fourth.history.records).to.deep.equal(third.history.records);
    expect([fourth.valueAt(480), fourth.valueAt(481)]).to.deep.equal([undefined, '{"value":481}']);
    expect(fourth.trouble.problems).to.deep.equal([]);
  });

  it('does not take a part of a line for all of it where the disk has no room for more', async function () {
    const limit = (bytes: number | 'unlimited'): boolean =>
      spawnSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:`]).status === 0;
    const directory = join(tempDir(cleanup), 'state');
    const first = open(directory);
    first.serve(1);
    await first.file.close();
    const second = open(directory);
    if (!limit(statSync(second.path).size + 100)) this.skip();
    try {
      second.serve(2);
      await eventually(() => expect(second.trouble.problems).to.have.length(1));
    } finally {
      limit('unlimited');
    }
    second.serve(3);
    await second.file.close();
    const third = open(directory);
    expect([1, 2, 3].map(third.valueAt)).to.deep.equal(['{"value":1}', '{"value":2}', '{"value":3}']);
    expect([...second.trouble.problems, ...third.trouble.problems]).to.deep.equal([]);
  });

  it('keeps what is before a line that was cut off or changed anywhere, says so, and goes on', async () => {
    const directory = join(tempDir(cleanup), 'state');
    const first = open(directory);
    for (let value = 1; value <= 4; value += 1) first.serve(value);
    await first.file.close();
    const text = readFileSync(first.path, 'utf8');
    const length = Buffer.byteLength(text);
    const lineEnds = Array.from(text.matchAll(/\n(?!$)/g), ({ index }) => index);
    await fc.assert(
      fc.asyncProperty(fc.nat(length - 2), fc.boolean(), async (at, isCut) => {
        const bytes = Buffer.from(text);
        if (isCut) writeFileSync(first.path, bytes.subarray(0, at));
        else {
          bytes[at] = (bytes[at] ?? 0) ^ 1;
          writeFileSync(first.path, bytes);
        }
        const again = open(directory);
        const kept = again.last();
        expect(kept).to.be.below(5);
        for (let i = 1; i <= kept; i += 1) expect(again.valueAt(i)).to.equal(`{"value":${i}}`);
        // What is left are whole lines: nothing tells that there were more.
        const isBetweenLines = isCut && (text[at - 1] === '\n' || text[at] === '\n');
        expect(again.trouble.problems).to.have.length(isBetweenLines ? 0 : 1);
        again.serve(9);
        await again.file.close();
        const healed = open(directory);
        expect([healed.last(), healed.valueAt(kept + 1)]).to.deep.equal([kept + 1, '{"value":9}']);
        expect(healed.trouble.problems).to.deep.equal([]);
      }),
      {
        numRuns: 60,
        examples: lineEnds.flatMap((at) => [at, at + 1].map((cut) => [cut, true] as [number, boolean])),
      },
    );
    for (const foreign of ['', '{}\n', '{"format":"mgateway-history","version":2}\n', '\0'.repeat(99)]) {
      writeFileSync(first.path, foreign);
      const ignored = open(directory);
      expect([ignored.last(), ignored.trouble.problems.length]).to.deep.equal([0, 1]);
    }
  });

  it('is written whole again after somebody removed or lengthened it, and not at all beyond its size', async () => {
    const directory = join(tempDir(cleanup), 'state');
    const first = open(directory);
    first.serve(1);
    await first.file.close();
    appendFileSync(first.path, 'torn');
    const second = open(directory);
    expect([second.last(), second.trouble.problems.length]).to.deep.equal([1, 1]);
    second.serve(2);
    await second.file.close();
    expect(open(directory).last()).to.equal(2);

    const growing = open(join(tempDir(cleanup), 'state'));
    for (let value = 0; value < 40; value += 1) {
      growing.serve(value, 'x'.repeat(100_000));
      await growing.file.close();
    }
    // 20 generations are kept, and what comes before the next time it is written whole.
    expect(statSync(growing.path).size).to.be.within(2_000_000, 4_500_000);

    const small = open(join(tempDir(cleanup), 'state'), 1000);
    small.serve(1);
    await small.file.close();
    expect(small.trouble.problems[0]?.message).to.contain('would be larger than 1000 characters');
  });
});
