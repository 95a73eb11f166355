import { expect } from 'chai';
import { describe, it } from 'mocha';
import { spawnSync } from 'node:child_process';
import { projectRoot } from '../support/program.ts';
import { readDashboard } from './expressions.ts';

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
});
