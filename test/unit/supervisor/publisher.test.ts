import { expect } from 'chai';
import type { MiddlewareDefinition } from '../../../src/middleware/contract.ts';
import type { Attachment, MainToConfig, PrepareFailure } from '../../../src/snapshot/messages.ts';
import type { Delta, Entry, KeyReference } from '../../../src/snapshot/model.ts';
import { PackedEntries } from '../../../src/snapshot/packed-entries.ts';
import { CellPages } from '../../../src/supervisor/cell-pages.ts';
import { systemClock } from '../../../src/supervisor/clock.ts';
import { EndpointCellStore } from '../../../src/supervisor/endpoint-cells.ts';
import { LimiterMemory } from '../../../src/supervisor/limiter-memory.ts';
import { Publisher } from '../../../src/supervisor/publisher.ts';
import type { CommittedChange } from '../../../src/supervisor/publisher.ts';
import { eventually } from '../../support/eventually.ts';
import { FakeWorker } from './fake-workers.ts';

/** A limiter whose memory holds its limit: `scale` where only the limit changes, `drop` where `kind` does. */
const limiter: MiddlewareDefinition<{ limit: number; kind?: string }> = {
  type: 'limiter',
  shared: {
    bytes: () => 8,
    init: (memory, { limit }) => void (new Int32Array(memory)[0] = limit),
    change(memory, from, to) {
      if (from.kind !== to.kind) return 'drop';
      new Int32Array(memory)[0] = to.limit;
      return 'scale';
    },
  },
  create: () => ({ decide: () => ({ outcome: 'continue', notes: [] }) }),
};

describe('Publisher', () => {
  it('commits on every worker only after every worker has prepared', async () => {
    const { workers, publish, replies } = setUp(2);
    workers[1].silentAt = 'Prepare';
    publish(1, [route('a')]);
    await eventually(() => workers[0].types().includes('Prepare') && workers[1].types().includes('Prepare'));
    expect(workers[0].types()).not.to.include('Commit');
    workers[1].member.answered({ type: 'Prepared', generation: 1, failures: [] });
    await eventually(() => published(replies, 1));
    for (const worker of workers) {
      expect(worker.types()).to.deep.equal(['Chunk', 'Prepare', 'Commit']);
      expect(worker.member.serving).to.equal(true);
    }
  });

  it('commits nowhere and changes no shared memory if one worker refuses', async () => {
    const { workers, publish, replies, publisher, limiters } = setUp(2);
    publish(1, [limited('m', 10)]);
    await eventually(() => published(replies, 1));
    workers[1].failures = [{ key: 'Listener/http', code: 'AddressInUse', message: 'taken' }];
    publish(2, [limited('m', 20)]);
    expect(await eventually(() => published(replies, 2))).to.deep.equal(workers[1].failures);
    expect(workers.map((worker) => worker.types().at(-1))).to.deep.equal(['Abort', 'Abort']);
    expect(publisher.generation).to.equal(1);
    expect(publisher.entries.get('Middleware/default/m')).to.deep.equal(limited('m', 10));
    expect(limitOf(limiters.attachment('Middleware/default/m'))).to.equal(10);
  });

  it('scales memory in place at the commit, keeps what did not change and drops what it cannot keep', async () => {
    const { publish, replies, limiters, log } = setUp(1);
    publish(1, [limited('same', 1), limited('scaled', 1), limited('replaced', 1), limited('gone', 1)]);
    await eventually(() => published(replies, 1));
    const before = new Map(
      ['same', 'scaled', 'replaced'].map((name) => [name, limiters.attachment(`Middleware/default/${name}`)]),
    );
    publish(2, [limited('scaled', 5), limited('replaced', 5, 'other')], ['Middleware/default/gone']);
    await eventually(() => published(replies, 2));
    const buffer = (name: string): SharedArrayBuffer | undefined =>
      bufferOf(limiters.attachment(`Middleware/default/${name}`));
    expect(buffer('same')).to.equal(bufferOf(before.get('same')));
    expect(buffer('scaled')).to.equal(bufferOf(before.get('scaled')));
    expect(buffer('replaced')).not.to.equal(bufferOf(before.get('replaced')));
    expect(buffer('gone')).to.equal(undefined);
    expect(limitOf(limiters.attachment('Middleware/default/scaled'))).to.equal(5);
    expect(log.at(-1)?.['limiters']).to.deep.equal({ kept: 1, scaled: 1, dropped: 2 });
  });

  it('keeps the cells of an endpoint over reloads, wherever it moves in the list', async () => {
    const { workers, publish, replies } = setUp(1);
    publish(1, [upstream('u', ['http://a', 'http://b'])]);
    await eventually(() => published(replies, 1));
    publish(2, [upstream('u', ['http://c', 'http://b'])]);
    await eventually(() => published(replies, 2));
    const first = cellsAt(workers[0], 0);
    const second = cellsAt(workers[0], 1);
    expect(first).to.have.length(2);
    expect(second[1]).to.equal(first[1]);
    expect(second[0]).not.to.equal(first[0]);
  });

  it('sends key material before it asks to prepare, for that candidate, and has forgotten what nobody needs', async () => {
    const { workers, publish, replies, retained } = setUp(1);
    const reference: KeyReference = { id: 'k', version: '1', kind: 'Secret', source: { env: 'K' } };
    publish(1, [limited('m', 1, undefined, [reference])]);
    await eventually(() => published(replies, 1));
    expect(workers[0].types()).to.deep.equal(['Chunk', 'Keys', 'Prepare', 'Commit']);
    expect(retained.at(-1)).to.deep.equal([reference]);
    const keys = { type: 'Keys', materials: [{ id: 'k', version: '1' }], generation: 1 };
    expect(workers[0].told[1]).to.deep.equal(keys);
    publish(2, [limited('other', 1, undefined, [reference])], ['Middleware/default/m']);
    await eventually(() => published(replies, 2));
    expect(workers[0].types().slice(4), 'another needs it').to.deep.equal([
      'Chunk',
      'Keys',
      'Prepare',
      'Commit',
    ]);
    publish(3, [limited('other', 1)]);
    await eventually(() => published(replies, 3));
    expect(workers[0].told.at(-1)).to.deep.equal({ type: 'Keys', materials: [], forget: ['k'] });
  });

  it('does not wait for a worker that dies on the way, and brings its successor to what was committed', async () => {
    const { workers, publish, replies, replace } = setUp(2);
    publish(1, [route('a'), route('b')]);
    await eventually(() => published(replies, 1));
    workers[1].diesAt = 'Prepare';
    publish(2, [route('c')], ['Route/default/a']);
    expect(await eventually(() => published(replies, 2))).to.deep.equal([]);
    const successor = replace(1);
    await eventually(() => successor.member.serving);
    expect([...successor.entries().keys()].sort()).to.deep.equal(['Route/default/b', 'Route/default/c']);
    expect(successor.told.at(-1)).to.deep.equal({ type: 'Commit', generation: 2 });
  });

  it('tries once more on successors when every worker died, and refuses what kills them too', async () => {
    const { workers, publish, replies, replace, publisher } = setUp(1);
    publish(1, [route('a')]);
    await eventually(() => published(replies, 1));
    workers[0].diesAt = 'Prepare';
    publish(2, [route('b')]);
    await eventually(() => !workers[0].alive);
    const second = replace(0);
    expect(await eventually(() => published(replies, 2))).to.deep.equal([]);
    expect([...second.entries().keys()]).to.deep.equal(['Route/default/a', 'Route/default/b']);
    second.diesAt = 'Chunk';
    publish(3, [route('killer')]);
    await eventually(() => !second.alive);
    const third = replace(0);
    third.diesAt = 'Prepare';
    const failures = await eventually(() => published(replies, 3));
    expect(failures?.[0]).to.include({ key: '', code: 'Invalid' });
    expect(publisher.generation).to.equal(2);
  });

  it('brings a worker up without what cannot be had any more, rather than not at all', async () => {
    const { workers, publish, replies, replace, log } = setUp(1);
    publish(1, [route('a'), limited('gone', 1)]);
    await eventually(() => published(replies, 1));
    workers[0].die();
    const successor = replace(0);
    successor.failures = [{ key: 'Middleware/default/gone', code: 'ModuleFailed', message: 'no such file' }];
    await eventually(() => successor.member.serving);
    expect([...successor.entries().keys()]).to.deep.equal(['Route/default/a']);
    expect(log.at(-1)).to.deep.include({ worker: 0, generation: 1, failures: successor.failures });
  });

  it('refuses a port that another program has before any worker binds it', async () => {
    const { workers, publish, replies } = setUp(2);
    publish(1, [{ key: 'Listener/busy', hash: '1', json: '{}' }]);
    expect(await eventually(() => published(replies, 1))).to.deep.equal([inUse({ key: 'Listener/busy' })]);
    expect(workers[0].types()).to.deep.equal(['Chunk', 'Abort']);
  });

  it('drops what a restarted config thread no longer names, and takes nothing older than what is served', async () => {
    const { workers, publish, replies, publisher } = setUp(1);
    publish(5, [route('a'), route('b')]);
    await eventually(() => published(replies, 5));
    publish(6, [route('b'), route('c')], [], 0);
    await eventually(() => published(replies, 6));
    expect([...publisher.entries.keys()].sort()).to.deep.equal(['Route/default/b', 'Route/default/c']);
    expect([...workers[0].entries().keys()].sort()).to.deep.equal(['Route/default/b', 'Route/default/c']);
    publish(3, [route('old')], [], 0);
    expect((await eventually(() => published(replies, 3)))?.[0]?.message).to.match(/not newer/);
    expect(publisher.entries.has('Route/default/old')).to.equal(false);
  });

  it('forgets a half-sent candidate when the config thread dies', async () => {
    const { workers, publisher, publish, replies } = setUp(1);
    publish(1, [route('a')]);
    await eventually(() => published(replies, 1));
    publisher.handle({ type: 'Chunk', delta: delta(2, [route('half')]) });
    await publisher.reset();
    await eventually(() => workers[0].types().at(-1) === 'Abort');
    publish(3, [route('whole')]);
    await eventually(() => published(replies, 3));
    expect([...publisher.entries.keys()]).to.deep.equal(['Route/default/a', 'Route/default/whole']);
  });
});

function inUse({ key }: Pick<Entry, 'key'>): PrepareFailure {
  return { key, code: 'AddressInUse', message: 'in use' };
}

interface SetUp {
  readonly workers: [FakeWorker, FakeWorker];
  readonly publisher: Publisher;
  readonly limiters: LimiterMemory;
  readonly replies: MainToConfig[];
  readonly retained: (readonly KeyReference[])[];
  readonly log: Readonly<Record<string, unknown>>[];
  readonly publish: (
    generation: number,
    set: readonly Entry[],
    removed?: readonly string[],
    base?: number,
  ) => void;
  readonly replace: (index: number) => FakeWorker;
}

function setUp(size: 1 | 2): SetUp {
  const workers = Array.from({ length: size }, (_, index) => new FakeWorker(index));
  const replies: MainToConfig[] = [];
  const retained: (readonly KeyReference[])[] = [];
  const log: Readonly<Record<string, unknown>>[] = [];
  const limiters = new LimiterMemory((type) =>
    type === 'limiter' ? (limiter as MiddlewareDefinition) : undefined,
  );
  const publisher: Publisher = new Publisher({
    members: () => workers.filter(({ alive }) => alive).map(({ member }) => member),
    limiters,
    endpoints: new EndpointCellStore(new CellPages(size, () => systemClock.now())),
    findBusyPorts: async (staged) => [...staged].filter(({ key }) => key === 'Listener/busy').map(inUse),
    keys: {
      load: async (references) => references.map(({ id, version }) => ({ id, version })),
      retain: (references) => void retained.push(references),
    },
    clock: systemClock,
    log: {
      error: (_, fields) => void log.push(fields ?? {}),
      warn: () => undefined,
      info: (_, fields) => void log.push(fields ?? {}),
      debug: () => undefined,
    },
    reply: (message) => void replies.push(message),
    committed: (_: CommittedChange) => undefined,
    refused: () => undefined,
  });
  return {
    workers: workers as unknown as [FakeWorker, FakeWorker],
    publisher,
    limiters,
    replies,
    retained,
    log,
    publish(generation, set, removed = [], base = publisher.generation) {
      publisher.handle({ type: 'Chunk', delta: delta(generation, set, removed, base) });
      const gone = removed.map((key) => [key, undefined] as const);
      const before = base === 0 ? PackedEntries.none : publisher.entries;
      const after = before.with(new Map([...gone, ...set.map((entry) => [entry.key, entry] as const)]));
      const parts = after.partsSince(before);
      publisher.handle({ type: 'Publish', generation, base, parts, sourceHash: 'hash' });
    },
    replace(index) {
      const worker = new FakeWorker(index);
      workers[index] = worker;
      void publisher.join(worker.member);
      return worker;
    },
  };
}

function delta(generation: number, set: readonly Entry[], removed: readonly string[] = [], base = 1): Delta {
  return { generation, base, set, removed };
}

/** The failures told about a generation; false: nothing was told yet. */
function published(replies: readonly MainToConfig[], generation: number): readonly PrepareFailure[] | false {
  const reply = replies.find((message) => message.type === 'Published' && message.generation === generation);
  return reply?.type === 'Published' ? reply.failures : false;
}

function route(name: string): Entry {
  return { key: `Route/default/${name}`, hash: name, json: '{}' };
}

function limited(name: string, limit: number, kind?: string, keys: readonly KeyReference[] = []): Entry {
  const json = JSON.stringify({ name: `default/${name}`, type: 'limiter', config: { limit, kind }, keys });
  return { key: `Middleware/default/${name}`, hash: json, json };
}

function upstream(name: string, urls: readonly string[]): Entry {
  const json = JSON.stringify({ name, endpoints: urls.map((url) => ({ url })) });
  return { key: `Upstream/default/${name}`, hash: json, json };
}

function bufferOf(attachment: Attachment | undefined): SharedArrayBuffer | undefined {
  return attachment?.kind === 'Middleware' ? attachment.buffer : undefined;
}

function limitOf(attachment: Attachment | undefined): number | undefined {
  const buffer = bufferOf(attachment);
  return buffer && new Int32Array(buffer)[0];
}

/** Offsets of the cells in the n-th chunk. */
function cellsAt(worker: FakeWorker, n: number): readonly number[] {
  const chunks = worker.told.filter((message) => message.type === 'Chunk');
  return (chunks[n]?.attachments ?? []).flatMap(cellsOf);
}

function cellsOf(attachment: Attachment): readonly number[] {
  return attachment.kind === 'Upstream' ? attachment.cells.map(({ offset }) => offset) : [];
}
