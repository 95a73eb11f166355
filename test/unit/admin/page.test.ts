import { expect } from 'chai';
import { createHash } from 'node:crypto';
import type { QueryName } from '../../../src/admin/api.ts';
import { renderPage } from '../../../src/admin/page.ts';

describe('renderPage', () => {
  const hostile = `"><script>alert('1')</script>&`;
  const answers: Readonly<Record<QueryName, unknown>> = {
    status: { generation: 7, [hostile]: hostile },
    resources: {
      items: [
        { kind: 'Route', name: 'good', state: 'accepted', problems: [] },
        { kind: 'Route', name: 'broken', state: 'refused', problems: [{ message: hostile }] },
      ],
    },
    routes: Array.from({ length: 600 }, (_, i) => ({ name: `r${i}`, hostnames: [hostile] })),
    upstreams: [],
    generations: hostile,
    explain: null,
    shadow: null,
  };

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
    const { body } = await renderPage(async (name) => answers[name]);
    expect(body).to.include('broken').and.not.include('>good<');
    expect(body).to.include('>r499<').and.not.include('>r500<');
    expect(body).to.include('and 100 more');
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
