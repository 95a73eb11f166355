import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Cleanup } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { routeDocument, startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { request } from '../support/request.ts';
import { resourceDocument } from '../support/resource-document.ts';
import { tempDir } from '../support/temp-dir.ts';
import { startUpstream } from '../support/upstream.ts';

const slowMs = 3_000;

/**
 * A gateway to which happens what dashboards and alerts speak of: good, failing and slow routes, retries, an endpoint
 * that is not healthy, a limit that is passed, a refused document, a listener whose port is taken, and a shadow
 * configuration that was broken at first and would change something. Its traffic goes on until the end.
 */
export async function startEventfulGateway(cleanup: Cleanup): Promise<RunningGateway> {
  const upstream = await startUpstream(cleanup, (incoming, response) => {
    incoming.resume();
    const path = incoming.url ?? '';
    if (path.startsWith('/broken') || path.startsWith('/sick')) response.statusCode = 503;
    if (!path.startsWith('/slow')) return void response.end('done');
    const timer = setTimeout(() => response.end('at last'), slowMs);
    response.once('close', () => clearTimeout(timer));
  });
  const dead = `http://127.0.0.1:${await freePort()}`;
  const route = (name: string, spec: string): string =>
    routeDocument(name, `matches: [{ path: { prefix: /${name} } }]\n${spec}`);
  const inline = `upstreams: [{ url: "${upstream.url}" }]`;
  const shadow = tempDir(cleanup);
  writeFileSync(join(shadow, 'resources.yaml'), route('good', 'upstream: 7'));
  const gateway = await startGateway(cleanup, {
    args: ['--workers', '1', '--shadow', shadow],
    files: {
      'resources.yaml': [
        route('good', inline),
        route('broken', inline),
        route('slow', inline),
        route('limited', `middlewares: [{ rateLimit: { requests: 1, per: 24h } }]\n${inline}`),
        route('half', 'upstreams: [{ name: half }]'),
        resourceDocument('Upstream', 'half', `endpoints: [{ url: "${upstream.url}" }, { url: "${dead}" }]`),
        route('dead', `upstreams: [{ url: "${dead}" }]`),
        route('sick', 'upstreams: [{ name: sick }]'),
        resourceDocument(
          'Upstream',
          'sick',
          `endpoints: [{ url: "${upstream.url}" }]\nhealthCheck: { path: /sick, interval: 1s, healthy: 1, unhealthy: 1 }`,
        ),
      ].join('---\n'),
    },
  });
  await gateway.reload(() => gateway.write('good-too.yaml', route('good-too', inline)));
  gateway.write('refused.yaml', route('refused', `upstream: 7`));
  const taken = await takePort(cleanup);
  gateway.write(
    'taken.yaml',
    resourceDocument('Gateway', 'second', `listeners: [{ name: taken, port: ${taken}, address: 127.0.0.1 }]`),
  );
  const paths = ['good', 'broken', 'slow', 'limited', 'half', 'dead', 'sick', 'nowhere'];
  keepAsking(
    cleanup,
    paths.map((path) => `${gateway.url}/${path}`),
  );
  await eventually(async () => (await gateway.metric('mgateway_config_last_reload_successful')) === 0);
  const dropped = 'mgateway_shadow_dropped_total{reason="candidate"}';
  await eventually(async () => (await gateway.metric(dropped)) > 0);
  writeFileSync(join(shadow, 'resources.yaml'), route('good', `upstreams: [{ url: "${dead}" }]`));
  return gateway;
}

/** A port where somebody else listens. */
async function takePort(cleanup: Cleanup): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanup.add(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** Ten requests a second to each, until the end. */
function keepAsking(cleanup: Cleanup, urls: readonly string[]): void {
  const ended = new AbortController();
  const asked = new Set<Promise<unknown>>();
  const run = (async () => {
    while (!ended.signal.aborted) {
      for (const url of urls) {
        const answer: Promise<unknown> = request(url)
          .catch(() => undefined)
          .finally(() => asked.delete(answer));
        asked.add(answer);
      }
      await wait(100);
    }
  })();
  cleanup.add(async () => {
    ended.abort();
    await run;
    await Promise.all(asked);
  });
}
