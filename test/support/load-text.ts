import { createHash } from 'node:crypto';
import { loadDirectory } from '../../src/controller/load.ts';
import type { Loaded } from '../../src/controller/load.ts';

/** Files by name, as `serve` would take them at its first start; nothing is written to disk, no secret is needed. */
export function loadText(files: Readonly<Record<string, string>>): Promise<Loaded> {
  return loadDirectory([], {
    offline: true,
    files: Object.entries(files).map(([name, text]) => {
      const bytes = Buffer.from(text);
      const hash = createHash('sha256').update(bytes).digest('hex');
      return {
        root: name,
        path: name,
        relative: name,
        stamp: hash,
        swapped: false,
        content: { state: 'read', hash, bytes },
      };
    }),
  });
}
