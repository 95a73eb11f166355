import { expect } from 'chai';
import { kindsOf } from '../../../src/diff/change-kinds.ts';
import { fieldChanges } from '../../../src/diff/field-changes.ts';

describe('kindsOf', () => {
  const forward = {
    route: 'a',
    middlewares: { m: ['sets x: 1'] },
    path: '/p',
    query: 'q=1',
    requestHeaders: { host: ['h'], 'x.y': ['1'] },
    hostHeader: 'Preserve',
    upstreams: { u: { share: 1 } },
  };
  const refused = { route: 'a', middlewares: { m: ['refuses'] }, status: 401, code: 'C', headers: [] };
  const kinds = (from: object, to: object): object =>
    Object.fromEntries(
      [...kindsOf(fieldChanges(from, to))].map(([kind, all]) => [kind, all.map(({ path }) => path)]),
    );

  it('sorts what differs by what it is about', () => {
    const to = {
      ...forward,
      route: 'b',
      path: '/other',
      requestHeaders: { host: ['h'] },
      upstreams: { v: { share: 1 } },
    };
    expect(kinds(forward, to)).to.deep.equal({
      route: ['route'],
      upstream: ['upstreams.u', 'upstreams.v'],
      url: ['path'],
      headers: ['requestHeaders["x.y"]'],
    });
    expect(kinds(forward, { ...forward, hostHeader: 'Upstream', query: '' })).to.deep.equal({
      url: ['query'],
      headers: ['hostHeader'],
    });
    expect(kinds(refused, { ...refused, status: 403, headers: ['allow', 'GET'] })).to.deep.equal({
      status: ['status', 'headers[0]', 'headers[1]'],
    });
  });

  it('says of an answer in the place of a forwarded request no more than that', () => {
    expect(kinds(forward, refused)).to.deep.equal({ status: ['status', 'code', 'headers'] });
    expect(kinds({ ...refused, route: 'b' }, forward)).to.deep.equal({
      route: ['route'],
      status: ['status', 'code', 'headers'],
    });
  });

  it('names middlewares only where nothing else is left to name', () => {
    expect(kinds(forward, { ...forward, middlewares: { m: ['takes a token, by header x'] } })).to.deep.equal({
      middleware: ['middlewares.m[0]'],
    });
    expect(kinds(forward, { ...forward, middlewares: {}, path: '/x' })).to.deep.equal({ url: ['path'] });
    expect(kinds(forward, forward)).to.deep.equal({});
  });
});
