import { expect } from 'chai';
import { createMetrics } from '../../../src/telemetry/metrics.ts';

describe('createShadowMetrics', () => {
  it('adds what is told, shows losses from the start, and lets the series of a route go with it', async () => {
    const metrics = createMetrics({ version: '1', processMetrics: false });
    const series = async (): Promise<readonly string[]> =>
      Buffer.concat([...(await metrics.render())])
        .toString()
        .split('\n')
        .filter((line) => line.startsWith('mgateway_shadow_'))
        .map((line) => line.slice('mgateway_shadow_'.length));
    expect(await series()).to.deep.equal([]);
    const nothing = { requests: [], changes: [], dropped: [], gone: [] };
    metrics.shadowCounted(nothing);
    const zeros = ['behind', 'candidate', 'generation', 'failed'].map(
      (reason) => `dropped_total{reason="${reason}"} 0`,
    );
    expect(await series()).to.deep.equal(zeros);
    const counted = {
      ...nothing,
      requests: [{ route: 'a', result: 'changed', count: 2 }],
      changes: [{ route: 'a', change: 'url', count: 2 }],
    } as const;
    metrics.shadowCounted(counted);
    metrics.shadowCounted({ ...counted, dropped: [{ reason: 'behind', count: 5 }] });
    expect(await series()).to.deep.equal([
      'requests_total{route="a",result="changed"} 4',
      'changes_total{route="a",change="url"} 4',
      'dropped_total{reason="behind"} 5',
      ...zeros.slice(1),
    ]);
    metrics.shadowCounted({ ...nothing, gone: ['a', 'never seen'] });
    expect(await series()).to.have.length(4);
  });
});
