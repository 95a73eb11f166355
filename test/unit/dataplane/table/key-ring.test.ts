import { expect } from 'chai';
import { describe, it } from 'mocha';
import { KeyRing } from '../../../../src/dataplane/table/key-ring.ts';
import type { KeyMaterial } from '../../../../src/snapshot/messages.ts';

const material = (id: string, version: string): KeyMaterial => ({
  id,
  version,
  secret: Buffer.from(`${id} ${version}`),
});

describe('KeyRing', () => {
  const open = (): KeyRing => new KeyRing(() => undefined);
  const versionOf = (source: Pick<KeyRing, 'get'>, id: string): string | undefined => source.get(id)?.version;

  it('shows the keys of a candidate to what is built for it, and to what is served only after the commit', () => {
    const ring = open();
    ring.stage([material('a', '1')]);
    const first = ring.candidate();
    expect([versionOf(ring, 'a'), versionOf(first, 'a')]).to.deep.equal([undefined, '1']);
    ring.commit();
    ring.stage([material('a', '2'), material('b', '1')]);
    const second = ring.candidate();
    expect([versionOf(first, 'a'), versionOf(second, 'a')]).to.deep.equal(['1', '2']);
    ring.commit();
    expect([versionOf(first, 'a'), versionOf(second, 'a'), versionOf(ring, 'b')]).to.deep.equal([
      '2',
      '2',
      '1',
    ]);
  });

  it('drops the keys of a candidate that is refused', () => {
    const ring = open();
    ring.stage([material('a', '1')]);
    ring.commit();
    ring.stage([material('a', 'refused'), material('b', 'refused')]);
    ring.candidate();
    ring.abort();
    const next = ring.candidate();
    ring.commit();
    expect([versionOf(next, 'a'), versionOf(ring, 'a'), versionOf(ring, 'b')]).to.deep.equal([
      '1',
      '1',
      undefined,
    ]);
  });

  it('lets a key set that was fetched meanwhile win over the one a candidate brought', () => {
    const ring = open();
    ring.stage([material('url', '1')]);
    const candidate = ring.candidate();
    ring.take([material('url', '2')]);
    expect(versionOf(candidate, 'url')).to.equal('2');
    ring.commit();
    expect(versionOf(ring, 'url')).to.equal('2');
  });

  it('forgets what nothing needs any more', () => {
    const ring = open();
    ring.stage([material('a', '1'), material('b', '1')]);
    ring.commit();
    ring.forget(['a', 'c']);
    expect([versionOf(ring, 'a'), versionOf(ring, 'b')]).to.deep.equal([undefined, '1']);
  });
});
