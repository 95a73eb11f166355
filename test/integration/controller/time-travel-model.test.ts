import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { sourceHash } from '../../../src/controller/source/source-hash.ts';
import type { ConfigThreadData } from '../../../src/snapshot/messages.ts';
import { cleanupAfterEach } from '../../support/cleanup.ts';
import type { Cleanup } from '../../support/cleanup.ts';
import { eventually } from '../../support/eventually.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { prefixOf, routeDocument, startMainStandIn } from './main-stand-in.ts';
import type { MainStandIn } from './main-stand-in.ts';

/** Histories; `MGATEWAY_TEST_TIME_TRAVEL=500` for a night. */
const histories = Number(process.env['MGATEWAY_TEST_TIME_TRAVEL'] ?? 4);

const names = ['a', 'b', 'c'] as const;
/** Generations that are kept. */
const kept = 20;

type Step =
  | { readonly type: 'edit'; readonly route: string; readonly good: boolean }
  /** `back`: so many numbers below the newest; some were never a generation. */
  | { readonly type: 'rollback'; readonly back: number }
  | { readonly type: 'resume' }
  /** Of the thread, which main starts again with what it holds; or of the whole program. */
  | { readonly type: 'crash' | 'restart' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant('edit' as const),
      route: fc.constantFrom(...names),
      good: fc.nat(2).map((n) => n > 0),
    }),
  },
  { weight: 6, arbitrary: fc.record({ type: fc.constant('rollback' as const), back: fc.nat(9) }) },
  { weight: 3, arbitrary: fc.constant({ type: 'resume' as const }) },
  { weight: 2, arbitrary: fc.constantFrom({ type: 'crash' as const }, { type: 'restart' as const }) },
);

/** Route → its prefix. */
type Routes = Readonly<Record<string, string>>;

const isSame = (one: Routes | undefined, other: Routes): boolean =>
  names.every((name) => one?.[name] === other[name]);

/** What is served after any history of edits, rollbacks and crashes, said as plainly as possible. */
class Model {
  accepted: Routes = {};
  served: Routes | undefined;
  generation = 0;
  pin: { readonly of: number; readonly routes: Routes; readonly accepted: Routes } | undefined;
  readonly #generations = new Map<number, Routes>();

  reconcile(): void {
    if (this.pin !== undefined && !isSame(this.pin.accepted, this.accepted)) this.pin = undefined;
    this.#serve(this.pin?.routes ?? this.accepted);
  }

  edit(route: string, prefix: string | undefined): void {
    if (prefix !== undefined) this.accepted = { ...this.accepted, [route]: prefix };
    this.reconcile();
  }

  /** False: there is no such generation any more. */
  rollback(generation: number): boolean {
    const routes = this.#generations.get(generation);
    if (routes === undefined) return false;
    this.#serve(routes);
    this.pin = { of: generation, routes, accepted: this.accepted };
    return true;
  }

  resume(): void {
    this.pin = undefined;
    this.reconcile();
  }

  /** Workers are new too: whatever it is, it is a new generation. */
  restart(): void {
    this.served = undefined;
    this.reconcile();
  }

  #serve(routes: Routes): void {
    if (this.served !== undefined && isSame(this.served, routes)) return;
    this.served = routes;
    this.generation += 1;
    this.#generations.set(this.generation, routes);
    this.#generations.delete(this.generation - kept);
  }
}

/** The controller over its starts, and its directories. */
class Subject {
  readonly #cleanup: Cleanup;
  readonly #dir: string;
  readonly #stateDir: string;
  readonly #texts = new Map<string, string>();
  #main: MainStandIn | undefined;

  constructor(cleanup: Cleanup) {
    this.#cleanup = cleanup;
    this.#dir = tempDir(cleanup);
    this.#stateDir = join(tempDir(cleanup), 'state');
    mkdirSync(this.#stateDir);
    this.write('fixed', routeDocument('fixed'));
  }

  get main(): MainStandIn {
    if (this.#main === undefined) throw new Error('not started');
    return this.#main;
  }

  write(name: string, text: string): void {
    this.#texts.set(`${name}.yaml`, text);
    writeFileSync(join(this.#dir, `.${name}`), text);
    renameSync(join(this.#dir, `.${name}`), join(this.#dir, `${name}.yaml`));
  }

  async start(data: Partial<ConfigThreadData> = {}): Promise<void> {
    this.#main = startMainStandIn(this.#cleanup, {
      paths: [this.#dir],
      data: { stateDir: this.#stateDir, ...data },
    });
    await this.settle();
  }

  async restart(): Promise<void> {
    await this.main.controller.close();
    await this.start();
  }

  async crash(): Promise<void> {
    const { main } = this;
    await main.controller.close();
    const pin = main.statuses.at(-1)?.pin;
    const survived = main.survived();
    await this.start({
      servedGeneration: main.generation(),
      ...(pin !== undefined && { pinned: { ...pin, entries: [...main.entries().values()] } }),
      ...(survived !== undefined && { survived }),
    });
  }

  /** Waits until what is on the disk has been read. */
  async settle(): Promise<void> {
    const files = [...this.#texts].map(([relative, text]) => ({
      relative,
      hash: createHash('sha256').update(text).digest('hex'),
    }));
    const wanted = sourceHash(files);
    await eventually(() => expect(this.main.statuses.at(-1)?.sourceHash).to.equal(wanted));
  }
}

describe('time travel', function () {
  this.timeout(histories * 30_000);
  const cleanup = cleanupAfterEach();

  it('serves what a plain model says after any edits, rollbacks, resumptions, crashes and restarts', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: 24 }), async (steps) => {
        const subject = new Subject(cleanup);
        const model = new Model();
        await subject.start();
        model.restart();
        for (const [i, each] of steps.entries()) {
          switch (each.type) {
            case 'edit': {
              const text = routeDocument(each.route, `/v${i}`);
              subject.write(each.route, each.good ? text : text.replace('matches:', 'matchs:'));
              await subject.settle();
              model.edit(each.route, each.good ? `/v${i}` : undefined);
              break;
            }
            case 'rollback': {
              const generation = Math.max(1, model.generation + 1 - each.back);
              const { done } = await subject.main.command('rollback', { generation });
              expect(done).to.equal(model.rollback(generation));
              break;
            }
            case 'resume':
              await subject.main.command('resume');
              model.resume();
              break;
            case 'crash':
              await subject.crash();
              break;
            case 'restart':
              await subject.restart();
              model.restart();
          }
          const { main } = subject;
          const served = Object.fromEntries(
            main.routes().flatMap((name) => (name === 'fixed' ? [] : [[name, prefixOf(main, name)]])),
          );
          const { pin, generation } = main.statuses.at(-1) ?? {};
          expect({ served, generation, pin: pin?.of }, `step ${i}`).to.deep.equal({
            served: model.served,
            generation: model.generation,
            pin: model.pin?.of,
          });
        }
        await subject.main.controller.close();
      }),
      {
        numRuns: histories,
        endOnFailure: histories > 20,
        examples: [[[{ type: 'rollback', back: 1 }, { type: 'resume' }, { type: 'restart' }]]],
      },
    );
  });
});
