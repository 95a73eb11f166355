import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { cleanupAfterEach } from '../../support/cleanup.ts';
import { eventually } from '../../support/eventually.ts';
import { routeDocument, startGateway } from '../../support/gateway.ts';
import type { RunningGateway } from '../../support/gateway.ts';
import { request } from '../../support/request.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { startUpstream } from '../../support/upstream.ts';
import { Model } from './model.ts';
import type { Key, ModelDocument, ModelFile, Served } from './model.ts';

/** Histories of edits; `MGATEWAY_TEST_MODEL=500` for a night. */
const histories = Number(process.env['MGATEWAY_TEST_MODEL'] ?? 8);

const files = ['a.yaml', 'b.yaml', 'c.yaml'] as const;
const routes = ['r0', 'r1', 'r2'] as const;
const middlewares = ['m0', 'm1'] as const;

type Edit =
  | { readonly type: 'write'; readonly file: string; readonly content: ModelFile }
  /** One document of a file, whichever it is, has other words from now on. */
  | { readonly type: 'edit'; readonly file: string; readonly at: number; readonly good: boolean }
  | { readonly type: 'repair' | 'remove' | 'cut'; readonly file: string }
  | { readonly type: 'move'; readonly file: string; readonly to: string }
  | { readonly type: 'crash' };

const file = fc.constantFrom(...files);
const mostly = fc.nat(3).map((n) => n > 0);
const rarely = fc.nat(9).map((n) => n === 0);
const document = fc.record({
  key: fc.constantFrom<Key>(
    ...routes.map((name) => `Route/${name}` as const),
    ...middlewares.map((name) => `Middleware/${name}` as const),
  ),
  version: fc.constant(0),
  good: mostly,
  uses: fc.uniqueArray(fc.constantFrom(...middlewares)),
});
const content = fc.record({
  documents: fc.uniqueArray(document, { maxLength: 4, selector: ({ key }) => key }),
  broken: rarely,
  nameless: rarely,
});
const edit: fc.Arbitrary<Edit> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('write' as const), file, content }) },
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constant('edit' as const), file, at: fc.nat(3), good: mostly }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constantFrom('repair', 'remove', 'cut'), file }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('move' as const), file, to: file }) },
  { weight: 1, arbitrary: fc.constant({ type: 'crash' as const }) },
);

/** The directory after an edit; `version` is new. */
function applyEdit(
  disk: ReadonlyMap<string, ModelFile>,
  change: Edit,
  version: number,
): Map<string, ModelFile> {
  const next = new Map(disk);
  if (change.type === 'crash') return next;
  const old = disk.get(change.file);
  const renewed = (one: ModelDocument): ModelDocument => ({ ...one, version });
  if (change.type === 'write') {
    next.set(change.file, { ...change.content, documents: change.content.documents.map(renewed) });
  } else if (old !== undefined) {
    const { documents } = old;
    if (change.type === 'edit') {
      const at = change.at % Math.max(documents.length, 1);
      const edited = documents.map((one, i) => (i === at ? { ...renewed(one), good: change.good } : one));
      next.set(change.file, { ...old, documents: edited });
    } else if (change.type === 'repair') {
      const repaired = documents.map((one) => (one.good ? one : { ...renewed(one), good: true }));
      next.set(change.file, { documents: repaired, broken: false, nameless: false });
    } else if (change.type === 'cut') {
      next.set(change.file, { ...old, broken: true });
    } else {
      next.delete(change.file);
      if (change.type === 'move') next.set(change.to, old);
    }
  }
  return next;
}

function documentText({ key, version, good, uses }: ModelDocument, upstream: string): string {
  const [kind, name = ''] = key.split('/');
  if (kind === 'Middleware') {
    const header = good ? 'set' : 'sets';
    return `apiVersion: mgateway.dev/v1alpha1
kind: Middleware
metadata: { name: ${name} }
spec: { responseHeaders: { ${header}: { x-${name}: "${version}" } } }
`;
  }
  const list = [
    `  - responseHeaders: { set: { x-version: "${version}" } }`,
    ...uses.map((each) => `  - name: ${each}`),
  ];
  const spec = [
    `${good ? 'matches' : 'matchs'}: [{ path: { prefix: /${name} } }]`,
    'middlewares:',
    ...list,
    `upstreams: [{ url: "${upstream}" }]`,
  ];
  return routeDocument(name, spec.join('\n'));
}

function fileText({ documents, broken, nameless }: ModelFile, upstream: string): string {
  const texts = documents.map((one) => documentText(one, upstream));
  if (nameless) texts.push('apiVersion: mgateway.dev/v1alpha1\nkind: Route\nspec: {}\n');
  if (broken) texts.push('kind: [\n');
  return texts.length === 0 ? '# nothing\n' : texts.join('---\n');
}

async function seen(gateway: RunningGateway, route: string): Promise<Served> {
  const { status, headers } = await request(`${gateway.url}/${route}`);
  if (status !== 200) return { status: status as 404 | 503 };
  const ran = middlewares.flatMap((name) => {
    const version = headers[`x-${name}`];
    return version === undefined ? [] : [[name, Number(version)] as const];
  });
  return { status, version: Number(headers['x-version']), middlewares: Object.fromEntries(ran) };
}

describe('any history of edits', () => {
  const cleanup = cleanupAfterEach();

  it('comes to what the rules say, in whatever order files are written, broken, moved, repaired, deleted (G5)', async function () {
    this.timeout(60_000 + histories * 20_000);
    const upstream = await startUpstream(cleanup, 'here');
    const crash = join(tempDir(cleanup), 'crash');
    const gateway = await startGateway(cleanup, {
      nodeArgs: ['--import', new URL('../fixtures/crash-config-thread.mjs', import.meta.url).href],
      env: { CRASH: crash },
    });
    let version = 0;
    let kills = 0;
    let lastDeath = 0;
    let texts = new Map<string, string>();

    const sourceHash = async (): Promise<string> =>
      /source_hash="(\w*)"/.exec(await gateway.metrics())?.[1] ?? '';
    /** Makes the directory so, all of it at once as far as files allow, and waits until it has been read. */
    const show = async (disk: ReadonlyMap<string, ModelFile>): Promise<void> => {
      const now = new Map([...disk].map(([path, each]) => [path, fileText(each, upstream.url)] as const));
      const paths = files.filter((path) => now.get(path) !== texts.get(path));
      if (paths.length === 0) return;
      const before = await sourceHash();
      const [from, to] = [paths.find((path) => !now.has(path)), paths.find((path) => now.has(path))];
      if (from !== undefined && to !== undefined && texts.get(from) === now.get(to)) {
        renameSync(join(gateway.dir, from), join(gateway.dir, to));
      } else {
        for (const path of paths) {
          const text = now.get(path);
          if (text === undefined) gateway.remove(path);
          else gateway.write(path, text);
        }
      }
      texts = now;
      await eventually(async () => (await sourceHash()) !== before);
    };
    /** The next thread comes after a while that doubles with each death, until one lives for half a minute. */
    const mayDie = (): boolean => performance.now() - lastDeath > 31_000 || kills < 4;
    const kill = async (): Promise<void> => {
      kills += 1;
      lastDeath = performance.now();
      const deaths = (): number => gateway.output().split('config thread died').length - 1;
      const before = deaths();
      writeFileSync(crash, '');
      await eventually(() => !existsSync(crash) && deaths() > before);
    };

    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 8, maxLength: 20, size: 'max' }), async (edits) => {
        rmSync(crash, { force: true });
        await show(new Map());
        const model = new Model();
        let disk = new Map<string, ModelFile>();
        for (const change of edits) {
          version += 1;
          disk = applyEdit(disk, change, version);
          if (change.type !== 'crash') await show(disk);
          else if (mayDie()) await kill();
          model.reconcile(disk);
          for (const route of routes) {
            expect(await seen(gateway, route), `${route} after ${JSON.stringify(change)}`).to.deep.equal(
              model.served(route),
            );
          }
        }
      }),
      { numRuns: histories },
    );
  });
});
