import { expect } from 'chai';
import fc from 'fast-check';
import { compileRegex, literalPrefix, RegexError } from '../../../src/routing/regex.ts';

describe('compileRegex', () => {
  it('matches whole texts only', () => {
    const users = compileRegex('/users/[0-9]+|/me');
    for (const text of ['/users/7', '/me']) expect(users.test(text)).to.be.true;
    for (const text of ['/users/7/x', '/x/users/7', '/me/', 'x/me', '']) expect(users.test(text)).to.be.false;
  });

  it('answers like a backtracking engine', () => {
    const patterns = ['/(a|b)*c', '/[^/]+/x?y{2,3}', '.*a.b.*', '/a(?:b|c+)?', '/\\d+\\.\\w*'];
    for (const source of patterns) {
      const ours = compileRegex(source);
      const native = new RegExp(`^(?:${source})$`);
      const text = fc.oneof(
        fc
          .array(fc.constantFrom('/', 'a', 'B', 'b', 'c', 'x', 'y', '.', '1'), { maxLength: 8 })
          .map((chars) => chars.join('')),
        fc.stringMatching(native, { maxLength: 12 }),
      );
      fc.assert(
        fc.property(text, (sent) => {
          expect(ours.test(sent)).to.equal(native.test(sent));
        }),
        { numRuns: 200 },
      );
    }
  });

  it('takes time linear in the text for a pattern that ruins a backtracking engine', () => {
    const evil = compileRegex('(a+)+(a|b)*(a*)*c');
    expect(evil.test('a'.repeat(8000))).to.be.false;
  });

  it('refuses what is not regular, with the reason', () => {
    for (const source of ['(?=x)', '(a)\\1', '[z-a]', '(', 'a{2000}']) {
      expect(() => compileRegex(source), source)
        .to.throw(RegexError)
        .with.property('message').that.is.not.empty;
    }
  });
});

describe('literalPrefix', () => {
  it('is the text before the first character with a meaning', () => {
    const prefixes: Record<string, string> = {
      '/users/[0-9]+': '/users/',
      '^/a\\.b/.*$': '/a.b/',
      '/ab?c': '/a',
      '/ab*': '/a',
      '/ab+c': '/ab',
      '/ab{0,2}': '/a',
      '/a|/b': '',
      '/a(b|c)': '/a',
      '/a[|]b': '/a',
      '/a/(?:x|y)': '/a/',
      '(?i)/a': '',
      '\\d': '',
      '\\Q/a|b\\E': '',
      '/a\\x41': '/a',
    };
    for (const [source, expected] of Object.entries(prefixes))
      expect(literalPrefix(source), source).to.equal(expected);
  });

  it('begins every text that the pattern matches', () => {
    const atom = fc.constantFrom('/', 'a', 'b', '\\.', '[ab]', '(a|b)', '(?:b|/)', '.', 'a|b', '\\d');
    const pattern = fc
      .array(fc.tuple(atom, fc.constantFrom('', '', '', '?', '*', '+', '{0,2}', '??')), {
        minLength: 1,
        maxLength: 6,
      })
      .map((parts) => parts.map(([text, count]) => text + count).join(''));
    fc.assert(
      fc.property(
        pattern.chain((source) =>
          fc.tuple(fc.constant(source), fc.stringMatching(new RegExp(`^(?:${source})$`), { maxLength: 12 })),
        ),
        ([source, text]) => {
          if (compileRegex(source).test(text)) expect(text.startsWith(literalPrefix(source))).to.be.true;
        },
      ),
      { numRuns: 500 },
    );
  });
});
