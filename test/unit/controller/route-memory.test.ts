import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { emptyStore, nextStore } from '../../../src/controller/store/store.ts';
import { createMemo } from '../../../src/controller/translate/draft.ts';
import { translate } from '../../../src/controller/translate/translate.ts';
import { findMiddleware } from '../../../src/middleware/registry.ts';
import { openTestParser } from './parse/open-test-parser.ts';

const routes = 4000;
/**
 * Seen: 1.2 KB, of which the text is 0.45. What a route says as JSON would be 0.7 more, its entries as JSON 1.1, the parts of its
 * set 0.3; so there is room for another V8, but not for any of them.
 */
const mostBytes = 1600;

describe('memory of a route', () => {
  it('is its text and little more: what it comes to rests outside of the heap', () => {
    const parser = openTestParser();
    const memo = createMemo();
    const read = (count: number): unknown => {
      const text = Array.from({ length: count }, (_, i) => routeDocument(i)).join('---\n');
      const { path, ...content } = parser.parseFile({ path: 'r.yaml', bytes: () => Buffer.from(text) });
      parser.sweep();
      const files = [{ root: '.', path, content: { state: 'read', ...content } as const }];
      const store = nextStore(emptyStore, { files, missing: [] });
      const input = { store, find: findMiddleware, last: undefined, defaultListener: true };
      const around = { keyState: () => ({ version: '1' }), moduleState: () => undefined };
      const translation = translate({ ...input, ...around, failed: new Map() }, memo);
      expect(translation.entries.size, 'routes, middlewares, Edge, Listener, Upstream').to.equal(
        3 * count + 3,
      );
      return [store, translation];
    };
    // Compiles what is used.
    const held = [read(routes), read(1)];
    const few = heapUsed();
    held.push(read(routes + 1));
    expect((heapUsed() - few) / routes, 'bytes of a route').to.be.below(mostBytes);
    expect(held).to.have.length(3);
  });
});

function routeDocument(i: number): string {
  return `apiVersion: mgateway.dev/v1alpha1
kind: Route
metadata:
  name: route-${i}
spec:
  hostnames: [tenant-${i}.example.com]
  matches:
    - path: { template: "/api/v1/resource-${i}/{id}" }
      methods: [GET, POST]
    - path: { prefix: /files/resource-${i} }
  middlewares:
    - requestHeaders: { set: { x-resource: "resource-${i}" } }
    - rewrite: { stripPrefix: /api/v1 }
  upstreams: [{ url: "http://127.0.0.1:1" }]
`;
}

function heapUsed(): number {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  gc();
  return process.memoryUsage().heapUsed;
}
