import { expect } from 'chai';
import fc from 'fast-check';
import { HeaderList } from '../../../src/routing/header-list.ts';
import { build, exchangeOf, problemsOf } from './exchange.ts';

describe('requestHeaders', () => {
  it('removes, renames, sets and adds in this order, whatever the case of the names', async () => {
    const middleware = await build('requestHeaders', {
      add: { 'x-tag': 'three' },
      set: { 'X-Gateway': 'edge' },
      rename: { 'x-auth-user': 'X-User' },
      remove: ['x-user', 'X-INTERNAL'],
    });
    const exchange = exchangeOf({
      headers: [
        'X-User',
        'forged',
        'x-gateway',
        'a',
        'x-tag',
        'one',
        'X-Auth-User',
        'ann',
        'x-gateway',
        'b',
        'X-Tag',
        'two',
        'x-internal',
        '1',
      ],
    });
    expect(middleware.request?.(exchange)).to.equal(undefined);
    expect(exchange.requestHeaders.raw).to.deep.equal([
      'x-gateway', 'edge', 'x-tag', 'one', 'X-User', 'ann', 'X-Tag', 'two', 'x-tag', 'three',
    ]); // prettier-ignore
  });

  it('lets a renamed field replace what the client sent under its new name, and only then', async () => {
    const middleware = await build('requestHeaders', { rename: { 'x-a': 'x-b' } });
    const both = exchangeOf({ headers: ['x-b', 'forged', 'x-a', '1', 'x-a', '2'] });
    void middleware.request?.(both);
    expect(both.requestHeaders.raw).to.deep.equal(['x-b', '1', 'x-b', '2']);
    const without = exchangeOf({ headers: ['x-b', 'kept'] });
    void middleware.request?.(without);
    expect(without.requestHeaders.raw).to.deep.equal(['x-b', 'kept']);
  });

  it('does dry what it does for real, and says it', async () => {
    const middleware = await build('requestHeaders', { set: { 'x-gateway': 'edge' }, remove: ['x-b'] });
    const headers = ['x-b', '1', 'x-c', '2'];
    const real = exchangeOf({ headers });
    const dry = exchangeOf({ headers });
    void middleware.request?.(real);
    const decision = await middleware.decide(dry);
    expect(dry.requestHeaders.raw).to.deep.equal(real.requestHeaders.raw);
    expect(decision).to.deep.equal({ outcome: 'continue', notes: ['removes x-b', 'sets x-gateway: edge'] });
  });

  it('sends text beyond ASCII as UTF-8', async () => {
    const middleware = await build('requestHeaders', { set: { 'x-city': 'Köln €' } });
    const exchange = exchangeOf();
    void middleware.request?.(exchange);
    const sent = Buffer.from(exchange.requestHeaders.get('x-city') ?? '', 'latin1');
    expect(sent.toString('utf8')).to.equal('Köln €');
  });

  it('refuses what could end a field, frame the message, or depend on an order', () => {
    fc.assert(
      fc.property(fc.constantFrom('\r', '\n', '\0', '\u007f', '\u0001'), fc.string(), (bad, text) => {
        expect(problemsOf('requestHeaders', { set: { a: `x${text}${bad}${text}x` } })).to.have.lengthOf(1);
        expect(problemsOf('requestHeaders', { remove: [`x${bad}`] })).to.have.lengthOf(1);
      }),
    );
    expect(
      problemsOf('requestHeaders', { remove: ['Transfer-Encoding'], add: { 'content-length': '1' } }),
    ).to.have.lengthOf(2);
    expect(problemsOf('requestHeaders', { rename: { a: 'b', b: 'c' } })).to.have.lengthOf(1);
    expect(problemsOf('requestHeaders', { rename: { a: 'c', b: 'C' } })).to.have.lengthOf(1);
    expect(problemsOf('requestHeaders', { set: { 'x-a': '1', 'X-A': '2' } })).to.have.lengthOf(1);
    expect(problemsOf('requestHeaders', { remove: ['host'] })).to.have.lengthOf(1);
    expect(
      problemsOf('requestHeaders', { set: { host: 'internal' }, rename: { a: 'b' }, remove: ['c'] }),
    ).to.deep.equal([]);
  });
});

describe('responseHeaders', () => {
  it('keeps every Set-Cookie apart and in order while editing beside them', async () => {
    const middleware = await build('responseHeaders', {
      remove: ['server'],
      rename: { 'x-old': 'x-new' },
      add: { 'Set-Cookie': 'c=3' },
    });
    const headers = new HeaderList([
      'Set-Cookie',
      'a=1',
      'Server',
      's',
      'set-cookie',
      'b=2; Expires=Wed, 1 Jan 2031',
      'X-Old',
      '1',
    ]);
    void middleware.response?.(exchangeOf(), { status: 200, headers });
    expect(headers.getAll('set-cookie')).to.deep.equal(['a=1', 'b=2; Expires=Wed, 1 Jan 2031', 'c=3']);
    expect(headers.has('server')).to.equal(false);
    expect(headers.get('x-new')).to.equal('1');
  });
});
