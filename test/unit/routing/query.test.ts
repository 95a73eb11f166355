import { parse } from 'node:querystring';
import { expect } from 'chai';
import fc from 'fast-check';
import {
  addQueryParameter,
  queryParameter,
  removeQueryParameter,
  renameQueryParameter,
  setQueryParameter,
} from '../../../src/routing/query.ts';

const name = fc.constantFrom('a', 'b c', 'ä', 'a%b', '');
const query = fc
  .array(
    fc.constantFrom(
      'a=1',
      'a',
      '%61=2',
      'b+c=x+y',
      'b%20c',
      '%C3%A4=1',
      '',
      'z=%zz',
      'ab=1',
      '=v',
      'a%25b=%2B',
    ),
    { maxLength: 6 },
  )
  .map((pairs) => pairs.join('&'));

/** What node:querystring reads, with every value in a list. */
function parsed(text: string): Map<string, string[]> {
  return new Map(
    Object.entries(parse(text)).map(([key, value]) => [key, Array.isArray(value) ? value : [value ?? '']]),
  );
}

describe('queryParameter', () => {
  it('reads the first value, decoded', () => {
    expect(queryParameter('x=1&%61=b+c%2Bd&a=2', 'a')).to.equal('b c+d');
    expect(queryParameter('a&b=', 'a')).to.equal('');
    expect(queryParameter('ab=1&b=a', 'a')).to.equal(undefined);
    expect(queryParameter('a=%zz', 'a')).to.equal('%zz');
    expect(queryParameter('a=b=c', 'a')).to.equal('b=c');
  });
});

describe('the query edits', () => {
  it('change the parameters of one name and no byte of the others', () => {
    const others = (text: string, edited: string): string[] =>
      text.split('&').filter((pair) => pair !== '' && queryParameter(pair, edited) === undefined);
    fc.assert(
      fc.property(query, name, (text, edited) => {
        const removed = removeQueryParameter(text, edited);
        expect(queryParameter(removed, edited)).to.equal(undefined);
        expect(others(removed, edited)).to.deep.equal(others(text, edited));
        const set = setQueryParameter(text, edited, 'ü&=+');
        expect(parsed(set).get(edited)).to.deep.equal(['ü&=+']);
        expect(others(set, edited)).to.deep.equal(others(text, edited));
        const added = addQueryParameter(text, edited, '1 2');
        expect(added.startsWith(text)).to.equal(true);
        expect(parsed(added).get(edited)?.at(-1)).to.equal('1 2');
        const renamed = renameQueryParameter(text, edited, 'new name');
        expect(parsed(renamed).get('new name')).to.deep.equal(parsed(text).get(edited));
        expect(others(renamed, 'new name')).to.deep.equal(others(text, edited));
      }),
      { numRuns: 1000 },
    );
  });

  it('set the first and drop the further ones, where they stand', () => {
    expect(setQueryParameter('x&a=1&y=%7e&%61=2&z', 'a', 'n')).to.equal('x&a=n&y=%7e&z');
    expect(setQueryParameter('', 'a', '')).to.equal('a=');
    expect(removeQueryParameter('a=1&a', 'a')).to.equal('');
    expect(removeQueryParameter('b&&a=1&', 'a')).to.equal('b&&');
    expect(renameQueryParameter('a&b=%zz+', 'b', 'c')).to.equal('a&c=%zz+');
    expect(addQueryParameter('', 'a', '\ud800')).to.equal('a=%EF%BF%BD');
  });
});
