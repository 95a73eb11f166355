/** Resource that an entry belongs to: `Middleware/ns/name@ns/route` → `Middleware/ns/name`. */
export function ownerOf(key: string): string {
  const inline = /^Middleware\/(Gateway\/)?([^#@]*)#/.exec(key);
  if (inline !== null) return inline[1] === undefined ? `Route/${inline[2]}` : `Gateway/${inline[2]}`;
  return key.replace(/@.*$/, '');
}

/** Entries that no single resource owns. */
export function isShared(key: string): boolean {
  return key === 'Edge' || key.startsWith('Listener/') || key.startsWith('Upstream/http');
}

export function isOwnerless(key: string): boolean {
  return key === 'Edge' || key === 'Listener/default';
}
