import { Buffer } from 'node:buffer';
import { expect } from 'chai';
import fc from 'fast-check';
import type { ParsedDocument } from '../../../../src/controller/parse/parsed-file.ts';
import type { Parser } from '../../../../src/controller/parse/parser.ts';
import type { Store } from '../../../../src/controller/store/store.ts';
import { emptyStore, nextStore } from '../../../../src/controller/store/store.ts';
import { createMemo } from '../../../../src/controller/translate/draft.ts';
import type { TranslateInput } from '../../../../src/controller/translate/draft.ts';
import { translate } from '../../../../src/controller/translate/translate.ts';
import type { FailedEntry, Translation } from '../../../../src/controller/translate/translation.ts';
import { findMiddleware } from '../../../../src/middleware/registry.ts';
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
};

const names: Readonly<Record<string, readonly string[]>> = {
  Gateway: ['g'],
  Upstream: upstream,
  Middleware: named,
  Guard: ['g'],
  Route: ['r0', 'r1', 'r2', 'r3', 'r4', 'r5'],
};

/** One resource becomes something else, or goes. */
const edit = fc
  .constantFrom('Gateway', 'Upstream', 'Middleware', 'Guard', 'Route', 'Route', 'Route')
  .chain((kind) =>
    fc.record({
      kind: fc.constant(kind),
      name: fc.constantFrom(...(names[kind] as readonly string[])),
      spec: fc.option(specs[kind] as fc.Arbitrary<string>, { nil: undefined, freq: 4 }),
    }),
  );

const step = fc.record({
  edits: fc.array(edit, { minLength: 1, maxLength: 3 }),
  /** Documents above all others: every place moves. */
  comment: fc.boolean(),
  reversed: fc.integer({ max: 9, min: 0 }).map((number) => number === 0),
  secret: fc.constantFrom('1', '1', '1', '2', undefined),
  /** Which entries workers refuse, by their place in the list. */
  refused: fc.array(fc.nat(30), { maxLength: 2 }),
  isServed: fc.boolean(),
});

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Documents on a disk that is edited; the store that comes of them. */
class Disk {
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

/** All of it, in an order that is nobody's. */
function plain({ entries, outcomes, routes, listeners }: Translation): unknown {
  const sorted = (map: ReadonlyMap<string, unknown>): unknown =>
    [...map].sort(([a], [b]) => (a < b ? -1 : 1));
  // Outcomes are told to people: their order counts.
  return {
    entries: sorted(entries),
    outcomes: [...outcomes],
    routes: sorted(routes),
    listeners: sorted(listeners),
  };
}

describe('translate, standing on what it made before', () => {
  const base: Step = {
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

  it('comes to what a translation of everything comes to, whatever was edited, refused and served before', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
        const disk = new Disk();
        const memo = createMemo();
        let last: Translation | undefined;
        let failed: ReadonlyMap<string, FailedEntry> = new Map();
        for (const each of [base, ...steps]) {
          const { secret } = each;
          const input: TranslateInput = {
            store: disk.edit(each),
            find: findMiddleware,
            keyState: () => (secret === undefined ? { error: 'S is not set' } : { version: secret }),
            moduleState: () => undefined,
            last,
            defaultListener: false,
            failed,
          };
          const translation = translate(input, memo);
          expect(plain(translation)).to.deep.equal(plain(translate(input, createMemo())));
          if (each.isServed) last = translation;
          const entries = [...translation.entries.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
          const refused = each.refused.flatMap((index) => entries[index] ?? []);
          failed = new Map(
            refused.map(({ key, hash }) => [key, { hash, code: 'Invalid', message: 'refused' }]),
          );
        }
      }),
      { numRuns: 80 },
    );
  });

  it('leaves what it made before as it was', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 2, maxLength: 6 }), (steps) => {
        const disk = new Disk();
        const memo = createMemo();
        const made: { readonly translation: Translation; readonly then: unknown }[] = [];
        for (const each of [base, ...steps]) {
          const input = {
            store: disk.edit(each),
            find: findMiddleware,
            failed: new Map<string, FailedEntry>(),
          };
          const around = { keyState: () => ({ version: '1' }), moduleState: () => undefined };
          const translation = translate(
            { ...input, ...around, last: undefined, defaultListener: true },
            memo,
          );
          made.push({ translation, then: plain(translation) });
        }
        for (const { translation, then } of made) expect(plain(translation)).to.deep.equal(then);
      }),
      { numRuns: 30 },
    );
  });
});
