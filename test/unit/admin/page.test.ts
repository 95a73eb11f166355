import { expect } from 'chai';
import { createHash } from 'node:crypto';
import type { QueryName } from '../../../src/admin/api.ts';
import { renderPage } from '../../../src/admin/page.ts';

describe('renderPage', () => {
  const hostile = `"><script>alert('1')</script>&`;
  const answers: Readonly<Record<QueryName, unknown>> = {
    status: {
      generation: 7,
      result: hostile,
      time: 1_795_438_252.818,
      problems: 1,
      problemList: [
        { at: 'a.yaml:3:7', path: hostile, message: 'unknown field', hint: 'did you mean "kind"?' },
      ],
      warnings: [],
    },
    resources: {
      resources: [
        { kind: 'Route', name: 'good', state: 'accepted', conditions: [] },
        {
          kind: 'Route',
          name: 'broken',
          state: 'refused',
          conditions: [{ type: 'Accepted', status: 'False', reason: 'DocumentRefused', message: hostile }],
        },
      ],
    },
    routes: {
      routes: Array.from({ length: 600 }, (_, i) => ({
        route: `r${i}`,
        hostname: hostile,
        upstreams: [hostile],
      })),
    },
    upstreams: {
      upstreams: [
        {
          name: 'default/demo',
          endpoints: [
            { url: 'one:80', weight: 1, healthy: true },
            { url: 'two:80', weight: 2, healthy: false },
          ],
        },
      ],
    },
    generations: { generations: hostile },
    explain: null,
    shadow: { enabled: false },
  };
  const page = async (changed: Readonly<Partial<Record<QueryName, unknown>>> = {}): Promise<string> =>
    (await renderPage(async (name) => ({ ...answers, ...changed })[name])).body;

  it('escapes whatever it shows and allows nothing but its own style', async () => {
    const { body, headers } = await renderPage(async (name) => answers[name]);
    expect(body).to.not.match(/<script|alert\('|">\s*<script/);
    expect(body).to.include('&#60;script&#62;');
    const style = /<style>([^]*?)<\/style>/.exec(body)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    expect(headers?.['content-security-policy']).to.include(`default-src 'none'; style-src 'sha256-${hash}'`);
    expect(body).to.not.match(/\bstyle=|\bon[a-z]+=|https?:\/\//);
  });

  it('shows resources with problems alone, and a bounded number of routes', async () => {
    const body = await page();
    expect(body).to.include('/broken<').and.not.include('/good<');
    expect(body).to.include('>r499<').and.not.include('>r500<');
    expect(body).to.include('and 100 more');
  });

  it('shows each problem with its place, field and hint, times as people read them, and who is unhealthy', async () => {
    const body = await page();
    for (const shown of [
      '>a.yaml:3:7<',
      'unknown field (did you mean &#34;kind&#34;?)',
      '2026-11-23T12:50:52Z',
      '<span class="bad">two:80 weight 2 unhealthy</span>',
    ])
      expect(body).to.include(shown);
    expect(body).to.not.include('one:80 unhealthy');
  });

  it('shows what a generation changed, field by field, the newest first', async () => {
    const change = {
      key: 'Route/default/a',
      change: 'changed',
      fields: [{ path: 'priority', from: 1, to: 2 }],
    };
    const generations = [
      {
        generation: 1,
        time: 1,
        result: 'applied',
        added: 3,
        changed: 0,
        removed: 0,
        changes: [],
        restorable: true,
      },
      { generation: 2, time: 2, result: 'applied', added: 0, changed: 1, removed: 0, changes: [change] },
    ];
    const body = await page({ generations: { generations } });
    expect(body).to.match(/>2<[^]*changed Route\/default\/a[^]*priority: 1 → 2[^]*>1<[^]*3 added/);
  });

  it('has a section for the shadow where there is one: its problems, and the routes that would change', async () => {
    expect(await page()).to.not.include('Shadow');
    const body = await page({
      shadow: {
        enabled: true,
        candidate: { paths: ['next'], problems: [{ at: 'next/a.yaml:1:1', path: '', message: hostile }] },
        comparing: true,
        since: 0,
        requests: { same: 8, changed: 1, uncertain: 0 },
        routes: [
          { route: 'default/a', same: 1, changed: 1, uncertain: 0, changes: { status: 1 } },
          { route: 'default/b', same: 7, changed: 0, uncertain: 0, changes: {} },
        ],
      },
    });
    expect(body).to.include('Shadow').and.include('8 same, 1 changed, 0 uncertain');
    expect(body).to.include('>default/a<').and.include('status 1').and.not.include('>default/b<');
    expect(body).to.include('>next/a.yaml:1:1<').and.not.include('<script');
  });

  it('shows what it can when an answer does not come', async () => {
    const { status, body } = await renderPage(async (name) => {
      if (name !== 'status') throw new Error(`no answer ${hostile}`);
      return answers.status;
    });
    expect(status).to.equal(200);
    expect(body).to.include('>7<').and.include('not known: no answer').and.not.include('<script');
  });
});
