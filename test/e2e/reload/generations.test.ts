import { expect } from 'chai';
import type { ReloadState } from '../../../src/snapshot/messages.ts';
import { cleanupAfterEach } from '../../support/cleanup.ts';
import { routeDocument, startGateway } from '../../support/gateway.ts';
import { request } from '../../support/request.ts';
import { startUpstream } from '../../support/upstream.ts';

interface Generations {
  readonly generations: readonly { readonly generation: number; readonly state?: ReloadState }[];
}

describe('/api/v1/generations', () => {
  const cleanup = cleanupAfterEach();

  it('tells of each reload which state it kept, scaled and dropped', async () => {
    const upstream = await startUpstream(cleanup, 'here');
    const limits = (perName: Readonly<Record<string, number>>): string =>
      Object.entries(perName)
        .map(([name, requests]) =>
          routeDocument(
            name,
            `matches: [{ path: { prefix: /${name} } }]\nmiddlewares: [{ rateLimit: { requests: ${requests}, per: 1m } }]\nupstreams: [{ url: "${upstream.url}" }]`,
          ),
        )
        .join('---\n');
    const gateway = await startGateway(cleanup, { files: { 'r.yaml': limits({ a: 10, b: 10, c: 10 }) } });
    await gateway.reload(() => gateway.write('r.yaml', limits({ a: 10, b: 20 })));
    const { generations } = (await request(`${gateway.admin}/api/v1/generations`)).json() as Generations;
    expect(generations.map(({ state }) => state?.limiters)).to.deep.equal([
      { kept: 0, scaled: 0, dropped: 0 },
      { kept: 1, scaled: 1, dropped: 1 },
    ]);
    expect(generations.at(-1)?.state?.endpoints).to.deep.equal({ kept: 1, scaled: 0, dropped: 0 });
    await gateway.stop();
  });
});
