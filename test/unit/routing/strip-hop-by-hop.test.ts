import { expect } from 'chai';
import { stripHopByHop } from '../../../src/routing/strip-hop-by-hop.ts';
import { HeaderList } from '../../../src/routing/header-list.ts';

function strip(...raw: string[]): readonly string[] {
  const headers = new HeaderList(raw);
  stripHopByHop(headers);
  return headers.raw;
}

describe('stripHopByHop', () => {
  it('removes what ends at this hop and keeps the rest in order', () => {
    const kept = strip(
      ...[
        'A',
        '1',
        'Connection',
        'keep-alive',
        'Keep-Alive',
        'x',
        'B',
        '2',
        'TE',
        'trailers',
        'Trailer',
        'x',
      ],
      ...['Transfer-Encoding', 'chunked', 'Upgrade', 'h2c', 'Proxy-Connection', 'x', 'a', '3'],
    );
    expect(kept).to.deep.equal(['A', '1', 'B', '2', 'a', '3']);
  });

  it('removes fields that Connection names, wherever they stand', () => {
    expect(
      strip('X-A', '1', 'Connection', 'close, X-A', 'x-b', '2', 'connection', 'X-B', 'c', '3'),
    ).to.deep.equal(['c', '3']);
  });

  it('looks at each field a few times, however many names Connection gives', () => {
    const given = Array.from({ length: 50 }, (_, i) => [`a${i}`, 'x']).flat();
    const names = Array.from({ length: 5000 }, (_, i) => `b${i % 100}`).join();
    let reads = 0;
    const raw = new Proxy([...given, 'connection', names], {
      get(list, key, receiver) {
        reads++;
        return Reflect.get(list, key, receiver) as unknown;
      },
    });
    stripHopByHop(new HeaderList(raw));
    expect(reads).to.be.lessThan(10 * given.length);
    expect([...raw]).to.deep.equal(given);
  });

  it('does not let a client take away what an upstream decides by', () => {
    const raw = [
      'Host',
      'a',
      'Authorization',
      'x',
      'X-Forwarded-For',
      '1.2.3.4',
      'Cookie',
      'c',
      'Content-Length',
      '3',
    ];
    expect(
      strip('Connection', 'host, authorization, x-forwarded-for, cookie, content-length', ...raw),
    ).to.deep.equal(raw);
  });
});
