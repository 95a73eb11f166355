import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import fc from 'fast-check';
import type { RouteResource } from '../../../../src/resources/generated.ts';
import { openTestParser, parseText, printProblems } from './open-test-parser.ts';

const examples = readFileSync(new URL('fixtures/resources.yaml', import.meta.url), 'utf8');
const route = (name: string, more = ''): string =>
  `apiVersion: mgateway.dev/v1alpha1\nkind: Route\nmetadata: { name: ${name} }\nspec:\n  upstreams: [{ name: u }]\n${more}`;

describe('createParser', () => {
  it('accepts what the documentation of resources shows', () => {
    const file = parseText(openTestParser(), examples);
    expect(printProblems(file)).to.deep.equal([]);
    expect(file.documents.map(({ key }) => key)).to.deep.equal([
      'Route/default/hello',
      'Route/default/users',
      'Upstream/default/users-v1',
      'Middleware/default/api-auth',
      'Gateway/default/default',
      'Middleware/default/own',
    ]);
  });

  it('fills in every default', () => {
    const [document] = parseText(openTestParser(), route('a')).documents;
    expect(document?.resource).to.deep.equal({
      apiVersion: 'mgateway.dev/v1alpha1',
      kind: 'Route',
      metadata: { name: 'a', namespace: 'default' },
      spec: {
        priority: 0,
        disabled: false,
        hostnames: [],
        matches: [],
        middlewares: [],
        upstreams: [{ name: 'u', weight: 1 }],
        hostHeader: 'Preserve',
        timeouts: { request: '0', attempt: '0', idle: '60s', webSocket: '1h' },
        drain: '30s',
      },
    });
  });

  it('takes one part of a rate limit key for a list of one', () => {
    const text = route(
      'a',
      '  middlewares: [{ rateLimit: { requests: 1, per: 1s, key: { claim: sub } } }]\n',
    );
    const { spec } = parseText(openTestParser(), text).documents[0]?.resource as RouteResource;
    expect(spec.middlewares[0]?.rateLimit?.key).to.deep.equal([{ claim: 'sub' }]);
  });

  it('ignores a status that stands in the input', () => {
    const [document] = parseText(openTestParser(), route('a') + 'status: { conditions: [] }\n').documents;
    expect(document?.problems).to.deep.equal([]);
    expect(document?.resource).not.to.have.property('status');
  });

  it('reads the same from any line end, byte order mark, directive, List and JSON', () => {
    const parser = openTestParser();
    const resource = parseText(parser, route('a')).documents[0]?.resource;
    const indented = route('a').trimEnd().replaceAll('\n', '\n  ');
    for (const text of [
      route('a').replaceAll('\n', '\r\n'),
      route('a').replaceAll('\n', '\r'),
      `\ufeff${route('a')}`,
      `# first\n\n%YAML 1.2\n---\n${route('a')}...\n# last\n`,
      `apiVersion: v1\nkind: List\nmetadata: {}\nitems:\n- ${indented}\n`,
      JSON.stringify(resource, undefined, '\t'),
    ]) {
      const file = parseText(parser, text);
      expect(printProblems(file), text).to.deep.equal([]);
      expect(
        file.documents.map((document) => document.resource),
        text,
      ).to.deep.equal([resource]);
    }
  });

  it('says who a document is although it is refused', () => {
    const [document] = parseText(openTestParser(), route('a', '  nonsense: 1\n')).documents;
    expect(document).to.include({ key: 'Route/default/a', resource: undefined });
  });

  it('finds the place of a field, of the nearest one around it, and through anchors, single items and Lists', () => {
    const text =
      '\n---\n' +
      route(
        'a',
        '  hostnames: &h [a, b]\n  middlewares: [{ rateLimit: { requests: 1, per: 1s, key: { claim: sub } } }]\n',
      ) +
      '---\n' +
      'apiVersion: v1\nkind: List\nitems:\n- apiVersion: mgateway.dev/v1alpha1\n  kind: Upstream\n' +
      '  metadata: { name: u }\n  spec: { endpoints: [{ url: &u "http://a" }, { url: *u }] }\n';
    const [first, second] = parseText(openTestParser(), text).documents;
    expect(first?.at).to.equal('f.yaml:3:1');
    expect(first?.locate('spec.hostnames[1]')).to.equal('f.yaml:8:21');
    expect(first?.locate('spec.matches[3].path')).to.equal('f.yaml:6:1');
    expect(first?.locate('spec.middlewares[0].rateLimit.key[0].claim')).to.equal('f.yaml:9:68');
    expect(second?.at).to.equal('f.yaml:14:3');
    expect(second?.locate('spec.endpoints[1].url')).to.equal('f.yaml:17:54');
  });

  it('does not parse again what it knows, wherever it has moved, until it is swept', () => {
    const parser = openTestParser();
    const known = parseText(parser, route('a')).documents[0];
    const text = `# a comment\n---\n${route('b')}---\n${route('a')}# another\n`;
    parser.sweep();
    const moved = parseText(parser, text).documents[1];
    expect(moved?.at).to.equal('f.yaml:9:1');
    expect(moved?.hash).not.to.equal('');
    const again = parseText(parser, text).documents[1];
    expect(again).to.equal(moved);
    // Without the marker before it the text is another one: its own parse.
    expect(known?.resource).to.deep.equal(moved?.resource);
    parser.sweep();
    parser.sweep();
    expect(parseText(parser, text).documents[1]).not.to.equal(moved);
  });

  it('reads documents in one file as it reads each alone', () => {
    const parser = openTestParser();
    const body = fc.constantFrom(
      route('a'),
      route('b', '  # ---\n  drain: 1s\n'),
      route('c', '  hostnames:\n  - "x"\n'),
      route('d', '  nonsense: |\n    ---x\n    --- y\n'),
      '# nothing\n',
      '\n',
    );
    const separator = fc.constantFrom(
      '---\n',
      '--- # next\n',
      '...\n---\n',
      '...\n# between\n---\n',
      '\n---\n\n',
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(separator, body), { maxLength: 8 }), (parts) => {
        const joined = parseText(parser, parts.map(([mark, text]) => mark + text).join(''));
        const alone = parts.map(([, text]) => parseText(parser, text));
        expect(joined.whole).to.equal(true);
        expect(joined.documents.map(({ resource }) => resource)).to.deep.equal(
          alone.flatMap(({ documents }) => documents.map(({ resource }) => resource)),
        );
      }),
    );
  });

  const check = (text: string | Buffer): void => {
    const file = parseText(openTestParserOnce(), text);
    for (const { resource, problems, at } of file.documents) {
      expect(resource === undefined).to.equal(problems.length > 0);
      expect(at).to.match(/^f\.yaml:\d+:\d+$/);
      for (const problem of problems) expect(problem.at).to.match(/^f\.yaml:\d+:\d+$/);
    }
    for (const problem of file.problems) expect(problem.at).to.match(/^f\.yaml(:\d+:\d+)?$/);
    expect(file.whole).to.equal(file.problems.length === 0);
  };
  const parser = openTestParser();
  const openTestParserOnce = (): typeof parser => parser;

  it('gives a resource or a problem with a place for any bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => check(Buffer.from(bytes))));
    const yamlish = fc.constantFrom(
      ...[
        '---',
        '\n',
        '  ',
        '- ',
        ': ',
        '? ',
        '*a',
        '&a ',
        '!x ',
        '{',
        '}',
        '[',
        ']',
        '"',
        "'",
        '|\n',
        '>-\n',
        '#',
        '%YAML 1.2\n',
        '\t',
        '<<',
        'kind',
        'Route',
        'List',
        'items',
        '...\n',
        ',',
        'é',
        '1e400',
      ],
    );
    fc.assert(
      fc.property(fc.array(yamlish, { maxLength: 40 }), (words) => check(words.join(''))),
      { numRuns: 500 },
    );
  });

  it('gives a resource or a problem with a place for any value anywhere', () => {
    const [, users = ''] = examples.split('\n---\n');
    const document = parseText(parser, users).documents[0]?.resource;
    const leaves = pathsOf(document);
    fc.assert(
      fc.property(fc.constantFrom(...leaves), fc.jsonValue({ maxDepth: 3 }), (path, value) => {
        const changed = JSON.parse(JSON.stringify(document)) as Record<string, unknown>;
        let target = changed;
        for (const part of path.slice(0, -1)) target = target[part] as Record<string, unknown>;
        target[path.at(-1) as string] = value;
        const file = parseText(parser, JSON.stringify(changed, undefined, 1));
        expect(file.documents).to.have.length(1);
        check(JSON.stringify(changed, undefined, 1));
      }),
      { numRuns: 300 },
    );
    expect(({} as Record<string, unknown>)['polluted']).to.equal(undefined);
  });

  it('keeps 10,000 documents of 5 MB in little memory', function () {
    this.timeout(60_000);
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const bytes = Buffer.from(
      Array.from({ length: 10_000 }, (_, i) =>
        route(
          `r${i}`,
          `  hostnames: [h${i}.example.com]\n  matches: [{ path: { prefix: /p${i} }, methods: [GET] }]\n  middlewares: [{ name: auth }]\n  # ${'x'.repeat(330)}\n`,
        ),
      ).join('---\n'),
    );
    expect(bytes.length).to.be.above(4.5e6);
    const big = openTestParser();
    collect();
    const before = process.memoryUsage().heapUsed;
    parseText(big, bytes);
    big.sweep();
    const file = parseText(big, bytes);
    big.sweep();
    collect();
    const grown = process.memoryUsage().heapUsed - before;
    expect(file.documents.filter(({ resource }) => resource !== undefined)).to.have.length(10_000);
    // The texts (5 MB), the resources, a wrapper each; trees would be hundreds of megabytes.
    expect(grown / 2 ** 20).to.be.below(50);
  });
});

/** Every path to a value inside `value`. */
function pathsOf(value: unknown): string[][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => [
    [key],
    ...pathsOf(child).map((rest) => [key, ...rest]),
  ]);
}
