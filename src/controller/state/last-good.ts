import { createHash } from 'node:crypto';
import { join, relative } from 'node:path';
import type { Problem } from '../../snapshot/messages.ts';
import type { Logger } from '../../telemetry/log.ts';
import type { Clock } from '../clock.ts';
import type { ParsedDocument, TextOrigin } from '../parse/parsed-file.ts';
import type { Parser } from '../parse/parser.ts';
import { readBytes } from '../source/read-bytes.ts';
import { reasonOf } from '../source/reason-of.ts';
import type { Store, Stored } from '../store/store.ts';
import { emptyStore } from '../store/store.ts';
import type { State, StateDocument } from './state-file.ts';
import { decodeState, encodeState } from './state-file.ts';
import { writeFileWhole } from './write-file.ts';

export interface LastGoodOptions {
  readonly directory: string;
  /** The `--config` paths: documents are known by their number and the path below. */
  readonly paths: readonly string[];
  readonly clock: Clock;
  readonly log: Logger;
}

export interface Restored {
  /** What was accepted when the last process ended, as if it had been read from its files. */
  readonly store: Store<ParsedDocument>;
  readonly fallbackSince: ReadonlyMap<string, number>;
}

const fileName = 'last-good.json';
const maxBytes = 512 * 1024 * 1024;
/** Edits that come in a row are written once. */
const writeAfterMs = 200;

/**
 * The last accepted documents on the disk, so that a start with a broken file serves what was served before. The rules of
 * the store decide what of it counts: a document whose file has gone meanwhile, or no longer holds it, goes too.
 * Nothing here is ever fatal: what cannot be read or written is said and left.
 */
export class LastGood {
  readonly #options: LastGoodOptions;
  #problem: Problem | undefined;
  #waiting: (() => Omit<State, 'savedAt'>) | undefined;
  #cancel: (() => void) | undefined;
  #writing: Promise<void> = Promise.resolve();
  /** Hash of what is on the disk. */
  #saved = '';

  constructor(options: LastGoodOptions) {
    this.#options = options;
  }

  /** What is wrong with the state directory. */
  get problem(): Problem | undefined {
    return this.#problem;
  }

  /** Reads the state once, before any file. */
  restore(parser: Parser): Restored {
    const { directory, log, clock } = this.#options;
    const path = join(directory, fileName);
    const found = readBytes(path, maxBytes);
    const nothing: Restored = { store: emptyStore, fallbackSince: new Map() };
    try {
      if (found.state === 'unreadable' && found.reason === 'does not exist') return nothing;
      if (found.state !== 'read')
        throw new Error(found.state === 'moved' ? 'is being written' : found.reason);
      const state = decodeState(found.bytes.toString('utf8'));
      const store = this.#storeOf(state, parser);
      const ageSeconds = Math.round((clock.now() - state.savedAt) / 1000);
      log.info('last good documents read', { resources: store.resources.size, ageSeconds });
      return { store, fallbackSince: new Map(Object.entries(state.fallbackSince)) };
    } catch (error) {
      this.#report(path, `${reasonOf(error)}; it is ignored and written anew`);
      return nothing;
    }
  }

  /** Remembers what is accepted and served now; written a little later. */
  save(store: Store<ParsedDocument>, fallbackSince: ReadonlyMap<string, number>): void {
    this.#waiting = () => ({
      documents: this.#documentsOf(store),
      fallbackSince: Object.fromEntries(fallbackSince),
    });
    this.#cancel ??= this.#options.clock.after(writeAfterMs, () => this.#write());
  }

  /** Writes what waits. */
  async close(): Promise<void> {
    this.#write();
    await this.#writing;
  }

  #write(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) return;
    const { directory, clock } = this.#options;
    this.#writing = this.#writing.then(async () => {
      const content = waiting();
      const print = createHash('sha256').update(JSON.stringify(content)).digest('base64');
      if (print === this.#saved) return;
      try {
        await writeFileWhole(directory, fileName, encodeState({ savedAt: clock.now(), ...content }));
        this.#saved = print;
        this.#problem = undefined;
      } catch (error) {
        this.#report(directory, `the last good documents cannot be written: ${reasonOf(error)}`);
      }
    });
  }

  #report(at: string, message: string): void {
    if (this.#problem?.message !== message)
      this.#options.log.warn('state directory', { at, reason: message });
    this.#problem = {
      at,
      path: '',
      message,
      hint: 'a restart with a broken file could not serve its last good version',
    };
  }

  #documentsOf(store: Store<ParsedDocument>): readonly StateDocument[] {
    const { paths } = this.#options;
    // The items of a List come from one text.
    const documents = new Map<TextOrigin, StateDocument & { readonly keys: string[] }>();
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
          text: origin.text(),
          keys: [key],
        });
      }
    }
    return [...documents.values()];
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
