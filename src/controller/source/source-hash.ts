import { createHash } from 'node:crypto';

/**
 * Hash of a set of files that others can compute too: sha256 of what `sha256sum` lists (`<hex>  <relative path>\n`),
 * sorted by path. Files that cannot be read are not listed.
 */
export function sourceHash(
  files: readonly { readonly relative: string; readonly hash: string | undefined }[],
): string {
  const lines = files
    .filter((file) => file.hash !== undefined)
    .map((file) => ({ relative: file.relative, line: `${file.hash}  ${file.relative}\n` }))
    .sort((a, b) => (a.relative < b.relative ? -1 : a.relative > b.relative ? 1 : a.line < b.line ? -1 : 1));
  const hash = createHash('sha256');
  for (const { line } of lines) hash.update(line);
  return hash.digest('hex');
}
