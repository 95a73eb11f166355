import { expect } from 'chai';
import type { Entry } from '../../../src/snapshot/model.ts';
import { PackedEntries } from '../../../src/snapshot/packed-entries.ts';
import type { MainToShadow, ShadowToMain } from '../../../src/snapshot/shadow-messages.ts';
import type { Clock } from '../../../src/supervisor/clock.ts';
import { ShadowLink } from '../../../src/supervisor/shadow-link.ts';
import type { ThreadEvents } from '../../../src/supervisor/thread.ts';
import { eventually } from '../../support/eventually.ts';

describe('ShadowLink', () => {
  const entry = (key: string, hash = 'h'): Entry => ({ key, hash, json: '{}' });
  const served = (generation: number, ...entries: readonly Entry[]) => ({
    generation,
    entries: PackedEntries.of(entries),
  });

  it('starts its thread with the first generation, and tells of each what changed', async () => {
    const { link, lives } = setUp();
    expect(lives).to.have.length(0);
    const many = Array.from({ length: 450 }, (_, i) => entry(`Route/default/${i}`));
    link.update(served(1, ...many));
    link.update(served(3, entry('Route/default/0', 'other'), ...many.slice(1, 449)));
    const [life] = lives;
    await eventually(() => expect(life?.posted.filter(({ type }) => type === 'Served')).to.have.length(2));
    expect(replay(life?.posted ?? [], 1)).to.have.length(450);
    expect(replay(life?.posted ?? [], 3)).to.deep.equal(
      ['Route/default/0 other', ...many.slice(1, 449).map(({ key }) => `${key} h`)].sort(),
    );
    const sizes = life?.posted.flatMap((each) => (each.type === 'Chunk' ? [each.delta.set.length] : []));
    expect(sizes).to.deep.equal([0, 200, 200, 50, 0, 1]);
  });

  it('starts another thread when one dies, and tells it all that is served', async () => {
    const { link, lives, timers } = setUp();
    link.update(served(1, entry('a')));
    const asked = link.query().catch((error: Error) => error.message);
    lives[0]?.events.exit(1, new Error('boom'));
    expect(await asked).to.equal('the shadow thread died');
    expect(await link.query().catch((error: Error) => error.message)).to.match(/not running/);
    link.update(served(2, entry('a'), entry('b')));
    timers.shift()?.();
    await eventually(() => expect(replay(lives[1]?.posted ?? [], 2)).to.deep.equal(['a h', 'b h']));
    const again = link.query();
    const query = lives[1]?.posted.find((each) => each.type === 'Query');
    lives[1]?.events.message({ type: 'Answer', id: query?.id ?? -1, value: 'report' });
    expect(await again).to.equal('report');
  });

  it('gives its thread the keys that it asks for, and those that change by themselves', async () => {
    const { link, lives } = setUp();
    link.update(served(1));
    const [life] = lives;
    const references = [{ id: 'k', version: '1', kind: 'Jwks', source: { inline: '{}' } }] as const;
    life?.events.message({ type: 'KeysWanted', id: 7, references });
    const material = { id: 'k', version: '1' };
    const answer = { type: 'Keys', materials: [material], answers: 7 };
    await eventually(() => expect(life?.posted).to.deep.include(answer));
    link.updateKeys([material]);
    expect(life?.posted.at(-1)).to.deep.equal({ type: 'Keys', materials: [material] });
  });

  it('starts nothing once it is stopped', () => {
    const { link, lives, timers } = setUp();
    link.update(served(1));
    link.stop();
    lives[0]?.events.exit(0, undefined);
    expect(timers).to.have.length(0);
  });
});

interface Life {
  readonly events: ThreadEvents<ShadowToMain>;
  readonly posted: MainToShadow[];
}

/** What a thread that was told all this knows of a generation, as `key hash`. */
function replay(posted: readonly MainToShadow[], wanted: number): readonly string[] {
  const known = new Map<number, Map<string, string>>();
  for (const message of posted) {
    if (message.type !== 'Chunk') continue;
    const { generation, base, set, removed } = message.delta;
    const entries = known.get(generation) ?? new Map(known.get(base));
    for (const { key, hash } of set) entries.set(key, hash);
    for (const key of removed) entries.delete(key);
    known.set(generation, entries);
  }
  const isTold = posted.some((message) => message.type === 'Served' && message.generation === wanted);
  return isTold ? [...(known.get(wanted) ?? [])].map(([key, hash]) => `${key} ${hash}`).sort() : [];
}

/** `timers`: restarts that wait; answers are never late here. */
function setUp() {
  const lives: Life[] = [];
  const timers: (() => void)[] = [];
  const clock: Clock = {
    now: () => 0,
    after(ms, run) {
      if (ms < 10_000) timers.push(run);
      return () => undefined;
    },
    every: () => () => undefined,
  };
  const silent = (): void => undefined;
  const link = new ShadowLink({
    clock,
    log: { error: silent, warn: silent, info: silent, debug: silent },
    startThread: (events) => {
      const posted: MainToShadow[] = [];
      lives.push({ events, posted });
      return { post: (message) => void posted.push(message), terminate: () => undefined };
    },
    message: () => undefined,
    peekKeys: (references) => Promise.resolve(references.map(({ id, version }) => ({ id, version }))),
  });
  return { link, lives, timers };
}
