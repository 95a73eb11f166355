import { join, relative } from 'node:path';
import type { Logger } from '../../telemetry/log.ts';
import type { Clock } from '../clock.ts';
import type { ParsedDocument, TextOrigin } from '../parse/parsed-file.ts';
import type { Parser } from '../parse/parser.ts';
import { reasonOf } from '../source/reason-of.ts';
import type { Store, Stored } from '../store/store.ts';
import type { State, StateDocument, WrittenState } from './state-file.ts';
import { decodeState, encodeState, printOf } from './state-file.ts';
import type { StateMedium } from './state-medium.ts';
import type { StateTrouble } from './state-trouble.ts';

export interface LastGoodOptions {
  /** All are written; the first that holds anything is read. */
  readonly media: readonly StateMedium[];
  /** The `--config` paths: documents are known by their number and the path below. */
  readonly paths: readonly string[];
  readonly trouble: StateTrouble;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface Restored {
  /** What was accepted when it was kept, as if it had been read from its files. */
  readonly store: Store<ParsedDocument>;
  readonly fallbackSince: ReadonlyMap<string, number>;
}

type Content = Omit<WrittenState, 'savedAt'>;

/** Edits that come in a row are written once. */
const writeAfterMs = 200;
/** Where writing takes long it waits longer, so that it never has more than a twentieth of the time. */
const restFactor = 20;
/** What could not be written is tried again: a disk has room again without a change of the configuration. */
const retryAfterMs = 5000;

/**
 * The last accepted documents, so that a start with a broken file serves what was served before, and so does this thread
 * when it was started again after a crash. The rules of the store decide what of it counts: a document whose file has gone
 * meanwhile, or no longer holds it, goes too. Nothing here is ever fatal: what cannot be read or written is said and left.
 */
export class LastGood {
  readonly #options: LastGoodOptions;
  #waiting: (() => Content) | undefined;
  /** The first time at once: until then a crash would leave nothing behind. */
  #waitMs = 0;
  #cancel: (() => void) | undefined;
  #writing: Promise<void> = Promise.resolve();
  /** Print of what each medium holds. */
  readonly #saved = new Map<StateMedium, string>();
  #closed = false;

  constructor(options: LastGoodOptions) {
    this.#options = options;
  }

  /** Reads the state once, before any file. Undefined: there is none, or it is damaged. */
  restore(parser: Parser): Restored | undefined {
    const { media, trouble, log, clock } = this.#options;
    for (const medium of media) {
      try {
        const text = medium.read();
        if (text === undefined) continue;
        const state = decodeState(text);
        const store = this.#storeOf(state, parser);
        const ageSeconds = Math.round((clock.now() - state.savedAt) / 1000);
        log.info('last good documents read', { resources: store.resources.size, ageSeconds });
        return { store, fallbackSince: new Map(Object.entries(state.fallbackSince)) };
      } catch (error) {
        trouble.report(medium.place, `${reasonOf(error)}; it is ignored and written anew`);
      }
    }
    return undefined;
  }

  /** Remembers what is accepted and served now; written a little later. */
  save(store: Store<ParsedDocument>, fallbackSince: ReadonlyMap<string, number>): void {
    const since = Object.fromEntries(fallbackSince);
    this.#waiting = () => ({ documents: this.#documentsOf(store), fallbackSince: since });
    this.#writeAfter(this.#waitMs);
  }

  /** Writes what waits. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#write();
    await this.#writing;
  }

  #writeAfter(ms: number): void {
    if (!this.#closed) this.#cancel ??= this.#options.clock.after(ms, () => this.#write());
  }

  #write(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) this.#writing = this.#writing.then(() => this.#writeAll(waiting));
  }

  async #writeAll(waiting: () => Content): Promise<void> {
    const { media, trouble, clock } = this.#options;
    const started = clock.now();
    const content = waiting();
    const print = printOf(content);
    let state: Uint8Array | undefined;
    for (const medium of media) {
      if (this.#saved.get(medium) === print) continue;
      state ??= encodeState({ savedAt: clock.now(), ...content });
      try {
        await medium.write(state);
        this.#saved.set(medium, print);
        trouble.clear(medium.place);
      } catch (error) {
        trouble.report(medium.place, `the last good documents cannot be written: ${reasonOf(error)}`);
        this.#waiting ??= waiting;
        this.#writeAfter(retryAfterMs);
      }
    }
    this.#waitMs = Math.max(writeAfterMs, restFactor * (clock.now() - started));
  }

  #documentsOf(store: Store<ParsedDocument>): Iterable<StateDocument> {
    const { paths } = this.#options;
    // The items of a List come from one text.
    const documents = new Map<TextOrigin, Omit<StateDocument, 'text'> & { readonly keys: string[] }>();
    for (const { key, root, file, accepted } of store.resources.values()) {
      if (accepted === undefined) continue;
      const { origin, linesBefore } = accepted;
      const known = documents.get(origin);
      if (known !== undefined) known.keys.push(key);
      else {
        const source = paths.indexOf(root);
        documents.set(origin, {
          source,
          file: relative(root, file),
          linesBefore,
          keys: [key],
        });
      }
    }
    return {
      *[Symbol.iterator]() {
        for (const [origin, document] of documents) yield { ...document, text: origin.text() };
      },
    };
  }

  #storeOf({ documents }: State, parser: Parser): Store<ParsedDocument> {
    const resources = new Map<string, Stored<ParsedDocument>>();
    for (const { source, file, linesBefore, text, keys } of documents) {
      const root = this.#options.paths[source];
      if (root === undefined) continue;
      const path = file === '' ? root : join(root, file);
      for (const document of parser.parseText({ path, linesBefore, text })) {
        const { key, kind, namespace, name, at } = document;
        // Another version of the program may see it differently.
        if (key === undefined || !document.accepted || !keys.includes(key)) continue;
        resources.set(key, {
          key,
          kind,
          namespace,
          name,
          root,
          file: path,
          at,
          accepted: document,
          problems: [],
        });
      }
    }
    return { resources, problems: [], unidentified: 0 };
  }
}
