import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import type { State } from '../../../src/controller/state/state-file.ts';
import { cleanupAfterEach } from '../../support/cleanup.ts';
import type { Cleanup } from '../../support/cleanup.ts';
import { eventually } from '../../support/eventually.ts';
import { gatewayDocument, routeDocument, startGateway } from '../../support/gateway.ts';
import type { RunningGateway } from '../../support/gateway.ts';
import { freePort } from '../../support/free-port.ts';
import { request } from '../../support/request.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { startUpstream } from '../../support/upstream.ts';
import { Model } from './model.ts';
import type { Disk, Key, ModelDocument, ModelFile, Served } from './model.ts';

/** Histories of edits; `MGATEWAY_TEST_MODEL=500` for a night. */
const histories = Number(process.env['MGATEWAY_TEST_MODEL'] ?? 6);

const files = ['a.yaml', 'b.yaml', 'c.yaml'] as const;
const routes = ['r0', 'r1', 'r2'] as const;
const middlewares = ['m0', 'm1'] as const;

type FileEdit =
  | { readonly type: 'write'; readonly file: string; readonly content: ModelFile }
  /** One document of a file, whichever it is, has other words from now on. */
  | { readonly type: 'edit'; readonly file: string; readonly at: number; readonly good: boolean }
  | { readonly type: 'repair' | 'remove' | 'cut'; readonly file: string }
  | { readonly type: 'move'; readonly file: string; readonly to: string };

type Edit =
  | FileEdit
  /** Of the thread that reads. */
  | { readonly type: 'crash' }
  | { readonly type: 'restart'; readonly meanwhile: FileEdit | undefined };

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
const fileEdit: fc.Arbitrary<FileEdit> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('write' as const), file, content }) },
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constant('edit' as const), file, at: fc.nat(3), good: mostly }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constantFrom('repair', 'remove', 'cut'), file }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('move' as const), file, to: file }) },
);
const edit: fc.Arbitrary<Edit> = fc.oneof(
  { weight: 18, arbitrary: fileEdit },
  { weight: 1, arbitrary: fc.constant({ type: 'crash' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('restart' as const),
      meanwhile: fc.option(fileEdit, { nil: undefined }),
    }),
  },
);

/** The directory after an edit; `version` is new. */
function applyEdit(
  disk: ReadonlyMap<string, ModelFile>,
  change: FileEdit,
  version: number,
): Map<string, ModelFile> {
  const next = new Map(disk);
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

/** The gateway under test over its restarts, and its directory. */
class Subject {
  readonly #cleanup: Cleanup;
  readonly #upstream: string;
  readonly #crash: string;
  readonly #dir: string;
  readonly #state: string;
  readonly #port: number;
  #gateway: RunningGateway | undefined;
  #texts: ReadonlyMap<string, string> = new Map();
  #kills = 0;
  #lastDeath = 0;

  constructor(cleanup: Cleanup, upstream: string, port: number) {
    this.#cleanup = cleanup;
    this.#upstream = upstream;
    this.#port = port;
    this.#dir = tempDir(cleanup);
    this.#state = tempDir(cleanup);
    this.#crash = join(tempDir(cleanup), 'crash');
    writeFileSync(join(this.#dir, 'gateway.yaml'), gatewayDocument(port));
  }

  get gateway(): RunningGateway {
    if (this.#gateway === undefined) throw new Error('not started');
    return this.#gateway;
  }

  async start(): Promise<void> {
    this.#kills = 0;
    this.#gateway = await startGateway(this.#cleanup, {
      dir: this.#dir,
      port: this.#port,
      args: ['--state-dir', this.#state],
      nodeArgs: ['--import', new URL('../fixtures/crash-config-thread.mjs', import.meta.url).href],
      env: { CRASH: this.#crash },
    });
  }

  /** Makes the directory so and waits until it has been read. */
  async show(disk: Disk): Promise<void> {
    const before = await this.#sourceHash();
    if (this.write(disk)) await eventually(async () => (await this.#sourceHash()) !== before);
  }

  /** False: it is so already. */
  write(disk: Disk): boolean {
    const now = new Map([...disk].map(([path, each]) => [path, fileText(each, this.#upstream)] as const));
    const before = this.#texts;
    this.#texts = now;
    const paths = files.filter((path) => now.get(path) !== before.get(path));
    const [from, to] = [paths.find((path) => !now.has(path)), paths.find((path) => now.has(path))];
    if (from !== undefined && to !== undefined && before.get(from) === now.get(to)) {
      renameSync(join(this.#dir, from), join(this.#dir, to));
      return true;
    }
    for (const path of paths) {
      const text = now.get(path);
      if (text === undefined) this.gateway.remove(path);
      else this.gateway.write(path, text);
    }
    return paths.length > 0;
  }

  /** Lets the thread that reads die, unless it has died often: each time it takes twice as long to come back. */
  async crash(model: Model): Promise<void> {
    if (this.#kills >= 4 && performance.now() - this.#lastDeath < 31_000) return;
    await this.#saved(model);
    this.#kills += 1;
    this.#lastDeath = performance.now();
    const deaths = (): number => this.gateway.output().split('config thread died').length - 1;
    const before = deaths();
    writeFileSync(this.#crash, '');
    await eventually(() => !existsSync(this.#crash) && deaths() > before);
  }

  /** What is accepted is kept 0.2 s after a change: until then a crash goes back to what was kept before. */
  async #saved(model: Model): Promise<void> {
    const wanted = model
      .held()
      .map(({ file: path, document }) => `${path}\n${documentText(document, this.#upstream).trimEnd()}`);
    await eventually(() => {
      const [, json = ''] = readFileSync(join(this.#state, 'last-good.json'), 'utf8').split('\n');
      const { documents } = JSON.parse(json) as State;
      const kept = documents.map(
        ({ file: path, text }) => `${path}\n${text.replace(/^---\n/, '').trimEnd()}`,
      );
      const ours = kept.filter((text) => !text.startsWith('gateway.yaml\n'));
      expect(ours.sort()).to.deep.equal(wanted.sort());
    });
  }

  async #sourceHash(): Promise<string> {
    return /source_hash="(\w*)"/.exec(await this.gateway.metrics())?.[1] ?? '';
  }
}

describe('any history of edits', () => {
  const cleanup = cleanupAfterEach();

  it('comes to what the rules say, however files are written, broken, moved, repaired, deleted, over crashes and restarts (G5)', async function () {
    this.timeout(60_000 + histories * 20_000);
    const upstream = await startUpstream(cleanup, 'here');
    const subject = new Subject(cleanup, upstream.url, await freePort());
    await subject.start();
    let version = 0;

    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 8, maxLength: 20, size: 'max' }), async (edits) => {
        await subject.show(new Map());
        const model = new Model();
        let disk: Disk = new Map();
        for (const change of edits) {
          version += 1;
          if (change.type === 'crash') {
            await subject.crash(model);
          } else if (change.type === 'restart') {
            await subject.gateway.stop();
            if (change.meanwhile !== undefined) disk = applyEdit(disk, change.meanwhile, version);
            subject.write(disk);
            await subject.start();
            model.restart();
          } else {
            disk = applyEdit(disk, change, version);
            await subject.show(disk);
          }
          model.reconcile(disk);
          for (const route of routes) {
            expect(
              await seen(subject.gateway, route),
              `${route} after ${JSON.stringify(change)}`,
            ).to.deep.equal(model.served(route));
          }
        }
      }),
      { numRuns: histories },
    );
  });
});
