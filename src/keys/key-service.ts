import type { SecureContext } from 'node:tls';
import type { KeyMaterial } from '../snapshot/messages.ts';
import type { KeyReference } from '../snapshot/model.ts';
import type { Logger } from '../telemetry/log.ts';
import { systemClock } from './clock.ts';
import type { KeysClock } from './clock.ts';
import { decodeSecret } from './decode-secret.ts';
import { fetchJwks } from './fetch-jwks.ts';
import { checkJwkSet } from './jwk-set.ts';
import { readSourceFile } from './read-source.ts';
import { openRemoteJwks } from './remote-jwks.ts';
import type { RemoteJwks } from './remote-jwks.ts';

export interface KeyServiceOptions {
  readonly log: Logger;
  /** Key sets that changed by themselves: those behind a URL. */
  readonly onChange: (materials: readonly KeyMaterial[]) => void;
  readonly clock?: KeysClock;
  /** Default: the process's. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Whom `https:` key sets are verified by; default: the CAs of Node. */
  readonly trust?: () => SecureContext;
  readonly fetch?: typeof fetchJwks;
}

/** Key bytes for all workers, held by the main thread: secrets and key sets by reference. */
export interface KeyService {
  /**
   * The material of each reference, in any order; loads what is not there in this version yet. Never rejects: what is not
   * available comes with `error`. A URL that is new is waited for 2 s at most.
   */
  load(references: readonly KeyReference[]): Promise<readonly KeyMaterial[]>;
  /**
   * The material of each reference as far as it can be had without asking anybody for it: a URL counts where it is in use
   * already. Nothing is kept. Never rejects.
   */
  peek(references: readonly KeyReference[]): Promise<readonly KeyMaterial[]>;
  /** The references in use from now on; all others are forgotten and no longer fetched. */
  retain(references: readonly KeyReference[]): void;
  /** A worker saw an unknown `kid`. Resolves when a newer set came (after `onChange`) or none is to be had. */
  refresh(id: string): Promise<void>;
  close(): void;
}

const firstFetchMs = 2000;

export function createKeyService(options: KeyServiceOptions): KeyService {
  const { log, onChange, clock = systemClock, environment = process.env, trust } = options;
  const fetch = options.fetch ?? ((request) => fetchJwks({ ...request, trust }));
  /** By id and version, since a candidate may bring another version of what is in use. */
  const loaded = new Map<string, Promise<KeyMaterial>>();
  const remotes = new Map<string, RemoteJwks>();
  let isClosed = false;

  const loadStatic = (reference: KeyReference): Promise<KeyMaterial> => {
    const name = nameOf(reference);
    const known = loaded.get(name);
    if (known !== undefined) return known;
    const loading = readMaterial(reference, environment, log);
    loaded.set(name, loading);
    // What failed is tried again when it is asked for again.
    void loading.then(
      ({ error }) => error !== undefined && loaded.get(name) === loading && loaded.delete(name),
    );
    return loading;
  };
  const loadRemote = async (id: string, url: string): Promise<KeyMaterial> => {
    let remote = remotes.get(id);
    if (remote === undefined) {
      if (url.startsWith('http:'))
        log.warn('a key set is fetched without TLS: who is on the way can replace it', { url });
      remote = openRemoteJwks({ id, url, log, clock, fetch, onChange: (material) => onChange([material]) });
      remotes.set(id, remote);
    }
    if (remote.material().jwks === undefined) await waitAtMost(clock, firstFetchMs, remote.firstAttempt);
    return remote.material();
  };

  return {
    load(references) {
      const wanted = new Map(references.map((reference) => [nameOf(reference), reference] as const));
      return Promise.all(
        [...wanted.values()].map((reference) =>
          'url' in reference.source && !isClosed
            ? loadRemote(reference.id, reference.source.url)
            : loadStatic(reference),
        ),
      );
    },
    peek: (references) =>
      Promise.all(
        references.map(async (reference) => {
          const { id, version, source } = reference;
          if (!('url' in source))
            return loaded.get(nameOf(reference)) ?? readMaterial(reference, environment, log);
          return remotes.get(id)?.material() ?? { id, version, error: `${source.url}: is not in use` };
        }),
      ),
    retain(references) {
      const names = new Set(references.map(nameOf));
      const ids = new Set(references.map(({ id }) => id));
      for (const name of loaded.keys()) if (!names.has(name)) loaded.delete(name);
      for (const [id, remote] of remotes) {
        if (ids.has(id)) continue;
        remote.close();
        remotes.delete(id);
      }
    },
    async refresh(id) {
      await remotes.get(id)?.refresh();
    },
    close() {
      isClosed = true;
      for (const remote of remotes.values()) remote.close();
      remotes.clear();
      loaded.clear();
    },
  };
}

function nameOf({ id, version }: KeyReference): string {
  return JSON.stringify([id, version]);
}

async function readMaterial(
  { id, version, kind, source, encoding = 'Utf8' }: KeyReference,
  environment: Readonly<Record<string, string | undefined>>,
  log: Logger,
): Promise<KeyMaterial> {
  const place = 'file' in source ? source.file : 'env' in source ? `environment variable ${source.env}` : id;
  try {
    const content = await contentOf(source, environment);
    if (kind === 'Secret') return { id, version, secret: decodeSecret(content, encoding) };
    const { jwks, warnings } = checkJwkSet(Buffer.from(content).toString('utf8'));
    for (const problem of warnings) log.warn('a key of a key set is not used', { source: place, problem });
    return { id, version, jwks };
  } catch (error) {
    const message = `${place}: ${error instanceof Error ? error.message : String(error)}`;
    log.warn('a secret or key set cannot be used', { error: message });
    return { id, version, error: message };
  }
}

async function contentOf(
  source: KeyReference['source'],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Uint8Array> {
  if ('file' in source) return readSourceFile(source.file);
  if ('inline' in source) return Buffer.from(source.inline, 'utf8');
  if ('url' in source) throw new Error('closed');
  const value = environment[source.env];
  if (value === undefined) throw new Error('is not set');
  return Buffer.from(value, 'utf8');
}

function waitAtMost(clock: KeysClock, ms: number, promise: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(ms, resolve);
    void promise.then(() => {
      cancel();
      resolve();
    });
  });
}
