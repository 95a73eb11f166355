import { expect } from 'chai';
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FetchedJwks, FetchRequest } from '../../../src/keys/fetch-jwks.ts';
import { createKeyService } from '../../../src/keys/key-service.ts';
import type { KeyService } from '../../../src/keys/key-service.ts';
import type { KeyMaterial } from '../../../src/snapshot/messages.ts';
import type { KeyReference } from '../../../src/snapshot/model.ts';
import { cleanupAfterEach } from '../../support/cleanup.ts';
import { tempDir } from '../../support/temp-dir.ts';

/** A clock that goes on when told to. */
function manualClock() {
  let time = 0;
  const timers = new Map<object, { readonly at: number; readonly run: () => void }>();
  return {
    now: () => time,
    after(ms: number, run: () => void) {
      const id = {};
      timers.set(id, { at: time + ms, run });
      return () => void timers.delete(id);
    },
    async advance(ms: number) {
      const end = time + ms;
      for (;;) {
        await settle();
        const next = [...timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
        if (next === undefined) break;
        timers.delete(next[0]);
        time = next[1].at;
        next[1].run();
      }
      time = end;
    },
    get timers() {
      return timers.size;
    },
  };
}

/** Lets everything that is not waiting for time or sockets come to rest. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

function jwksOf(kid: string): string {
  const { publicKey } = generateKeyPairSync('ed25519');
  return JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid }] });
}

const quiet = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };
const remote: KeyReference = {
  id: 'u',
  version: '0',
  kind: 'Jwks',
  source: { url: 'https://idp.test/jwks' },
};

describe('createKeyService', () => {
  const cleanup = cleanupAfterEach();

  function serviceOf(answer: (request: FetchRequest) => Promise<FetchedJwks>) {
    const clock = manualClock();
    const requests: FetchRequest[] = [];
    const changes: KeyMaterial[] = [];
    const service: KeyService = createKeyService({
      log: quiet,
      clock,
      environment: { SECRET: 'c2VjcmV0LXNlY3JldA', EMPTY: '' },
      onChange: (materials) => changes.push(...materials),
      fetch: (request) => {
        requests.push(request);
        return answer(request);
      },
    });
    cleanup.add(() => service.close());
    return { service, clock, requests, changes };
  }
  const none = (): Promise<FetchedJwks> => Promise.reject(new Error('status 500'));

  it('reads secrets from files and variables, decodes them strictly and drops one newline at the end', async () => {
    const dir = tempDir(cleanup);
    const { service } = serviceOf(none);
    const secretOf = async (
      content: string | { env: string },
      encoding?: 'Utf8' | 'Base64Url',
    ): Promise<string> => {
      const file = join(dir, 'secret');
      if (typeof content === 'string') writeFileSync(file, content);
      const [material] = await service.load([
        {
          id: JSON.stringify([content, encoding]),
          version: '1',
          kind: 'Secret',
          source: typeof content === 'string' ? { file } : content,
          ...(encoding && { encoding }),
        },
      ]);
      return material?.secret === undefined
        ? `error ${material?.error ?? ''}`
        : Buffer.from(material.secret).toString('latin1');
    };
    expect(await secretOf('pass\n')).to.equal('pass');
    expect(await secretOf('pass\r\n')).to.equal('pass');
    expect(await secretOf('pass\n\n')).to.equal('pass\n');
    expect(await secretOf(' pass ')).to.equal(' pass ');
    expect(await secretOf('c2VjcmV0\n', 'Base64Url')).to.equal('secret');
    expect(await secretOf({ env: 'SECRET' }, 'Base64Url')).to.equal('secret-secret');
    for (const wrong of ['c2Vj cmV0', 'c2Vjc+V0', 'c2VjcmV0x', '\n']) {
      expect(await secretOf(wrong, 'Base64Url'), wrong)
        .to.match(/^error .*secret: is/)
        .and.not.include('c2Vj');
    }
    expect(await secretOf({ env: 'EMPTY' })).to.include('error');
    expect(await secretOf({ env: 'NOT_THERE' })).to.equal('error environment variable NOT_THERE: is not set');
    expect(await secretOf('x'.repeat(1024 * 1024 + 1))).to.include('larger than 1 MiB');
  });

  it('holds two versions of a file apart until only one is in use, and tries again what failed', async () => {
    const file = join(tempDir(cleanup), 'secret');
    const { service } = serviceOf(none);
    const at = (version: string): KeyReference => ({ id: 's', version, kind: 'Secret', source: { file } });
    const text = async (version: string): Promise<string | undefined> => {
      const [material] = await service.load([at(version), at(version)]);
      return material?.secret && Buffer.from(material.secret).toString();
    };
    expect(await text('1')).to.equal(undefined);
    writeFileSync(file, 'one');
    expect(await text('1')).to.equal('one');
    writeFileSync(file, 'two');
    expect(await text('2')).to.equal('two');
    expect(await text('1'), 'still known').to.equal('one');
    service.retain([at('2')]);
    expect(await text('1'), 'forgotten, so read again').to.equal('two');
    mkdirSync(join(file, '..', 'dir'));
    const [material] = await service.load([{ ...at('3'), source: { file: join(file, '..', 'dir') } }]);
    expect(material?.error).to.match(/not a regular file|EISDIR/);
  });

  it('waits a little for a new URL and passes on what comes later', async () => {
    let answer: (fetched: FetchedJwks) => void = () => {};
    const { service, clock, changes } = serviceOf(() => new Promise((resolve) => (answer = resolve)));
    const loading = service.load([remote]);
    await clock.advance(2000);
    expect((await loading)[0])
      .to.include({ id: 'u' })
      .and.have.property('error');
    const text = jwksOf('a');
    answer({ text });
    await settle();
    expect(changes.map(({ jwks }) => jwks)).to.deep.equal([text]);
    expect((await service.load([remote]))[0]).to.equal(changes[0]);
  });

  it('fetches again in time, keeps the last good set when that fails, and tells only of changes', async () => {
    const first = jwksOf('a');
    const answers: (FetchedJwks | Error)[] = [
      { text: first, etag: '"1"', maxAgeSeconds: 120 },
      {},
      new Error('status 500'),
      { text: '{"keys":[]}' },
      { text: jwksOf('b') },
    ];
    const { service, clock, requests, changes } = serviceOf(async () => {
      const next = answers.shift() ?? new Error('no answer left');
      if (next instanceof Error) throw next;
      return next;
    });
    await service.load([remote]);
    await clock.advance(119_999);
    expect(requests).to.have.lengthOf(1);
    await clock.advance(1);
    expect(requests.map(({ etag }) => etag)).to.deep.equal([undefined, '"1"']);
    await clock.advance(300_000);
    expect(requests, 'no max-age: after 5 minutes').to.have.lengthOf(3);
    await clock.advance(1000);
    expect(requests, 'a second after the first failure').to.have.lengthOf(4);
    expect((await service.load([remote]))[0]?.jwks).to.equal(first);
    await clock.advance(2000);
    expect(requests, 'two seconds after the second').to.have.lengthOf(5);
    expect(changes).to.have.lengthOf(2);
    expect(changes[1]?.version).to.not.equal(changes[0]?.version);
  });

  it('fetches for an unknown kid at most once in 10 s, and lets everybody wait for the same answer', async () => {
    let answer: (fetched: FetchedJwks) => void = () => {};
    const { service, clock, requests } = serviceOf(() => new Promise((resolve) => (answer = resolve)));
    const loading = service.load([remote]);
    answer({ text: jwksOf('a') });
    await loading;
    await service.refresh('u');
    expect(requests).to.have.lengthOf(1);
    await clock.advance(10_000);
    let answered = 0;
    const waiting = [1, 2, 3].map(() => service.refresh('u').then(() => answered++));
    await settle();
    expect([requests.length, answered]).to.deep.equal([2, 0]);
    answer({ text: jwksOf('b') });
    await Promise.all(waiting);
    await service.refresh('u');
    await service.refresh('never heard of');
    expect([requests.length, answered]).to.deep.equal([2, 3]);
  });

  it('stops fetching what nobody uses any more, and takes no answer after that', async () => {
    let answer: (fetched: FetchedJwks) => void = () => {};
    const { service, clock, requests, changes } = serviceOf(
      () => new Promise((resolve) => (answer = resolve)),
    );
    const loading = service.load([remote]);
    service.retain([]);
    expect(requests[0]?.signal.aborted).to.equal(true);
    answer({ text: jwksOf('late') });
    await loading;
    await clock.advance(10_000_000);
    expect([requests.length, changes.length, clock.timers]).to.deep.equal([1, 0, 0]);
  });

  it('peeks at files, variables and what is in use, but fetches and keeps nothing for it', async () => {
    const path = join(tempDir(cleanup), 'secret');
    writeFileSync(path, 'first-content');
    const { service, requests, clock } = serviceOf(() => Promise.resolve({ text: jwksOf('k') }));
    const file: KeyReference = { id: 'f', version: '1', kind: 'Secret', source: { file: path } };
    const gone: KeyReference = { id: 'g', version: '1', kind: 'Secret', source: { env: 'NOT_SET' } };
    const before = await service.peek([file, gone, remote]);
    expect(before.map(({ id, error }) => [id, error === undefined])).to.deep.equal([
      ['f', true],
      ['g', false],
      ['u', false],
    ]);
    expect([requests.length, clock.timers]).to.deep.equal([0, 0]);
    writeFileSync(path, 'second-content');
    const [again] = await service.peek([file]);
    expect(Buffer.from(again?.secret ?? []).toString()).to.equal('second-content');
    await service.load([remote]);
    const [used] = await service.peek([remote]);
    expect(used?.jwks).to.include('"kid":"k"');
    expect(requests).to.have.length(1);
  });
});
