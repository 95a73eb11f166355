import { expect } from 'chai';
import fc from 'fast-check';
import { literalPrefix, regexSkeleton } from '../../../src/routing/regex-skeleton.ts';
import { compileRegex } from '../../../src/routing/regex.ts';

/** Whether a text has the shape that a skeleton claims. */
function hasShape(text: string, [first = '', ...rest]: readonly string[]): boolean {
  if (!text.startsWith(first)) return false;
  if (rest.length === 0) return true;
  const slash = text.indexOf('/', first.length);
  return slash >= 0 && hasShape(text.slice(slash), rest);
}

describe('regexSkeleton', () => {
  it('is the literal text of a pattern, where only slash-free stretches stand between', () => {
    const skeletons: Record<string, readonly string[]> = {
      '/users/[0-9]+': ['/users/'],
      '^/a\\.b/.*$': ['/a.b/'],
      '/api/v\\d+/users/.*': ['/api/v', '/users/'],
      '/[^/]+/(?:x|y)z?/end/[a-z]{2}-\\w*/more': ['/', '/', '/end/', '/more'],
      '/(?P<id>[a-z0-9]+)/x': ['/', '/x'],
      '/ab?c/d': ['/a', '/d'],
      '/ab+c/d': ['/ab', '/d'],
      '/a(b/c)?/d': ['/a'],
      '/a[+-9]/d': ['/a'],
      '/a[^b]/d': ['/a'],
      '/a.c/d': ['/a'],
      '/a/?b/d': ['/a'],
      '/a/+b/d': ['/a/'],
      '/a{x}/d': ['/'],
      '/a|/b': [''],
      '/a[(]/b|/c': [''],
      '/a[[:alpha:]|]/b': ['/a'],
      '/a[|]b/c': ['/a', '/c'],
      '/a(?i)b/c': ['/a'],
      '(?i)/a': [''],
      '\\Q/a|b(\\E|/x': [''],
      '/a\\x41': ['/a'],
    };
    for (const [source, skeleton] of Object.entries(skeletons)) {
      expect(regexSkeleton(source), source).to.deep.equal(skeleton);
      expect(literalPrefix(source), source).to.equal(skeleton[0]);
      expect(() => compileRegex(source), source).to.not.throw();
    }
  });

  it('is the shape of every text that the pattern matches', () => {
    // Each atom with texts that it matches, each count with how often it may stand.
    const atoms: Record<string, readonly string[]> = {
      '/': ['/'],
      a: ['a'],
      b: ['b'],
      '\\.': ['.'],
      '[ab]': ['a', 'b'],
      '[^/]': ['a', '|', '.'],
      '[^a]': ['/', 'b'],
      '[+-9]': ['/', '1'],
      '(a|b)': ['a', 'b'],
      '(?:b|/)': ['b', '/'],
      '.': ['/', 'a'],
      'a|b': ['a', 'b'],
      '\\d': ['1'],
      '[|(]': ['|', '('],
      '(?:[^/b]+a)': ['aa', '.1a'],
    };
    const counts: Record<string, readonly number[]> = {
      '': [1],
      '?': [0, 1],
      '*': [0, 1, 3],
      '+': [1, 2],
      '{0,2}': [0, 2],
      '{2}': [2],
      '+?': [1, 2],
    };
    const atom = fc.constantFrom('/', '/', '/', 'a', '[^/]', ...Object.keys(atoms));
    const count = fc.constantFrom('', '', '', '', ...Object.keys(counts));
    const part = fc.tuple(atom, count).chain(([source, times]) =>
      fc
        .constantFrom(...(counts[times] ?? []))
        .chain((n) => fc.array(fc.constantFrom(...(atoms[source] ?? [])), { minLength: n, maxLength: n }))
        .map((texts) => [source + times, texts.join('')] as const),
    );
    const matching = fc
      .array(part, { minLength: 1, maxLength: 8 })
      .map(
        (parts) =>
          [parts.map(([source]) => source).join(''), parts.map(([, text]) => text).join('')] as const,
      );
    let beyondFirst = 0;
    fc.assert(
      fc.property(matching, ([source, text]) => {
        const skeleton = regexSkeleton(source);
        if (!compileRegex(source).test(text)) return;
        if (skeleton.length > 1) beyondFirst++;
        expect(hasShape(text, skeleton), JSON.stringify({ source, text, skeleton })).to.equal(true);
      }),
      { numRuns: 5000 },
    );
    expect(beyondFirst).to.be.above(50);
  });
});
