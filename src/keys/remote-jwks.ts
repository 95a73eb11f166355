import { createHash } from 'node:crypto';
import type { KeyMaterial } from '../snapshot/messages.ts';
import type { Logger } from '../telemetry/log.ts';
import type { KeysClock } from './clock.ts';
import type { fetchJwks } from './fetch-jwks.ts';
import { checkJwkSet } from './jwk-set.ts';

export interface RemoteJwksOptions {
  readonly id: string;
  readonly url: string;
  readonly log: Logger;
  readonly clock: KeysClock;
  readonly fetch: typeof fetchJwks;
  /** Another key set came. */
  readonly onChange: (material: KeyMaterial) => void;
}

/** A key set that is fetched now and then. The last good one is kept, however often fetching fails. */
export interface RemoteJwks {
  /** What is there; with `error` as long as nothing was ever fetched. */
  material(): KeyMaterial;
  /** Resolves when the first attempt has ended. */
  readonly firstAttempt: Promise<void>;
  /** Fetches now, unless that was tried lately; resolves when there is nothing more to wait for. */
  refresh(): Promise<void>;
  close(): void;
}

const timeoutMs = 5000;
/** How long a set is taken to be fresh: by Cache-Control within bounds, so that neither a mistake nor an attack on it hurts. */
const freshMs = { least: 60_000, most: 3_600_000, otherwise: 300_000 };
const backoffMs = { first: 1000, most: 300_000 };
/** Tokens with an unknown key are free to make: they cause at most one request in this time. */
const cooldownMs = 10_000;

export function openRemoteJwks({ id, url, log, clock, fetch, onChange }: RemoteJwksOptions): RemoteJwks {
  const aborted = new AbortController();
  let material: KeyMaterial = { id, version: 'none', error: `${url}: not fetched yet` };
  let etag: string | undefined;
  let failures = 0;
  let startedAt = -Infinity;
  let attempt: Promise<void> | undefined;
  let cancelNext = (): void => {};

  const take = (text: string): void => {
    const { jwks, warnings } = checkJwkSet(text);
    const version = createHash('sha256').update(jwks).digest('base64url').slice(0, 16);
    if (version === material.version) return;
    for (const problem of warnings) log.warn('a key of a key set is not used', { url, problem });
    material = { id, version, jwks };
    log.info('key set fetched', { url, version });
    onChange(material);
  };
  const fetchOnce = async (): Promise<number> => {
    try {
      const signal = AbortSignal.any([aborted.signal, AbortSignal.timeout(timeoutMs)]);
      const fetched = await fetch({ url, signal, ...(etag !== undefined && { etag }) });
      // One at a time, so an older answer cannot come after a newer one; none counts after the end.
      if (aborted.signal.aborted) return 0;
      if (fetched.text !== undefined) take(fetched.text);
      etag = fetched.etag;
      failures = 0;
      const asked = fetched.maxAgeSeconds === undefined ? freshMs.otherwise : fetched.maxAgeSeconds * 1000;
      return Math.min(freshMs.most, Math.max(freshMs.least, asked));
    } catch (error) {
      if (aborted.signal.aborted) return 0;
      const message = `${url}: ${error instanceof Error ? error.message : String(error)}`;
      failures += 1;
      if (material.jwks === undefined) material = { id, version: 'none', error: message };
      log.warn('a key set could not be fetched', {
        url,
        error: message,
        kept: material.jwks !== undefined,
        failures,
      });
      return Math.min(backoffMs.most, backoffMs.first * 2 ** (failures - 1));
    }
  };
  const start = (): Promise<void> => {
    if (attempt !== undefined) return attempt;
    cancelNext();
    startedAt = clock.now();
    attempt = fetchOnce().then((delayMs) => {
      attempt = undefined;
      if (!aborted.signal.aborted) cancelNext = clock.after(delayMs, () => void start());
    });
    return attempt;
  };

  return {
    firstAttempt: start(),
    material: () => material,
    refresh() {
      if (attempt !== undefined) return attempt;
      if (aborted.signal.aborted || clock.now() - startedAt < cooldownMs) return Promise.resolve();
      return start();
    },
    close() {
      cancelNext();
      aborted.abort();
    },
  };
}
