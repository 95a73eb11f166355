import { expect } from 'chai';
import { before, describe, it } from 'mocha';
import { cleanupAfterAll } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { findTool, skipAloud } from '../support/tool.ts';
import { startEventfulGateway } from './eventful-gateway.ts';
import { dashboardQuestions, readAlerts, readDashboard, runbookQuestions } from './expressions.ts';
import type { Question } from './expressions.ts';
import { startPrometheus } from './prometheus.ts';
import type { RunningPrometheus } from './prometheus.ts';
import { matches, readExpression, readScrape } from './selectors.ts';

/** What Prometheus adds to every series of a target. */
const targetLabels = ['namespace', 'job', 'instance'];
/** The first needs 20,000 label sets, and has tests of its own; the second is for the reader to replace. */
const absentValues = ['_other', 'NAMESPACE/NAME'];

const alerts = readAlerts();
const questions = dashboardQuestions(readDashboard());
const runbooks = runbookQuestions();
const expressions: readonly Question[] = [
  ...alerts.map(({ alert, expr }) => ({ name: alert, expr, labels: [] })),
  ...questions,
  ...runbooks,
];

describe('expressions of dashboard, rules and runbooks', function () {
  this.timeout(90_000);
  const cleanup = cleanupAfterAll();
  let gateway: RunningGateway;
  /** Agrees with the first about nothing, and is stopped in the end. */
  let second: RunningGateway;

  before(async () => {
    second = await startGateway(cleanup, { args: ['--workers', '1'] });
    gateway = await startEventfulGateway(cleanup);
  });

  it('select series, and group by labels, that a gateway exports', async () => {
    const check = (text: string): readonly string[] => {
      const samples = readScrape(text);
      return expressions.flatMap(({ name, expr }) => {
        const { selectors, grouping } = readExpression(expr);
        const own = selectors.filter(({ metric }) => metric !== 'up');
        const unknown = own
          .map(({ metric, matchers }) => ({
            metric,
            matchers: matchers.filter(
              ({ label, value }) => !targetLabels.includes(label) && !absentValues.includes(value),
            ),
          }))
          .filter((selector) => !samples.some((sample) => matches(sample, selector)))
          .map((selector) => `${name}: nothing matches ${JSON.stringify(selector)}`);
        const named = samples.filter(({ metric }) => own.some((selector) => selector.metric === metric));
        const labels = new Set([...targetLabels, ...named.flatMap((sample) => Object.keys(sample.labels))]);
        const used = [...grouping, ...own.flatMap(({ matchers }) => matchers.map(({ label }) => label))];
        const strange = used.filter((label) => !labels.has(label));
        return [...unknown, ...strange.map((label) => `${name}: no such label: ${label}`)];
      });
    };
    expect([alerts.length, questions.length, runbooks.length].every((length) => length > 15)).to.equal(true);
    await eventually(async () => expect(check(await gateway.metrics())).to.deep.equal([]), {
      withinMs: 30_000,
      everyMs: 500,
    });
    const typo = (await gateway.metrics()).replaceAll('mgateway_requests_total', 'mgateway_request_total');
    expect(check(typo)).to.include.members([
      'MgatewayErrors: nothing matches {"metric":"mgateway_requests_total","matchers":[]}',
      'MgatewayErrors: no such label: code',
    ]);
  });

  describe('asked of a real Prometheus', () => {
    let prometheus: RunningPrometheus;

    before(async function () {
      const program = findTool('prometheus');
      if (program === undefined) skipAloud(this, 'prometheus is not installed');
      const labels = { namespace: 'edge', job: 'gateways' };
      prometheus = await startPrometheus(cleanup, program, [
        { address: new URL(gateway.admin).host, labels: { ...labels, instance: 'eventful' } },
        { address: new URL(second.admin).host, labels: { ...labels, instance: 'second' } },
      ]);
    });

    it('give a value for every panel, variable and annotation, with the labels that it shows', async () => {
      const missing = async (): Promise<readonly string[]> => {
        const found: string[] = [];
        for (const { name, expr, labels } of questions) {
          const results = await prometheus.query(expr);
          // No worker dies here; that the expression is a good one is all that can be said.
          if (name === 'Worker replaced') continue;
          if (!results.some(({ value }) => !Number.isNaN(value))) found.push(`${name}: no value`);
          for (const label of labels) {
            const bare = results.some(({ metric }) => (metric[label] ?? '') === '');
            if (bare) found.push(`${name}: a value without ${label}`);
          }
        }
        return found;
      };
      const generation = `mgateway_config_generation{instance="eventful"} == ${await gateway.generation()}`;
      await eventually(async () => (await prometheus.query(generation)).length > 0);
      await gateway.reload(() => gateway.remove('good-too.yaml'));
      await eventually(async () => expect(await missing()).to.deep.equal([]), {
        withinMs: 30_000,
        everyMs: 1_000,
      });
    });

    it('are understood where a runbook tells to ask them', async () => {
      for (const { expr } of runbooks) await prometheus.query(expr);
    });

    it('raise the alerts whose reason is there, and no others', async () => {
      const raised = async (): Promise<readonly string[]> => {
        const names: string[] = [];
        for (const { alert, expr } of alerts)
          if ((await prometheus.query(expr)).length > 0) names.push(alert);
        return names;
      };
      // Replicas disagree while there are two.
      expect(await raised()).to.include('MgatewayReplicasDisagree');
      await second.stop();
      const reasons = [
        'MgatewayErrors',
        'MgatewayRouteErrors',
        'MgatewayRouteSlow',
        'MgatewayNoHealthyEndpoint',
        'MgatewayEndpointUnhealthy',
        'MgatewayConfigurationRefused',
        'MgatewayConfigurationFailed',
        'MgatewayDown',
      ];
      // How busy this machine is decides about one.
      const certain = async (): Promise<readonly string[]> =>
        (await raised()).filter((name) => name !== 'MgatewayWorkerBusy');
      await eventually(async () => expect(await certain()).to.deep.equal(reasons), {
        withinMs: 30_000,
        everyMs: 1_000,
      });
    });
  });
});
