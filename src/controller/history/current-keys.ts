import type { Entry, MiddlewareSnapshot } from '../../snapshot/model.ts';
import { translateMiddleware } from '../translate/middleware.ts';
import type { Surroundings } from '../translate/middleware.ts';

/**
 * Old entries with the secrets, key sets and modules of today: their bytes are never kept, and a secret that was replaced
 * must not come back. What cannot be had keeps its old version, which nobody can load: it fails closed.
 */
export function withCurrentKeys(
  entries: ReadonlyMap<string, Entry>,
  around: Surroundings,
): ReadonlyMap<string, Entry> {
  const changed = new Map<string, Entry>();
  for (const { key, hash, json } of entries.values()) {
    if (!key.startsWith('Middleware/')) continue;
    const { name, type, config, keys, fileVersions = [] } = JSON.parse(json) as MiddlewareSnapshot;
    if (keys.length + fileVersions.length === 0) continue;
    const result = translateMiddleware({ key, name, block: { type, config } }, around);
    if ('entry' in result && result.entry.hash !== hash) changed.set(key, result.entry);
  }
  return changed.size === 0 ? entries : new Map([...entries, ...changed]);
}
