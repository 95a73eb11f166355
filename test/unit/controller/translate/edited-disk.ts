import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import type { ParsedDocument } from '../../../../src/controller/parse/parsed-file.ts';
import type { Parser } from '../../../../src/controller/parse/parser.ts';
import type { Store } from '../../../../src/controller/store/store.ts';
import { emptyStore, nextStore } from '../../../../src/controller/store/store.ts';
import { resourceDocument } from '../../../support/resource-document.ts';
import { openTestParser } from '../parse/open-test-parser.ts';

const upstream = ['u', 'v', 'w'];
const named = ['m', 'n'];

/** Everything that a route may depend on, in few enough variants that they meet. */
const routeSpec = fc
  .record({
    upstreams: fc.subarray([
      '{ name: u }',
      '{ name: v }',
      '{ url: "http://127.0.0.1:1" }',
      '{ url: "http://127.0.0.1:2/" }',
    ]),
    middlewares: fc.subarray([
      '{ name: m }',
      '{ name: n }',
      '{ requestHeaders: { set: { x: a } } }',
      '{ requestHeaders: { set: { x: b } } }',
      '{ jwt: { issuers: [{ issuer: i, secret: { env: S } }] } }',
    ]),
    listeners: fc.constantFrom('', 'listeners: [http]', 'listeners: [extra]'),
    disabled: fc.constantFrom('', '', '', 'disabled: true'),
    timeouts: fc.constantFrom('', 'timeouts: { request: 5s }'),
    prefix: fc.constantFrom('/a', '/b'),
  })
  .map(
    ({ upstreams, middlewares, listeners, disabled, timeouts, prefix }) =>
      `matches: [{ path: { prefix: ${prefix} } }]
upstreams: [${(upstreams.length === 0 ? ['{ name: w }'] : upstreams).join(', ')}]
middlewares: [${middlewares.join(', ')}]
${listeners}
${disabled}
${timeouts}`,
  );

const specs: Readonly<Record<string, fc.Arbitrary<string>>> = {
  Gateway: fc.constantFrom(
    'listeners: [{ name: http, port: 8080 }]',
    'listeners: [{ name: http, port: 8080 }, { name: extra, port: 8081 }]',
    'listeners: [{ name: http, port: 8080 }]\nmiddlewares: [{ name: m }]',
    'listeners: [{ name: http, port: 8080 }]\nmiddlewares: [{ responseHeaders: { set: { x: a } } }]',
  ),
  Upstream: fc.constantFrom(
    'endpoints: [{ url: "http://127.0.0.1:3" }]',
    'endpoints: [{ url: "http://127.0.0.1:4" }]',
  ),
  Middleware: fc.constantFrom(
    'requestHeaders: { set: { y: a } }',
    'requestHeaders: { set: { y: b } }',
    'scope: Route\nrequestHeaders: { set: { y: a } }',
    'rateLimit: { requests: 1, per: 1s }',
    'jwt: { issuers: [{ issuer: i, secret: { env: S } }] }',
  ),
  Guard: fc.constantFrom(
    'routes: { pathPrefix: /a }\nrequire: { middleware: requestHeaders }',
    'routes: { pathPrefix: /b }\nrequire: { timeout: true }',
    'routes: {}\nrequire: { middleware: responseHeaders }',
  ),
  Route: routeSpec,
  RouteTest: fc
    .record({
      path: fc.constantFrom('/a', '/b/c', '/c', '/a;x'),
      expected: fc.constantFrom(
        'route: r0',
        'route: r1',
        'upstreams: [u]',
        'status: 503',
        'headers: { x: a }',
      ),
      more: fc.constantFrom(
        '',
        ', headers: { authorization: Bearer x }',
        ', claims: { iss: i, exp: 1 }',
        ', claims: { iss: i }',
      ),
    })
    .map(({ path, expected, more }) => `request: { url: "http://h${path}"${more} }\nexpect: { ${expected} }`),
};

const names: Readonly<Record<string, readonly string[]>> = {
  Gateway: ['g'],
  Upstream: upstream,
  Middleware: named,
  Guard: ['g'],
  RouteTest: ['t0', 't1', 't2'],
  Route: ['r0', 'r1', 'r2', 'r3', 'r4', 'r5'],
};

/** One resource becomes something else, or goes. */
const edit = fc
  .constantFrom('Gateway', 'Upstream', 'Middleware', 'Guard', 'RouteTest', 'Route', 'Route', 'Route')
  .chain((kind) =>
    fc.record({
      kind: fc.constant(kind),
      name: fc.constantFrom(...(names[kind] as readonly string[])),
      spec: fc.option(specs[kind] as fc.Arbitrary<string>, { nil: undefined, freq: 4 }),
    }),
  );

export const step = fc.record({
  edits: fc.array(edit, { minLength: 1, maxLength: 3 }),
  /** Documents above all others: every place moves. */
  comment: fc.boolean(),
  reversed: fc.integer({ max: 9, min: 0 }).map((number) => number === 0),
  secret: fc.constantFrom('1', '1', '1', '2', undefined),
  /** Which entries workers refuse, by their place in the list. */
  refused: fc.array(fc.nat(30), { maxLength: 2 }),
  isServed: fc.boolean(),
});

export type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Documents on a disk that is edited; the store that comes of them. */
export class Disk {
  readonly #documents = new Map<string, string>();
  readonly #parser: Parser = openTestParser();
  #store: Store<ParsedDocument> = emptyStore;

  edit({ edits, comment, reversed }: Step): Store<ParsedDocument> {
    for (const { kind, name, spec } of edits) {
      if (spec === undefined) this.#documents.delete(`${kind}/${name}`);
      else this.#documents.set(`${kind}/${name}`, resourceDocument(kind, name, spec));
    }
    const texts = [...this.#documents.values()];
    const text = `${comment ? '# a line more\n' : ''}${(reversed ? texts.reverse() : texts).join('---\n')}`;
    const { documents, problems, whole } = this.#parser.parseFile({
      path: 'a',
      bytes: () => Buffer.from(text),
    });
    this.#parser.sweep();
    const content = { state: 'read' as const, documents, problems, whole };
    this.#store = nextStore(this.#store, { files: [{ root: '.', path: 'a', content }], missing: [] });
    return this.#store;
  }
}

/** Where every sequence of edits begins. */
export const base: Step = {
  edits: [
    { kind: 'Gateway', name: 'g', spec: 'listeners: [{ name: http, port: 8080 }]' },
    ...upstream.map((name) => ({
      kind: 'Upstream' as const,
      name,
      spec: 'endpoints: [{ url: "http://127.0.0.1:3" }]',
    })),
  ],
  comment: false,
  reversed: false,
  secret: '1',
  refused: [],
  isServed: true,
};
