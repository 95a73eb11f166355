import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import type { Condition } from '../../../src/controller/status/conditions.ts';
import { cleanupAfterEach } from '../../support/cleanup.ts';
import { eventually } from '../../support/eventually.ts';
import { projectRoot } from '../../support/program.ts';
import { resourceDocument } from '../../support/resource-document.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { routeDocument, startMainStandIn } from './main-stand-in.ts';
import type { MainStandIn, StandInOptions } from './main-stand-in.ts';

interface Case {
  readonly files: Readonly<Record<string, string>>;
  /** After the first read; undefined: the file goes. */
  readonly then?: Readonly<Record<string, string | undefined>>;
  readonly also?: (main: MainStandIn, dir: string) => unknown;
  readonly options?: Partial<StandInOptions>;
  /** The condition of the resource called x that does not hold for this reason. */
  readonly says: Condition['type'];
}

const good = routeDocument('x');
const bad = good.replace('matches', 'matchs');
const uses = (middleware: string): string => `${good}  middlewares: [${middleware}]\n`;
const routeTest = (route: string): string =>
  resourceDocument('RouteTest', 'x', `request: { url: "http://a.test/a" }\nexpect: { route: ${route} }`);
const gateway = (name: string): string =>
  resourceDocument('Gateway', name, `listeners: [{ name: ${name}, port: 8080 }]`);
const busy = [{ key: 'Route/default/x', code: 'Invalid', message: 'no' }];

const cases: Readonly<Record<string, Case>> = {
  DocumentRefused: { files: { 'x.yaml': good }, then: { 'x.yaml': bad }, says: 'Accepted' },
  FileRefused: { files: { 'x.yaml': good }, then: { 'x.yaml': 'kind: [' }, says: 'Accepted' },
  SourceMissing: {
    files: { 'x.yaml': good },
    also: (_, dir) => renameSync(dir, `${dir}-away`),
    says: 'Accepted',
  },
  DuplicateName: {
    files: { 'x.yaml': good },
    then: { 'x.yaml': `${routeDocument('x', '/1')}---\n${routeDocument('x', '/2')}` },
    says: 'Accepted',
  },
  Unidentified: {
    files: { 'x.yaml': `${good}---\n${routeDocument('y')}` },
    then: { 'x.yaml': `${good.replace('name: x', 'nam: x')}---\n${routeDocument('y')}` },
    says: 'Accepted',
  },
  MiddlewareMissing: { files: { 'x.yaml': uses('{ name: nobody }') }, says: 'ResolvedRefs' },
  KeyMissing: {
    files: {
      'x.yaml': uses(
        '{ jwt: { issuers: [{ issuer: i, secret: { file: /nowhere }, algorithms: [HS256] }] } }',
      ),
    },
    says: 'ResolvedRefs',
  },
  ModuleMissing: {
    files: { 'x.yaml': uses('{ module: { path: nowhere.mjs } }') },
    options: { data: { modulesDir: '/nowhere' } },
    says: 'ResolvedRefs',
  },
  UpstreamMissing: {
    files: { 'x.yaml': good.replace('url: "http://127.0.0.1:3000"', 'name: nobody') },
    says: 'ResolvedRefs',
  },
  ListenerMissing: { files: { 'x.yaml': `${good}  listeners: [nobody]\n` }, says: 'ResolvedRefs' },
  GuardViolated: {
    files: {
      'x.yaml': good,
      'g.yaml': resourceDocument('Guard', 'g', 'routes: { pathPrefix: /x }\nrequire: { middleware: jwt }'),
    },
    says: 'Programmed',
  },
  PortConflict: {
    files: { 'a.yaml': gateway('a'), 'x.yaml': gateway('x') },
    says: 'Programmed',
  },
  PrepareFailed: {
    files: { 'x.yaml': good, 'y.yaml': routeDocument('y') },
    options: { refuse: (entries) => (entries.has('Route/default/x') ? busy : []) },
    says: 'Programmed',
  },
  Disabled: { files: { 'x.yaml': `${good}  disabled: true\n` }, says: 'Programmed' },
  TestFailed: {
    files: { 'a.yaml': routeDocument('a'), 'x.yaml': routeTest('nobody') },
    says: 'Programmed',
  },
  GenerationRefused: {
    files: { 'x.yaml': good },
    then: { 'x.yaml': routeDocument('x', '/new'), 'y.yaml': 'kind: [' },
    options: { data: { strict: true } },
    says: 'Programmed',
  },
  Pinned: {
    files: { 'x.yaml': good },
    then: { 'x.yaml': routeDocument('x', '/new') },
    also: async (main) => {
      await eventually(() => expect(main.generation()).to.equal(2));
      await main.command('rollback', { generation: 1 });
    },
    says: 'Programmed',
  },
};

describe('the reason of a condition', () => {
  const cleanup = cleanupAfterEach();

  for (const [reason, { files, then = {}, also, options, says }] of Object.entries(cases)) {
    it(reason, async () => {
      const dir = join(tempDir(cleanup), 'config');
      cleanup.add(() => rmSync(`${dir}-away`, { recursive: true, force: true }));
      mkdirSync(dir);
      for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
      const main = startMainStandIn(cleanup, { paths: [dir], ...options });
      await eventually(() => expect(main.statuses).not.to.have.length(0));
      for (const [name, text] of Object.entries(then)) {
        if (text === undefined) rmSync(join(dir, name));
        else writeFileSync(join(dir, name), text);
      }
      await also?.(main, dir);
      await eventually(async () => {
        const conditions = await conditionsOf(main);
        const said = conditions.find(({ type }) => type === says);
        expect(said, JSON.stringify(conditions)).to.include({ status: 'False', reason });
      });
    });
  }

  it('is documented, each of them and no other', () => {
    const page = readFileSync(join(projectRoot, 'docs/operations.md'), 'utf8');
    const section = page.split('## What `status` says')[1]?.split('\n## ')[0] ?? '';
    const documented = [...section.matchAll(/^\| `(\w+)` \|/gm)].map(([, reason]) => reason);
    expect(documented.sort()).to.deep.equal(Object.keys(cases).sort());
  });
});

async function conditionsOf(main: MainStandIn): Promise<readonly Condition[]> {
  const { resources } = (await main.query('resources')) as {
    resources: readonly { name: string; conditions: readonly Condition[] }[];
  };
  return resources.find(({ name }) => name === 'x')?.conditions ?? [];
}
