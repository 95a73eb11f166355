import type { ReadSet, SourceFile } from './source.ts';

/** Larger files are read as configuration, and say so themselves if they are none. */
const maxBytes = 1024 * 1024;

/**
 * Is a file there for somebody else? ConfigMaps hold `jwks.json` and the like beside resources. Only JSON that names neither
 * `apiVersion` nor `kind` anywhere: YAML without them is more likely a resource that somebody forgot them in.
 */
export function isNeighbour(file: SourceFile): boolean {
  return contentOf(file) !== undefined;
}

/** A word on each of them, but key sets: a file that was meant as a resource must not be passed over in silence. */
export function neighbourRemarks({ files }: Pick<ReadSet, 'files'>): ReadSet['remarks'] {
  return files.flatMap((file) => {
    const content = contentOf(file);
    if (content === undefined || isKeySet(content.value)) return [];
    return [{ path: file.path, message: 'holds neither apiVersion nor kind: no resource is read from it' }];
  });
}

function contentOf({ relative, content }: SourceFile): { readonly value: unknown } | undefined {
  if (!relative.endsWith('.json') || content.state !== 'read') return undefined;
  const { bytes } = content;
  if (bytes.length > maxBytes || bytes.includes('apiVersion') || bytes.includes('"kind"')) return undefined;
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof value === 'object' && value !== null ? { value } : undefined;
  } catch {
    return undefined;
  }
}

/** RFC 7517, section 5. */
function isKeySet(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'keys' in value && Array.isArray(value.keys);
}
