import { expect } from 'chai';
import { describe, it } from 'mocha';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { projectRoot } from '../support/program.ts';
import { findTool, skipAloud } from '../support/tool.ts';
import { readAlerts, rulesFile } from './expressions.ts';

const directory = join(projectRoot, 'test', 'observability', 'rules');
const unitTests = readdirSync(directory).map((name) => join(directory, name));

interface UnitTests {
  readonly tests: readonly {
    readonly alert_rule_test: readonly {
      readonly alertname: string;
      readonly exp_alerts: readonly unknown[];
    }[];
  }[];
}

describe('alert rules', () => {
  const alerts = readAlerts();

  it('say how bad it is, and link to a page that says what it means, how to look and what to do', () => {
    for (const { alert, labels, annotations } of alerts) {
      expect(labels['severity'], alert).to.be.oneOf(['critical', 'warning']);
      expect(annotations['summary'], alert).to.match(/\.$/);
      expect(annotations['description'], alert).to.match(/\.$/);
      expect(annotations['runbook_url'], alert).to.equal(`docs/runbooks/${alert}.md`);
      const page = readFileSync(join(projectRoot, 'docs', 'runbooks', `${alert}.md`), 'utf8');
      expect(page.split('\n')[0]).to.equal(`# ${alert}`);
      const headings = [...page.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
      expect(headings, alert).to.deep.equal(['What it means', 'How to look', 'What to do']);
    }
    const pages = readdirSync(join(projectRoot, 'docs', 'runbooks')).filter((name) => name !== 'README.md');
    expect(pages.sort()).to.deep.equal(alerts.map(({ alert }) => `${alert}.md`).sort());
  });

  it('each have a unit test that sees it raised', () => {
    const raised = unitTests
      .map((path) => parse(readFileSync(path, 'utf8')) as UnitTests)
      .flatMap(({ tests }) => tests.flatMap((test) => test.alert_rule_test))
      .filter((test) => test.exp_alerts.length > 0)
      .map((test) => test.alertname);
    expect([...new Set(raised)].sort()).to.deep.equal(alerts.map(({ alert }) => alert).sort());
  });

  it('pass promtool check rules and promtool test rules', function () {
    const promtool = findTool('promtool');
    if (promtool === undefined) skipAloud(this, 'promtool is not installed');
    for (const args of [
      ['check', 'rules', rulesFile],
      ['test', 'rules', ...unitTests],
    ]) {
      const { status, stdout, stderr } = spawnSync(promtool, args, { encoding: 'utf8' });
      expect(status, stdout + stderr).to.equal(0);
    }
  });
});
