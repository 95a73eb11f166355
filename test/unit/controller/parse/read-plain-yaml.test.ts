import { readFileSync, readdirSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import { DocumentTree } from '../../../../src/controller/parse/document-tree.ts';
import { readPlainYaml } from '../../../../src/controller/parse/read-plain-yaml.ts';
import { readYaml } from '../../../../src/controller/parse/read-yaml.ts';
import { splitDocuments } from '../../../../src/controller/parse/split-documents.ts';

/** Says whether the text is in the subset; then it must mean what the `yaml` package reads, without a complaint. */
function isPlain(text: string): boolean {
  const plain = readPlainYaml(text);
  if (plain === undefined) return false;
  const reading = readYaml(text);
  if ('errors' in reading) throw new Error(`not YAML: ${JSON.stringify(reading.errors)}`);
  const tree = new DocumentTree(text, reading.document);
  expect(tree.findings).to.deep.equal([]);
  expect(plain.value).to.deep.equal(tree.value);
  expect(JSON.stringify(plain.value)).to.equal(JSON.stringify(tree.value));
  expect(plain.place).to.deep.equal(tree.locate([], 'value'));
  return true;
}

const route = `# what this is
apiVersion: mgateway.dev/v1alpha1
kind: Route # a comment
metadata:
  name: orders
  labels: { team: shop, "app.kubernetes.io/name": orders, empty: "", }

spec:
  hostnames: [shop.example.com, '*.example.com']
  matches:
  - path: { template: "/orders/{id}" }
    methods: [GET, POST]

    # another
  - path: {prefix: /files}
    headers:
      - { name: x-tier, exact: gold }
  upstreams:
    - name: a
      weight:   3
    - url: http://127.0.0.1:9000/a?b=c#d
  retry: {}
  nothing:
  tilde: ~
  size: -12
  on: true
`;

const scalars = [
  'a',
  'text with blanks',
  'true',
  'null',
  '~',
  '~x',
  '0',
  '007',
  '-0',
  '+1',
  '12',
  '1e3',
  '1.5',
  '.5',
  '0x1F',
  '0o17',
  '.inf',
  '-.INF',
  '.nan',
  '12345678901234567890',
  '999999999999999',
  '10.0.0.1/8',
  '30s',
  '1_000',
  '"quoted"',
  '"a \\" b"',
  "'single'",
  "'it''s'",
  '"a # b: {"',
  "it's",
  'a#b',
  'a # comment',
  'a: b',
  'a:b',
  'a:',
  '/x/{id}',
  '^/x$',
  '-x',
  '- x',
  '-',
  '?x',
  ':x',
  '*a',
  '&a b',
  '!!str 1',
  '|',
  '>-',
  '%x',
  '@x',
  '`x',
  'http://h:1/p',
  '[a, b]',
  '[a, b, ]',
  '[ ]',
  '[a,,b]',
  '[a b: c]',
  '[[a], {b: c}]',
  '{}',
  '{ a: 1, b: }',
  '{a: b, a: c}',
  '{a: "x", \'b\': [1]}',
  '{"a":1}',
  '{a}',
  '{a: x}y',
  '{a: b:c, d: e:}',
  '{a: [b}',
  '{a: #b}',
  '[a #b]',
  '{__proto__: 1}',
  '{constructor: 1}',
  'a\tb',
  'ü',
  '---',
  '...',
  '',
];
const keys = [
  'a',
  'b',
  'name',
  'x-y',
  'a.b/c',
  'true',
  'null',
  '_',
  'Z9',
  '1',
  '"q"',
  '<<',
  '__proto__',
  'a b',
];

/** Mostly what people write, now and then what they mistype. */
function mostly(usual: readonly string[], others: readonly string[]): fc.Arbitrary<string> {
  return fc.oneof(
    { arbitrary: fc.constantFrom(...usual), weight: 8 },
    { arbitrary: fc.constantFrom(...others), weight: 1 },
  );
}

const line = fc
  .record({
    indent: mostly(['', '', '  ', '    '], [' ', '   ', '      ']),
    dash: mostly(['', '', '', '- '], ['-  ', '- - ', '-']),
    key: mostly(
      keys.slice(0, 8).map((key) => `${key}:`),
      ['', 'a :', 'a:x', ...keys.slice(8).map((key) => `${key}:`)],
    ),
    blank: mostly([' '], ['  ', '']),
    scalar: mostly(['', '', 'a', '12', 'true', '"x"', '[a, b]', '{ a: b }'], scalars),
    tail: mostly([''], [' ', ' # c', '#c', ' #', ',']),
  })
  .map(({ indent, dash, key, blank, scalar, tail }) => `${indent}${dash}${key}${blank}${scalar}${tail}`);

describe('readPlainYaml', () => {
  it('reads what configuration is usually written in', () => {
    expect(isPlain(route)).to.equal(true);
    expect(isPlain(`---\n${route}`)).to.equal(true);
  });

  it('reads every document of the examples', () => {
    const examples = new URL('../../../../examples/', import.meta.url);
    const files = readdirSync(examples, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.yaml'),
    );
    expect(files).to.have.length.greaterThan(3);
    for (const file of files) {
      for (const { bytes } of splitDocuments(readFileSync(new URL(file, examples))))
        expect(isPlain(bytes.toString()), file).to.equal(true);
    }
  });

  it('leaves to yaml what is beyond the subset, and never reads anything otherwise than yaml', () => {
    let plain = 0;
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 6 }), (lines) => {
        if (isPlain(lines.join('\n'))) plain++;
      }),
      { numRuns: 10_000 },
    );
    // The property would hold for a reader that reads nothing.
    expect(plain).to.be.greaterThan(500);
  });

  it('reads each value alone as yaml does, in a block and in a flow', () => {
    for (const scalar of scalars) {
      for (const text of [
        `a: ${scalar}`,
        `a:\n  ${scalar}`,
        `- ${scalar}`,
        `a: [${scalar}]`,
        `a: { b: ${scalar} , c: d }`,
        `a: ${scalar}\nb: c`,
        `a: ${scalar}\n  b`,
        `a: ${scalar}\n  b: c`,
      ])
        isPlain(text);
    }
  });

  it('agrees with yaml about a document that was edited carelessly', () => {
    let plain = 0;
    const edit = fc.record({
      at: fc.nat({ max: route.length }),
      remove: fc.nat({ max: 4 }),
      insert: fc.constantFrom(
        '',
        ' ',
        '\n',
        '  ',
        '\n  ',
        ':',
        ': ',
        '-',
        '- ',
        '#',
        ' #',
        '"',
        "'",
        '[',
        '{',
        ']',
        '}',
        ',',
        'a',
        '\t',
        '|',
        '&a ',
        '*a',
        '?',
        '%',
        '0',
      ),
    });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
        const text = edits.reduce(
          (before, { at, remove, insert }) => before.slice(0, at) + insert + before.slice(at + remove),
          route,
        );
        if (isPlain(text)) plain++;
      }),
      { numRuns: 3000 },
    );
    expect(plain).to.be.greaterThan(300);
  });
});
