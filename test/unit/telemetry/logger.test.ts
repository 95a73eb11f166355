import { expect } from 'chai';
import { PassThrough, Writable } from 'node:stream';
import type { LogRecord } from '../../../src/snapshot/messages.ts';
import { createAccessLogWriter } from '../../../src/telemetry/access-log-writer.ts';
import { createRootLogger } from '../../../src/telemetry/logger.ts';
import { prettyLine } from '../../../src/telemetry/pretty-line.ts';
import { createThreadLogger } from '../../../src/telemetry/thread-logger.ts';

const read = (stream: PassThrough): string => String(stream.read() ?? '');

describe('createRootLogger', () => {
  it('writes one JSON object a line, its own records and those of other threads, by level', async () => {
    const stream = new PassThrough();
    const log = createRootLogger({ level: 'info', stream, clock: () => 0 });
    log.info('started', { port: 8080, level: 'odd', token: 'abc', error: new Error('no\nway') });
    log.debug('not shown');
    log.write([
      { level: 'error', message: 'from a worker', time: 1_000, fields: { cookie: 'a=b' } },
      { level: 'debug', message: 'not shown either', time: 1_000 },
    ]);
    await log.close();
    const lines = read(stream).trimEnd().split('\n');
    expect(lines).to.have.length(2);
    const [first, second] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(first).to.include({
      time: '1970-01-01T00:00:00.000Z',
      level: 'info',
      message: 'started',
      port: 8080,
    });
    expect(first).to.include({ 'fields.level': 'odd', token: '[redacted]' });
    expect(first?.['error']).to.include({ name: 'Error', message: 'no\nway' });
    expect(second).to.deep.equal({
      time: '1970-01-01T00:00:01.000Z',
      level: 'error',
      message: 'from a worker',
      cookie: '[redacted]',
    });
  });

  it('is pretty on a terminal, and no field can forge a line', async () => {
    const stream = Object.assign(new PassThrough(), { isTTY: true });
    const log = createRootLogger({ level: 'debug', stream, clock: () => 0 });
    log.warn('careful\nfake\u009b2J', { path: 'a b\n\u001b[2J', name: '\u009b31m\u202e', n: 1 });
    await log.close();
    expect(read(stream)).to.equal(
      '00:00:00.000 \u001b[33mWARN \u001b[0m careful\\u000afake\\u009b2J path="a b\\n\\u001b[2J" name="\\u009b31m\\u202e" n=1\n',
    );
    expect(prettyLine({ level: 'info', message: 'm', time: 0 }, false)).to.equal('00:00:00.000 INFO  m');
  });

  it('steers no terminal in JSON either, and says the same', async () => {
    const stream = new PassThrough();
    const log = createRootLogger({ level: 'debug', stream, clock: () => 0, format: 'json' });
    const at = 'a\u009b31m\u007f\u2028b';
    log.warn('careful', { at });
    await log.close();
    const line = read(stream);
    expect(line).to.match(/^[\x20-\x7e]*\n$/);
    expect(JSON.parse(line)).to.deep.include({ at });
  });

  it('waits at close until a slow reader has everything', async () => {
    const written: string[] = [];
    const stream = new Writable({
      write(chunk: Buffer, _encoding, done) {
        setImmediate(() => {
          written.push(chunk.toString());
          done();
        });
      },
    });
    const log = createRootLogger({ level: 'info', stream });
    for (let i = 0; i < 200; i++) log.info('line', { i });
    expect(written.length).to.be.lessThan(200);
    await log.close();
    expect(written.filter((line) => line !== '')).to.have.length(200);
  });

  it('drops and counts lines when nobody reads, and survives a reader that went away', async () => {
    let dropped = 0;
    const stuck = new Writable({ write: () => {} });
    const options = {
      level: 'info',
      maxBufferedBytes: 1_000,
      onDropped: (lines: number) => void (dropped += lines),
    } as const;
    const log = createRootLogger({ ...options, stream: stuck });
    for (let i = 0; i < 200; i++) log.info('line', { i });
    expect(dropped).to.be.within(150, 199);
    expect(stuck.writableLength).to.be.lessThan(2_000);

    const broken = new Writable({ write: (_chunk, _encoding, done) => done(new Error('EPIPE')) });
    const lines = createAccessLogWriter({ stream: broken, onDropped: options.onDropped });
    lines.write({ text: 'a\n', dropped: 0 });
    await new Promise((resolve) => broken.once('close', resolve));
    dropped = 0;
    lines.write({ text: 'b\nc\n', dropped: 3 });
    expect(dropped).to.equal(5);
    await lines.close();
  });
});

describe('createThreadLogger', () => {
  it('sends batches of plain records without secrets, filtered where they arise', () => {
    const batches: (readonly LogRecord[])[] = [];
    const log = createThreadLogger({
      level: 'warn',
      clock: () => 5,
      post: (records) => void batches.push(structuredClone(records)),
    });
    log.info('not sent');
    for (let i = 0; i < 70; i++) log.error('failed', { i, password: 'x', run: () => {} });
    expect(batches.map((batch) => batch.length)).to.deep.equal([64]);
    log.flush();
    expect(batches.map((batch) => batch.length)).to.deep.equal([64, 6]);
    expect(batches[0]?.[0]).to.deep.equal({
      level: 'error',
      message: 'failed',
      time: 5,
      fields: { i: 0, password: '[redacted]' },
    });
    log.close();
    log.warn('last words');
    expect(batches.at(-1)?.map(({ message }) => message)).to.deep.equal(['last words']);
  });

  it('sends by itself soon, and says how many records of a flood it dropped', async () => {
    const records = await new Promise<LogRecord[]>((resolve) => {
      const all: LogRecord[] = [];
      const log = createThreadLogger({
        level: 'info',
        post(batch) {
          all.push(...batch);
          if (batch.some(({ message }) => message === 'log records dropped')) resolve(all);
        },
      });
      for (let i = 0; i < 5_000; i++) log.info('flood');
    });
    expect(records).to.have.length(1_001);
    expect(records.at(-1)?.fields).to.deep.equal({ count: 4_000 });
  });
});
