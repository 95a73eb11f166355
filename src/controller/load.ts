import type { Problem } from '../snapshot/messages.ts';
import type { Entry } from '../snapshot/model.ts';
import { findMiddleware } from '../middleware/registry.ts';
import { Assertions } from './assert/assertions.ts';
import type { RouteTestResult } from './assert/route-tests.ts';
import { systemClock } from './clock.ts';
import { loadSchemas } from './parse/load-schemas.ts';
import type { ParsedDocument } from './parse/parsed-file.ts';
import type { Parser } from './parse/parser.ts';
import { createParser } from './parse/parser.ts';
import { defaultCaps } from './source/caps.ts';
import type { SourceCaps } from './source/caps.ts';
import { createKeyVersions, offlineKeyVersions } from './source/key-versions.ts';
import { neighbourRemarks } from './source/neighbour.ts';
import { mayHoldGateway, parseSet } from './source/parse-set.ts';
import { createSource } from './source/source.ts';
import type { SourceFile } from './source/source.ts';
import { sourceHash } from './source/source-hash.ts';
import type { Store, Stored } from './store/store.ts';
import { emptyStore, nextStore } from './store/store.ts';
import { createMemo } from './translate/draft.ts';
import { translate } from './translate/translate.ts';
import type { Translation } from './translate/translation.ts';
import { translationWarnings } from './translate/warnings.ts';

export interface LoadOptions {
  /** Reads no secrets and asks for none. */
  readonly offline?: boolean;
  readonly caps?: Partial<SourceCaps>;
  /** Default: the process environment. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Read already: standard input. */
  readonly files?: readonly SourceFile[];
}

/** A configuration as `serve` would take it at its first start. */
export interface Loaded {
  readonly entries: ReadonlyMap<string, Entry>;
  readonly resources: ReadonlyMap<string, Stored<ParsedDocument>>;
  /** What refuses a document or leaves a reference open. */
  readonly problems: readonly Problem[];
  /** What works, but hardly as meant. */
  readonly warnings: readonly Problem[];
  readonly sourceHash: string;
  readonly files: number;
  readonly translation: Translation;
  /** What became of the RouteTests. */
  readonly tests: readonly RouteTestResult[];
}

/** Reads, validates and translates directories and files once; starts nothing, watches nothing, serves nothing. */
export async function loadDirectory(paths: readonly string[], options: LoadOptions = {}): Promise<Loaded> {
  const caps = { ...defaultCaps, ...options.caps };
  const source = createSource({ paths, caps, clock: systemClock });
  const read = await source.read();
  const set = { ...read, files: [...read.files, ...(options.files ?? [])] };
  const files = parseSet(set, openParser(caps));
  const store: Store<ParsedDocument> = nextStore<ParsedDocument>(emptyStore, { files, missing: set.missing });
  const keys =
    options.offline === true ? offlineKeyVersions : createKeyVersions(options.environment ?? process.env);
  const translated = translate(
    {
      store,
      find: findMiddleware,
      keyState: (request) => keys.state(request),
      moduleState: (path) => keys.module(path),
      last: undefined,
      defaultListener: !holdsGateway(store) && !mayHoldGateway(set, files),
      failed: new Map(),
    },
    createMemo(),
  );
  const { translation, results } = await new Assertions().judge(translated, undefined, store);
  return {
    entries: translation.entries,
    resources: store.resources,
    problems: [
      ...store.problems,
      ...[...translation.outcomes.values()].flatMap((outcome) => outcome.problems),
    ],
    warnings: [
      ...remarksOf([...set.remarks, ...neighbourRemarks(set)]),
      ...translationWarnings(translation, store, keys.frozen()),
    ],
    sourceHash: sourceHash(
      set.files.map(({ relative, content }) => ({
        relative,
        hash: content.state === 'read' ? content.hash : undefined,
      })),
    ),
    files: set.files.length,
    translation,
    tests: results,
  };
}

/** The parser with the middlewares that there are. */
export function openParser(caps: SourceCaps): Parser {
  return createParser(loadSchemas(), {
    checkMiddleware: (type, config) => findMiddleware(type)?.check?.(config) ?? [],
    maxFileBytes: caps.maxFileBytes,
  });
}

/** Good or bad: a Gateway that is refused counts (G11). */
export function holdsGateway(store: Store): boolean {
  return [...store.resources.values()].some(({ kind }) => kind === 'Gateway');
}

export function remarksOf(
  remarks: readonly { readonly path: string; readonly message: string }[],
): readonly Problem[] {
  return remarks.map(({ path, message }) => ({ at: path, path: '', message }));
}
