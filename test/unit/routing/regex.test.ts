import { expect } from 'chai';
import fc from 'fast-check';
import { compileRegex, RegexError } from '../../../src/routing/regex.ts';

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
