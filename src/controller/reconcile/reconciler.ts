import type { CommandResult, ConfigStatus, Problem } from '../../snapshot/messages.ts';
import type { Entry } from '../../snapshot/model.ts';
import { Assertions } from '../assert/assertions.ts';
import type { Judgement } from '../assert/assertions.ts';
import { acceptedHash } from '../history/accepted-hash.ts';
import { resume, rollBack } from '../history/time-travel.ts';
import type { Present } from '../history/time-travel.ts';
import { holdsGateway, remarksOf } from '../load.ts';
import type { ParsedDocument } from '../parse/parsed-file.ts';
import type { Publication } from '../publish/publisher.ts';
import { neighbourRemarks } from '../source/neighbour.ts';
import { mayHoldGateway, parseSet } from '../source/parse-set.ts';
import type { ReadSet, Source } from '../source/source.ts';
import { sourceHash } from '../source/source-hash.ts';
import { ResourceStates } from '../status/resource-states.ts';
import type { ControllerView } from '../status/view.ts';
import type { StoreFile } from '../store/document.ts';
import type { Store } from '../store/store.ts';
import { emptyStore, nextStore } from '../store/store.ts';
import { createMemo } from '../translate/draft.ts';
import { translate } from '../translate/translate.ts';
import type { Translation } from '../translate/translation.ts';
import { translationWarnings } from '../translate/warnings.ts';
import { Failures } from './failures.ts';
import { isOwnerless, isShared, ownerOf } from './ownership.ts';
import { holdsDefaultListener, translationOf } from './survived.ts';
import type { ReconcilerOptions } from './reconciler-options.ts';

export interface Reconciled {
  /** Something was still being written: read again soon. */
  readonly complete: boolean;
  /** What to watch from now on. */
  readonly watch: readonly ReadonlyMap<string, ReadonlySet<string>>[];
}

/** A candidate that keeps failing in new places is given up; what is served goes on. */
const maxAttempts = 5;
const warningsAfterMs = 300;
/** Each waits half a second at most. */
const maxFirstReads = 10;

interface Reading {
  readonly set: ReadSet;
  readonly files: readonly StoreFile<ParsedDocument>[];
  readonly hash: string;
}

interface Attempt {
  readonly translation: Translation;
  readonly published: Pick<Publication, 'added' | 'changed' | 'removed' | 'state'> | undefined;
  /** Why nothing was committed. */
  readonly refused?: string;
}

/**
 * Reads the whole state, decides, publishes. Idempotent: whatever happened since, one run brings what is served up to
 * what is on the disk. One run at a time (the caller sees to it).
 */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #memo = createMemo();
  readonly #failures = new Failures();
  readonly #assertions = new Assertions();
  #store: Store<ParsedDocument> = emptyStore;
  readonly #states: ResourceStates;
  /** Of the generation that is served. */
  #last: Translation | undefined;
  #candidate: Translation | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #servedHash = '';
  /** Fingerprint of the last reading: equal ones are neither parsed nor merged again. */
  #content: string | undefined;
  #defaultListener = false;
  #status: ConfigStatus | undefined;
  #problems: readonly Problem[] = [];
  #remarks: readonly Problem[] = [];
  #conflicts: readonly Problem[] = [];
  #cancelConflicts: (() => void) | undefined;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    const { lastGood, parser, survived } = options;
    const restored = lastGood.restore(parser);
    this.#store = restored?.store ?? emptyStore;
    this.#states = new ResourceStates(restored?.fallbackSince);
    if (survived === undefined || restored === undefined) return;
    const served = translationOf(survived.entries, restored.store);
    this.#accept(served, survived.servedHash);
    this.#defaultListener = holdsDefaultListener(served, restored.store);
  }

  get view(): ControllerView {
    return {
      status: this.#status,
      store: this.#store,
      outcomes: this.#candidate?.outcomes ?? new Map(),
      candidate: this.#candidate?.entries ?? new Map(),
      served: this.#options.publisher.entries,
      generation: this.#options.publisher.generation,
      pin: this.#options.pinning.pin,
      fallbackSince: this.#states.fallbackSince,
      problems: this.#problems,
      warnings: this.#warningsNow(),
      generations: this.#options.history.records,
    };
  }

  /** Something that workers refused may work now. */
  get worthRetrying(): boolean {
    return this.#failures.hasPassing;
  }

  run(): Promise<Reconciled> {
    return this.#alone(() => this.#run());
  }

  rollback(generation: number, forMs: number | undefined): Promise<CommandResult> {
    return this.#alone(() => rollBack({ generation, forMs }, this.#options, this.#present()));
  }

  resume(): Promise<CommandResult> {
    return this.#alone(() => resume(this.#options, this.#present()));
  }

  #present(): Present {
    const run = async (): Promise<ConfigStatus | undefined> => {
      await this.#run();
      return this.#status;
    };
    return { store: this.#store, run };
  }

  /** One step after the other, whatever came of those before. */
  #alone<T>(step: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(step);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  async #run(): Promise<Reconciled> {
    const { source, keys, clock, pinning } = this.#options;
    const started = clock.now();
    const set = await this.#read(source);
    keys.begin();
    const reading = this.#parse(set);
    const before = this.#store;
    if (reading.files !== undefined) {
      this.#store = nextStore(before, { files: reading.files, missing: set.missing });
      // Decided by the first set that is served, and for good (G11).
      if (this.#last === undefined) {
        this.#defaultListener =
          set.missing.length === 0 && !holdsGateway(this.#store) && !mayHoldGateway(set, reading.files);
      }
    }
    const attempt = (await pinning.holds(() => acceptedHash(this.#store)))
      ? await this.#hold(reading.hash)
      : await this.#publish(reading.hash);
    this.#candidate = attempt.translation;
    this.#states.update(this.#store, attempt.translation.outcomes, clock.now());
    const problems = this.#collect(set, attempt);
    // What is accepted and served; what was refused as a whole leaves no trace.
    if (attempt.refused === undefined) this.#options.lastGood.save(this.#store, this.#states.fallbackSince);
    this.#report(started, reading.hash, attempt, problems);
    this.#findConflictsLater();
    // Under --strict a refused set leaves nothing behind: the next one is judged against what is served.
    if (this.#options.strict && attempt.refused !== undefined && this.#last !== undefined) {
      this.#store = before;
      this.#content = undefined;
    }
    return { complete: set.complete, watch: [set.watch, keys.watch()] };
  }

  /** At the start a file that is still being written is waited for: it may hold the Gateway. */
  async #read(source: Source): Promise<ReadSet> {
    for (let tries = 0; ; tries += 1) {
      const set = await source.read();
      if (set.complete || this.#last !== undefined || tries >= maxFirstReads) return set;
    }
  }

  /** Gives what workers refused for passing reasons another chance. */
  retryFailed(): void {
    this.#failures.forgetPassing();
  }

  #parse(set: ReadSet): { readonly hash: string; readonly files: Reading['files'] | undefined } {
    const hash = sourceHash(
      set.files.map(({ relative, content }) => ({
        relative,
        hash: content.state === 'read' ? content.hash : undefined,
      })),
    );
    const content = JSON.stringify([
      set.files.map((file) => [
        file.path,
        file.content.state === 'read'
          ? file.content.hash
          : file.content.state === 'unreadable'
            ? `! ${file.content.reason}`
            : '…',
      ]),
      set.missing,
    ]);
    if (content === this.#content) return { hash, files: undefined };
    const files = parseSet(set, this.#options.parser);
    this.#content = content;
    return { hash, files };
  }

  /** Something is pinned: says what would become of the source, and publishes nothing. */
  async #hold(hash: string): Promise<Attempt> {
    const { translation } = await this.#judge();
    // After a restart: what is accepted now is what later good versions are measured by.
    if (this.#last === undefined && this.#obstacle(translation) === undefined)
      this.#accept(translation, hash);
    return { translation, published: undefined };
  }

  #judge(): Promise<Judgement> {
    const { publisher } = this.#options;
    const served = publisher.generation > 0 ? publisher : undefined;
    return this.#assertions.judge(this.#translate(), served, this.#store);
  }

  #accept(translation: Translation, hash: string): void {
    this.#last = translation;
    this.#servedHash = hash;
  }

  /** Translates and publishes; leaves out what workers refuse and tries again. */
  async #publish(hash: string): Promise<Attempt> {
    const { publisher, pinning, servedGeneration } = this.#options;
    let refused = '';
    for (let attempt = 0; ; attempt += 1) {
      const judged = await this.#judge();
      const { translation } = judged;
      const obstacle = refused === '' ? (this.#obstacle(translation) ?? judged.refusal) : refused;
      if (obstacle !== undefined) return { translation, published: undefined, refused: obstacle };
      const published = await publisher.publish(translation.entries, hash);
      if (published === undefined || published.failures.length === 0) {
        this.#accept(translation, hash);
        await pinning.end('SourceChanged');
        return { translation, published };
      }
      this.#options.log.warn('generation refused by workers', {
        generation: published.generation,
        failures: published.failures.slice(0, 10),
      });
      const helps = this.#failures.note(published.failures, translation.entries);
      if (!helps || attempt + 1 >= maxAttempts)
        refused = published.failures[0]?.message ?? 'refused by workers';
      if (servedGeneration > 0 && this.#last === undefined) refused = 'an older generation is served';
    }
  }

  #translate(): Translation {
    const { find, keys } = this.#options;
    return translate(
      {
        store: this.#store,
        find,
        keyState: (request) => keys.state(request),
        moduleState: (path) => keys.module(path),
        last: this.#last,
        defaultListener: this.#defaultListener,
        failed: this.#failures.byKey,
      },
      this.#memo,
    );
  }

  /** Why a translation must not even be tried. */
  #obstacle(translation: Translation): string | undefined {
    const troubled = this.#store.problems.length > 0 || problemsOf(translation).length > 0;
    if (this.#options.strict && troubled)
      return 'strict: a configuration with problems is refused as a whole';
    if (this.#last !== undefined) return undefined;
    // Crashed before it could keep its last good versions: only a sound set may replace what is served.
    if (this.#options.servedGeneration > 0 && troubled)
      return 'an older generation is served until all problems are solved';
    if (troubled && !this.#hasResources()) return 'nothing to serve';
    const hasListener = [...translation.entries.keys()].some((key) => key.startsWith('Listener/'));
    return hasListener ? undefined : 'there is no listener';
  }

  #collect(set: ReadSet, { translation, refused }: Attempt): readonly Problem[] {
    this.#failures.retain((key) => this.#store.resources.has(ownerOf(key)) || isShared(key));
    const problems = [...this.#store.problems, ...problemsOf(translation)];
    for (const [key, { code, message }] of this.#failures.byKey) {
      if (isOwnerless(key) && !holdsGateway(this.#store))
        problems.push({ at: key, path: '', message: `${code}: ${message}` });
    }
    if (refused !== undefined && problems.length === 0) problems.push({ at: '', path: '', message: refused });
    this.#problems = problems;
    this.#remarks = remarksOf([...set.remarks, ...neighbourRemarks(set)]);
    this.#say();
    return problems;
  }

  #say(): void {
    this.#options.problemLog.update(this.#problems, [...this.#remarks, ...this.#conflicts]);
  }

  /** Trouble with the state directory comes and goes by itself, and is logged by itself. */
  #warningsNow(): readonly Problem[] {
    return [...this.#options.stateTrouble.problems, ...this.#remarks, ...this.#conflicts];
  }

  /** Takes as long as all of a reload: not on anybody's way, and once for several in a row. */
  #findConflictsLater(): void {
    this.#cancelConflicts?.();
    this.#cancelConflicts = this.#options.clock.after(warningsAfterMs, () => {
      const candidate = this.#candidate;
      if (candidate === undefined) return;
      this.#conflicts = translationWarnings(candidate, this.#store, this.#options.keys.frozen());
      this.#say();
    });
  }

  close(): void {
    this.#cancelConflicts?.();
  }

  #report(started: number, hash: string, attempt: Attempt, problems: readonly Problem[]): void {
    const { clock, log, publisher, pinning, history, send, servedGeneration } = this.#options;
    const { pin } = pinning;
    const { translation, published, refused } = attempt;
    const isTroubled = problems.length > 0 || refused !== undefined;
    const result: ConfigStatus['result'] =
      published !== undefined ? (isTroubled ? 'partial' : 'applied') : isTroubled ? 'refused' : 'unchanged';
    const time = clock.now();
    const status: ConfigStatus = {
      result,
      generation: publisher.generation,
      sourceHash: hash,
      servedHash: pin?.sourceHash ?? this.#servedHash,
      ...(pin !== undefined && { pin }),
      durationSeconds: (time - started) / 1000,
      time: time / 1000,
      resources: this.#states.counts,
      problems: problems.length,
    };
    this.#status = status;
    const { added, changed, removed } = published ?? { added: 0, changed: 0, removed: 0 };
    const { generation, sourceHash, durationSeconds } = status;
    if (result !== 'unchanged') {
      const event = { generation, sourceHash, durationSeconds, time: status.time, result };
      if (published === undefined) history.refused(event);
      else
        history.served(
          { ...event, ...(published.state !== undefined && { state: published.state }) },
          publisher.entries,
        );
    }
    const fields = {
      result,
      generation,
      sourceHash,
      // Not documents: one may become several, and several one.
      entries: { added, changed, removed },
      problems: problems.length,
      durationSeconds,
    };
    if (result === 'partial' || result === 'refused') log.warn('configuration read', { ...fields, refused });
    else if (result === 'applied') log.info('configuration read', fields);
    else log.debug('configuration read', fields);
    send({ type: 'Status', status });
    const first = publisher.generation === 0 && servedGeneration === 0;
    if (first && refused !== undefined) this.#fail(refused, problems, translation.entries);
  }

  #hasResources(): boolean {
    return [...this.#store.resources.values()].some(({ accepted }) => accepted !== undefined);
  }

  /** The first configuration cannot be served at all. */
  #fail(refused: string, problems: readonly Problem[], entries: ReadonlyMap<string, Entry>): void {
    const { strict, send } = this.#options;
    const failures = [...this.#failures.byKey.entries()].filter(([key]) => key.startsWith('Listener/'));
    const hasResources = this.#hasResources();
    // Good documents wait for a Gateway that is refused: not ready, but there when it is repaired (G11).
    const waits = !strict && hasResources && failures.length === 0 && entries.size > 0;
    if (waits) return;
    const [failure] = failures;
    const nothing = hasResources ? refused : `nothing to serve: ${problems[0]?.message ?? refused}`;
    const message = failure === undefined ? nothing : `${failure[0]}: ${failure[1].message}`;
    send({ type: 'Fatal', message, problems });
  }
}

function problemsOf({ outcomes }: Translation): readonly Problem[] {
  return [...outcomes.values()].flatMap((outcome) => outcome.problems);
}
