import { expect } from 'chai';
import { loadText } from '../../support/load-text.ts';
import { resourceDocument } from '../../support/resource-document.ts';

const upstreams = 'upstreams: [{ name: u }]';
const upstream = resourceDocument('Upstream', 'u', 'endpoints: [{ url: "http://127.0.0.1:1" }]');

async function warningsOf(files: Readonly<Record<string, readonly string[]>>): Promise<readonly string[]> {
  const texts = Object.entries(files).map(([name, documents]) => [name, documents.join('---\n')] as const);
  const { warnings } = await loadText(Object.fromEntries(texts));
  return warnings.map(({ at, message, hint }) => `${at} ${message}${hint === undefined ? '' : ` | ${hint}`}`);
}

describe('warnings', () => {
  it('name middlewares and upstreams that nothing uses, and who seems to mean them from elsewhere', async () => {
    const set = 'requestHeaders: { set: { x: "1" } }';
    const elsewhere = (text: string): string =>
      text.replace('metadata: { name:', 'metadata: { namespace: other, name:');
    expect(
      await warningsOf({
        'a.yaml': [
          upstream,
          resourceDocument('Middleware', 'wide', set),
          resourceDocument('Middleware', 'unused', set),
          resourceDocument('Middleware', 'foreign', set),
          resourceDocument('Upstream', 'idle', 'endpoints: [{ url: "http://127.0.0.1:1" }]'),
        ],
        'b.yaml': [
          resourceDocument(
            'Gateway',
            'g',
            'listeners: [{ name: http, port: 8080 }]\nmiddlewares: [{ name: wide }]',
          ),
          resourceDocument('Route', 'off', `disabled: true\n${upstreams}`),
          elsewhere(
            resourceDocument(
              'Route',
              'r',
              'middlewares: [{ name: foreign }]\nupstreams: [{ url: "http://127.0.0.1:1" }]',
            ),
          ),
        ],
      }),
    ).to.deep.equal([
      'a.yaml:13:1 Middleware default/unused is used by no Route and no Gateway',
      'a.yaml:19:1 Middleware default/foreign is used by no Route and no Gateway | Route other/r (b.yaml:19:17) names one in its own namespace other: put this Middleware there',
      'a.yaml:25:1 Upstream default/idle is used by no Route',
    ]);
  });

  it('name matches that can never be reached or never hold, with both places', async () => {
    expect(
      await warningsOf({
        'a.yaml': [
          upstream,
          resourceDocument(
            'Route',
            'all',
            `priority: 1\nmatches: [{ path: { prefix: /api } }]\n${upstreams}`,
          ),
        ],
        'b.yaml': [
          resourceDocument(
            'Route',
            'host',
            `hostnames: [a.test]\nmatches: [{ path: { exact: /api/x } }]\n${upstreams}`,
          ),
          resourceDocument(
            'Route',
            'torn',
            `matches: [{ headers: [{ name: x, exact: a }, { name: X, prefix: b }] }]\n${upstreams}`,
          ),
        ],
      }),
    ).to.deep.equal([
      'b.yaml:13:24 can never match: what is asked of header x contradicts itself | conditions of one match must all hold; write alternatives as further matches',
      'b.yaml:6:13 can never be reached for a.test: Route default/all (a.yaml:12:13) takes every request before | set spec.priority, or a condition in which they differ',
    ]);
  });
});
