import { frozenFiles } from '../controller/source/frozen-mounts.ts';
import type { Problem } from '../snapshot/messages.ts';

/** What keeps a new token from being seen, so that the old one stays good: a mount of the file alone. */
export function tokenWarnings(tokenFile: string | undefined): readonly Problem[] {
  const why = tokenFile === undefined ? undefined : frozenFiles([tokenFile]).get(tokenFile);
  return why === undefined ? [] : [{ at: tokenFile ?? '', path: '--admin-token-file', message: why }];
}
