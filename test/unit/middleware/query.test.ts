import { expect } from 'chai';
import fc from 'fast-check';
import { build, exchangeOf, problemsOf } from './exchange.ts';

async function edited(config: unknown, query: string): Promise<string> {
  const middleware = await build('query', config);
  const real = exchangeOf({ query });
  const dry = exchangeOf({ query });
  expect(middleware.request?.(real)).to.equal(undefined);
  expect(await middleware.decide(dry)).to.include({ outcome: 'continue' });
  expect(dry.query).to.equal(real.query);
  return real.query;
}

describe('query', () => {
  it('removes, renames, sets and adds in this order and leaves the rest byte for byte', async () => {
    const config = {
      add: { tag: 'z' },
      set: { v: '2 & 3' },
      rename: { old: 'new' },
      remove: ['debug', 'né'],
    };
    expect(
      await edited(config, 'tag=%7e&v=1&debug=1&new=forged&OLD=x&old=a+b&%6Fld&de%62ug&n%C3%A9=1&v=9&&x'),
    ).to.equal('tag=%7e&v=2%20%26%203&OLD=x&new=a+b&new&&x&tag=z');
    expect(await edited(config, '')).to.equal('v=2%20%26%203&tag=z');
    expect(await edited({ remove: ['debug'] }, 'debug=1&debug')).to.equal('');
  });

  it('agrees with URLSearchParams on what set and remove leave', async () => {
    const name = fc.constantFrom('a', 'b c', 'ü', '%', '', 'constructor');
    const pairs = fc.array(fc.tuple(name, fc.string({ maxLength: 4 })), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(pairs, name, name, fc.string({ maxLength: 4 }), async (given, gone, key, value) => {
        const expected = new URLSearchParams(given);
        const query = expected.toString();
        expected.delete(gone);
        expected.set(key, value);
        const result = new URLSearchParams(await edited({ remove: [gone], set: { [key]: value } }, query));
        expect([...result]).to.deep.equal([...expected]);
      }),
    );
  });

  it('refuses renames whose result depends on their order', () => {
    expect(problemsOf('query', { rename: { a: 'b', b: 'c' } })).to.have.lengthOf(1);
    expect(problemsOf('query', { rename: { a: 'c', b: 'c' } })).to.have.lengthOf(1);
    expect(problemsOf('query', { rename: { a: 'b', c: 'd' } })).to.deep.equal([]);
  });
});
