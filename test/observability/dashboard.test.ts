import { expect } from 'chai';
import { describe, it } from 'mocha';
import { spawnSync } from 'node:child_process';
import { projectRoot } from '../support/program.ts';
import { readDashboard } from './expressions.ts';
import { readExpression } from './selectors.ts';

describe('dashboard', () => {
  const { uid, schemaVersion, panels, templating } = readDashboard();

  it('follows from its definition', () => {
    const { status, stderr } = spawnSync(process.execPath, ['scripts/dashboard.mjs', '--check'], {
      cwd: projectRoot,
      encoding: 'utf8',
    });
    expect(status, stderr).to.equal(0);
  });

  it('has panels of today, each with an id of its own and a place that no other takes', () => {
    expect(uid).to.equal('mgateway');
    expect(schemaVersion).to.be.at.least(39);
    expect(new Set(panels.map(({ id }) => id)).size).to.equal(panels.length);
    const taken = new Set<string>();
    for (const { title, type, gridPos } of panels) {
      expect(type, title).to.be.oneOf(['row', 'stat', 'timeseries', 'heatmap', 'table']);
      expect(gridPos.x + gridPos.w, title).to.be.at.most(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.has(`${x}:${y}`), `${title} lies over another panel`).to.equal(false);
          taken.add(`${x}:${y}`);
        }
      }
    }
  });

  it('lets choose the data source, gateways, routes and upstreams', () => {
    const names = templating.list.map(({ name }) => name);
    expect(names).to.deep.equal(['datasource', 'namespace', 'job', 'instance', 'route', 'upstream']);
  });

  it('says of every panel what it shows, in which unit, and asks only the gateways chosen, over a window that fits the scrapes', () => {
    const asked = panels.filter(({ type }) => type !== 'row');
    expect(asked).to.have.length.above(30);
    for (const { title, type, description, datasource, fieldConfig, options, targets = [] } of asked) {
      expect(title).not.to.equal('');
      expect(description, title).to.match(/\.$/);
      expect(datasource?.uid, title).to.equal('${datasource}');
      const unit = fieldConfig?.defaults.unit ?? options?.yAxis?.unit;
      if (type !== 'table') expect(unit, title).to.be.a('string');
      for (const { expr } of targets) {
        for (const [, window] of expr.matchAll(/\[([^\]]*)\]/g)) {
          expect(window, title).to.equal('$__rate_interval');
        }
        const chosen = readExpression(expr).selectors.filter(
          ({ metric }) => metric !== 'mgateway_build_info',
        );
        for (const { metric, matchers } of chosen) {
          const by = matchers.map(({ label, operator, value }) => `${label}${operator}${value}`);
          expect(by, `${title}: ${metric}`).to.include.members([
            'namespace=~$namespace',
            'job=~$job',
            'instance=~$instance',
          ]);
        }
      }
    }
  });
});
