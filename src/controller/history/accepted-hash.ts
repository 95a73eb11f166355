import { createHash } from 'node:crypto';
import type { Store } from '../store/store.ts';

/** Equal as long as the accepted versions of all documents are the same; what was refused does not count. */
export function acceptedHash({ resources }: Store): string {
  const lines = [...resources.values()].flatMap(({ key, accepted }) =>
    accepted === undefined ? [] : [`${key} ${accepted.hash}\n`],
  );
  return createHash('sha256').update(lines.sort().join('')).digest('hex');
}
