import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Buffer } from 'node:buffer';
import { expect } from 'chai';
import { parseHost } from '../../../src/routing/host.ts';
import { buildTable } from '../../../src/routing/table.ts';
import { parseTarget } from '../../../src/routing/target.ts';
import { prefix, request, route } from './routes.ts';
import { readingsBelow } from './server-views.ts';

interface Case {
  readonly id: string;
  readonly name: string;
  readonly kind: 'path' | 'host' | 'pass' | 'override';
  readonly expect: 'deny' | 'pass' | 'either' | 'info';
  readonly raw_base64: string;
}

const corpus = join(import.meta.dirname, '../../../../shared/corpus/path/corpus.dev.jsonl');

describe('parseTarget and RoutingTable over the path corpus', () => {
  const guarded = { middlewares: ['Middleware/default/jwt'] };
  const table = buildTable(
    [
      route('admin', [prefix('/admin')], guarded),
      route('admin-host', [{}], { ...guarded, hostnames: ['admin.test'] }),
      route('public', [prefix('/')]),
    ],
    ({ name }) => name,
  );

  /** The path forwarded without a token, or undefined. The codec's part is done in passing: one Host, absolute-form equal to it. */
  function served(raw: string): string | undefined {
    const line = /^(\S+) (\S+) HTTP\/1\.[01]\r\n/.exec(raw);
    const hosts = [...raw.matchAll(/\r\nhost:[ \t]*(.*?)[ \t]*(?=\r\n)/gi)].map(
      (found) => found[1] as string,
    );
    const absolute = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)(.*)$/i.exec(line?.[2] ?? '');
    if (!line || hosts.length !== 1 || (absolute && absolute[1] !== hosts[0])) return undefined;
    const sent = absolute ? (absolute[2] as string) : (line[2] as string);
    const target = parseTarget(absolute && !sent.startsWith('/') ? `/${sent}` : sent);
    const host = parseHost(hosts[0] as string);
    if (target.rejected !== undefined || host === undefined) return undefined;
    const result = table.match({
      ...request('/'),
      host,
      path: target.path,
      query: target.query,
      method: line[1] as string,
    });
    return result.kind === 'matched' && result.target === 'default/public' ? target.path : undefined;
  }

  it('lets nothing through that any server would read as a guarded path, and serves what is public', function () {
    if (!existsSync(corpus)) {
      console.warn(`      skipped: no corpus at ../shared/corpus/path`);
      this.skip();
    }
    const cases = readFileSync(corpus, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Case);
    expect(cases.length).to.be.above(400);
    for (const { name, kind, expect: wanted, raw_base64: raw } of cases) {
      const path = served(Buffer.from(raw, 'base64').toString('latin1'));
      if (wanted === 'pass') expect(path, `public path refused: ${name}`).to.not.equal(undefined);
      if (kind === 'path' && path !== undefined)
        expect(readingsBelow(path, '/admin'), `${name} → ${path}`).to.deep.equal([]);
    }
  });
});
