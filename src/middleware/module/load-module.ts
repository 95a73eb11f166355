import { createHash } from 'node:crypto';
import { readFile, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { MiddlewareFactory } from '../contract.ts';

/**
 * Imports a module of a user's own. Only files whose real place is under the modules directory count, so that no link leads
 * out of it. A module is known by its content: another content is another module, while the same one is shared by
 * all its users. The JavaScript engine never forgets a module: old versions stay in memory until the program ends.
 */
export async function loadModule(modulesDir: string | undefined, path: string): Promise<MiddlewareFactory> {
  if (modulesDir === undefined) throw new Error('modules are allowed only with --modules-dir');
  const root = await realpath(modulesDir);
  const file = await realpath(join(root, path));
  if (!file.startsWith(root.endsWith(sep) ? root : root + sep)) {
    throw new Error(`${path} leads out of the modules directory`);
  }
  const url = pathToFileURL(file);
  url.searchParams.set(
    'sha',
    createHash('sha256')
      .update(await readFile(file))
      .digest('hex'),
  );
  const { default: factory } = (await import(url.href)) as { readonly default?: unknown };
  if (typeof factory !== 'function') throw new Error(`${path} has no default export that is a function`);
  return factory as MiddlewareFactory;
}
