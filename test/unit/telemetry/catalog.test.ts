import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import type { MetricDefinition } from '../../../src/telemetry/catalog.ts';
import { catalog, metricPrefix } from '../../../src/telemetry/catalog.ts';
import { durationBuckets } from '../../../src/telemetry/duration-buckets.ts';
import { createMetrics } from '../../../src/telemetry/metrics.ts';

const docs = readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8');
const metrics: [name: string, definition: MetricDefinition][] = Object.entries(catalog);

describe('catalog', () => {
  it('names the same metrics, types and labels as docs/metrics.md', () => {
    const documented = [...docs.matchAll(/^\| `(\w+)` \| (\w+) \| (.*?) \| .+ \|$/gm)].map(
      ([, name, type, labels]) => {
        return [name, type, [...(labels ?? '').matchAll(/`(\w+)`/g)].map(([, label]) => label)];
      },
    );
    const exported = metrics.map(([name, { type, labels }]) => [name, type, [...labels]]);
    expect(documented).to.have.deep.members(exported);
    expect(docs).to.include(`in seconds: ${durationBuckets.join(', ')}.`);
  });

  it('names exactly what is rendered, once each, with its type and help', async () => {
    const main = createMetrics({ version: '1.2.3', processMetrics: false });
    const text = Buffer.concat([...(await main.render())]).toString();
    const rendered = [...text.matchAll(/^# HELP (\S+) (.+)\n# TYPE (\S+) (\w+)$/gm)].map(
      ([, ...parts]) => parts,
    );
    const expected = metrics.map(([name, { type, help }]) => [
      metricPrefix + name,
      help,
      metricPrefix + name,
      type,
    ]);
    expect(rendered).to.have.deep.members(expected);
  });

  it('follows the naming rules of Prometheus', () => {
    for (const [name, { type, labels }] of metrics) {
      expect(name.endsWith('_total'), name).to.equal(type === 'counter');
      if (type === 'histogram') expect(name).to.match(/_(seconds|bytes)$/);
      for (const label of labels) expect(label, name).to.match(/^[a-z]+(_[a-z]+)*$/);
    }
  });
});
