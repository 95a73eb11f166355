import type { Problem } from '../../snapshot/messages.ts';
import type { Store, Stored } from '../store/store.ts';

/**
 * References to files whose updates never show, each with its place.
 * @param frozen file as references name it → why
 */
export function frozenReferenceWarnings(
  { resources }: Store,
  frozen: ReadonlyMap<string, string>,
): readonly Problem[] {
  // Hardly ever any: then no resource is looked at.
  if (frozen.size === 0) return [];
  const warnings: Problem[] = [];
  for (const stored of resources.values()) {
    for (const { path, file } of referencesOf(stored)) {
      const why = frozen.get(file);
      if (why === undefined) continue;
      const at = stored.accepted?.locate(path) ?? stored.at;
      warnings.push({ at, path, message: `${file} ${why}` });
      if (warnings.length >= maxWarnings) return warnings;
    }
  }
  return warnings;
}

/** Each needs its place, and these are found by reading the document again. */
const maxWarnings = 1000;

interface Reference {
  /** `spec.jwt.issuers[0].secret.file` */
  readonly path: string;
  readonly file: string;
}

function referencesOf({ accepted }: Stored): readonly Reference[] {
  const references: Reference[] = [];
  const look = (node: unknown, path: string): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const [key, child] of Object.entries(node)) {
      const at = Array.isArray(node) ? `${path}[${key}]` : `${path}.${key}`;
      const isReference = key === 'file' || (key === 'path' && path.endsWith('.module'));
      if (isReference && typeof child === 'string') references.push({ path: at, file: child });
      else look(child, at);
    }
  };
  look((accepted?.resource as { readonly spec?: unknown } | undefined)?.spec, 'spec');
  return references;
}
