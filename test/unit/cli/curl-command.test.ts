import { execFileSync } from 'node:child_process';
import { expect } from 'chai';
import fc from 'fast-check';
import { readCurlCommand } from '../../../src/cli/curl-command.ts';
import { splitShellWords } from '../../../src/cli/shell-words.ts';

const headersOf = (line: string): Readonly<Record<string, string>> => {
  const { headers } = readCurlCommand(line);
  return Object.fromEntries(
    headers.flatMap((name, i) => (i % 2 === 0 ? [[name.toLowerCase(), headers[i + 1] ?? '']] : [])),
  );
};
const requestOf = (line: string): string => {
  const { method, url } = readCurlCommand(line);
  return `${method} ${url}`;
};

describe('splitShellWords', () => {
  it('splits as a shell does', () => {
    const word = fc
      .array(fc.constantFrom('a', 'b', ' ', "'", '"', '\\', '$', '=', ':', '/', '\\\n'), { maxLength: 6 })
      .map((parts) => parts.join(''));
    const single = word.map((text) => `'${text.replaceAll("'", '')}'`);
    const double = word.map((text) => `"${text.replaceAll(/["\\$]/g, '\\$&')}"`);
    const lines = fc
      .sample(
        fc.array(fc.oneof(single, double, fc.constantFrom('x', '\\ ', ' ', "\\'", '\\\n', ' -H ')), {
          minLength: 1,
          maxLength: 8,
        }),
        { numRuns: 60, seed: 7 },
      )
      .map((parts) => `w ${parts.join('')}`);
    // One shell for all: it prints the words of each line, a NUL behind each, and a word that no line has between lines.
    const script = lines.map((line) => `set -- ${line}\nprintf '%s\\0' "$@" '<end>'`).join('\n');
    const said = execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' }).split('<end>\0').slice(0, -1);
    for (const [i, line] of lines.entries())
      expect(splitShellWords(line), line).to.deep.equal(said[i]?.split('\0').slice(0, -1));
  });

  it("reads $'…' as browsers write it, and refuses what only a shell could know", () => {
    expect(splitShellWords(String.raw`curl $'a\'b\n\u00e9\x41'`)).to.deep.equal(['curl', "a'b\né" + 'A']);
    for (const line of ['a $HOME', 'a "$(id)"', 'a `id`', 'a | b', "a 'b", 'a "b', 'a > b', "$'x"])
      expect(() => splitShellWords(line), line).to.throw(/shell|closed/);
  });
});

describe('readCurlCommand', () => {
  it('tells the method by the options, as curl does', () => {
    expect(requestOf('curl https://a/b')).to.equal('GET https://a/b');
    expect(requestOf('curl -sSLk -o /dev/null --max-time 3 a.test/b')).to.equal('GET http://a.test/b');
    expect(requestOf("curl -d 'a=1' -d b=2 http://a/")).to.equal('POST http://a/');
    expect(requestOf('curl --json {} --url http://a/')).to.equal('POST http://a/');
    expect(requestOf('curl -F f=@x http://a/')).to.equal('POST http://a/');
    expect(requestOf('curl -T x http://a/')).to.equal('PUT http://a/');
    expect(requestOf('curl -I http://a/')).to.equal('HEAD http://a/');
    expect(requestOf('curl -XPATCH -d x http://a/')).to.equal('PATCH http://a/');
    expect(requestOf('curl -G -d a=1 --data-urlencode b=2 "http://a/?c#d"')).to.equal(
      'GET http://a/?c&a=1&b=2',
    );
    expect(requestOf("curl 'http://a/' \\\n  -H 'x: 1' \\\n  --compressed")).to.equal('GET http://a/');
  });

  it('sends the headers that curl would send', () => {
    expect(
      headersOf(`curl -H 'X-A:  b: c' -u 'me:p w' -A agent -b 'k=v' -e http://r -d 1 http://a`),
    ).to.deep.equal({
      accept: '*/*',
      'content-type': 'application/x-www-form-urlencoded',
      'x-a': 'b: c',
      authorization: `Basic ${btoa('me:p w')}`,
      'user-agent': 'agent',
      cookie: 'k=v',
      referer: 'http://r',
    });
    expect(headersOf(`curl -H 'Accept:' -H 'X-Empty;' --oauth2-bearer t --json 1 http://a`)).to.deep.equal({
      'user-agent': 'curl',
      'content-type': 'application/json',
      'x-empty': '',
      authorization: 'Bearer t',
    });
  });

  it('says what it cannot read', () => {
    for (const [line, message] of [
      ['wget http://a', /begin with curl/],
      ['curl -H x', /-H takes/],
      ['curl http://a http://b', /two URLs/],
      ['curl -s', /no URL/],
      ['curl http://a -X', /-X needs a value/],
    ] as const)
      expect(() => readCurlCommand(line), line).to.throw(message);
  });
});
