import { expect } from 'chai';
import fc from 'fast-check';
import { formatPath, parsePath } from '../../../../src/controller/parse/field-path.ts';
import { suggest } from '../../../../src/controller/parse/suggest.ts';

describe('suggest', () => {
  const known = [
    'hostnames',
    'hostHeader',
    'matches',
    'middlewares',
    'name',
    'url',
    'upstreams',
    'weight',
    'per',
  ];

  it('finds what was probably meant', () => {
    const meant = {
      hostname: 'hostnames',
      mtaches: 'matches',
      middleware: 'middlewares',
      weigth: 'weight',
      URL: 'url',
    };
    for (const [word, expected] of Object.entries(meant))
      expect(suggest(word, known), word).to.equal(expected);
    expect(suggest('upstreamServers', ['upstream', 'retries'])).to.equal('upstream');
  });

  it('says nothing rather than something far-fetched', () => {
    for (const word of ['cors', 'x', 'tls', 'retry', 'destination', 'host', '', 'a'.repeat(1000)]) {
      expect(suggest(word, known), word).to.equal(undefined);
    }
  });
});

describe('parsePath', () => {
  it('reads whatever formatPath prints', () => {
    const path = fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.nat(1000)), { maxLength: 6 });
    fc.assert(fc.property(path, (parts) => void expect(parsePath(formatPath(parts))).to.deep.equal(parts)));
  });

  it('reads what a middleware names by hand', () => {
    expect(parsePath('issuers[0].jwks')).to.deep.equal(['issuers', 0, 'jwks']);
    expect(parsePath('set.x-a/b')).to.deep.equal(['set', 'x-a/b']);
    expect(parsePath('broken[')).to.deep.equal(['broken', '[']);
  });
});
