import { expect } from 'chai';
import fc from 'fast-check';
import { isCleanPath, normalizePath } from '../../../src/routing/normalize.ts';
import { parseTarget } from '../../../src/routing/target.ts';
import { readingsBelow } from './server-views.ts';

/** What targets become; a word without slash is the reason of a refusal. */
const table: Record<string, string> = {
  '/': '/',
  '/a/b.c/~d/': '/a/b.c/~d/',
  "/!$&'()*+,=:@;x": "/!$&'()*+,=:@;x",
  '/%61%7e%2E%2d': '/a~.-',
  '/a%2fb': 'encoded_slash',
  '/%c3%a4%20%2b': '/%C3%A4%20%2B',
  '/{a}|"<b>^`[c]': '/%7Ba%7D%7C%22%3Cb%3E%5E%60%5Bc%5D',
  '/a/./b/../c/.': '/a/c/',
  '/a/%2e%2E/b/%2e': '/b/',
  '//a///b//': '/a/b/',
  '/..hidden/...': '/..hidden/...',
  '/..': 'above_root',
  '/a/../../b': 'above_root',
  '/a%5Cb': 'backslash',
  '/a\\b': 'backslash',
  '/a%00': 'control_character',
  '/a%1f': 'control_character',
  '/a%7F': 'control_character',
  '/a b': 'control_character',
  '/a\u00e4': 'invalid_character',
  '/a%': 'invalid_escape',
  '/a%4': 'invalid_escape',
  '/a%u0041': 'invalid_escape',
  '/%c0%ae': 'invalid_utf8',
  '/%e0%80%af': 'invalid_utf8',
  '/%ed%a0%80': 'invalid_utf8',
  '/%f5%80%80%80': 'invalid_utf8',
  '/%e4': 'invalid_utf8',
  '/%c3x': 'invalid_utf8',
  '/%c2%85': 'invalid_utf8',
  '/%252e': 'double_encoding',
  '/%252F': 'double_encoding',
  '/%255c': 'double_encoding',
  '/%25252e': 'double_encoding',
  '/%2500': 'double_encoding',
  // Once the digits are decoded, which is part of the normal form, it is `%252e`.
  '/a/%25%32%65%25%32%65/b': 'double_encoding',
  '/%25%32f': 'double_encoding',
  '/%252%46': 'double_encoding',
  '/%25%37%66': 'double_encoding',
  '/%2520%25': '/%2520%25',
  '/..;/a': 'parameters_in_dot_segment',
  '/a/..;x=1': 'parameters_in_dot_segment',
  '/.%3Bx/a': 'parameters_in_dot_segment',
  '/a/;x/b': 'parameters_in_dot_segment',
  '/;jsessionid=1': '/;jsessionid=1',
  '/a#b': 'fragment',
  'a/b': 'not_origin_form',
  '': 'not_origin_form',
  'http://a/': 'not_origin_form',
  '*': '*',
};

describe('parseTarget', () => {
  it('gives each path its one form, or the reason why it has none', () => {
    for (const [target, expected] of Object.entries(table)) {
      const result = parseTarget(target);
      expect(result.rejected ?? result.path, target).to.equal(expected);
    }
  });

  it('keeps the query as it is and refuses what no query may hold', () => {
    expect(parseTarget('/a?b=%2e%2e/&c=//%zz?')).to.deep.equal({ path: '/a', query: 'b=%2e%2e/&c=//%zz?' });
    expect(parseTarget('/a?')).to.deep.equal({ path: '/a', query: '' });
    expect(parseTarget('/a?b#c')).to.deep.equal({ rejected: 'fragment' });
    expect(parseTarget('/a?b c')).to.deep.equal({ rejected: 'control_character' });
    expect(parseTarget('/a?b\u00e4')).to.deep.equal({ rejected: 'invalid_character' });
  });
});

describe('normalizePath', () => {
  const piece = fc.constantFrom(
    ...'/ / / . .. ; a A %2e %2E %2f %5c %61 %41 %25 %32 %65 %20 %3b %c3%a4 %ef%bc%8f + admin \\ %00 %zz { public'.split(
      ' ',
    ),
  );
  const path = fc.array(piece, { maxLength: 12 }).map((pieces) => `/${pieces.join('')}`);

  it('changes nothing the second time', () => {
    fc.assert(
      fc.property(path, (sent) => {
        const first = normalizePath(sent);
        if ('path' in first) expect(normalizePath(first.path)).to.deep.equal(first);
      }),
      { numRuns: 2000 },
    );
  });

  it('leaves clean paths alone', () => {
    fc.assert(
      fc.property(path, (sent) => {
        if (isCleanPath(sent)) expect(normalizePath(sent)).to.deep.equal({ path: sent });
      }),
    );
  });

  it('leaves no way to read a path below another prefix than the one it has', () => {
    fc.assert(
      fc.property(path, (sent) => {
        const result = normalizePath(sent);
        if (!('path' in result) || /^\/admin(\/|$)/.test(result.path)) return;
        const wrong = readingsBelow(result.path, '/admin').filter((reading) => reading.startsWith('X'));
        expect(wrong, `${sent} → ${result.path}`).to.deep.equal([]);
      }),
      { numRuns: 3000 },
    );
  });
});
