import type { ParsedDocument, ParsedFile } from '../parse/parsed-file.ts';
import type { Parser } from '../parse/parser.ts';
import type { StoreFile } from '../store/document.ts';
import { isNeighbour } from './neighbour.ts';
import type { ReadSet } from './source.ts';

/** Files as the store takes them. Ends a generation of the parser: what this set does not hold is forgotten. */
export function parseSet(set: ReadSet, parser: Parser): readonly StoreFile<ParsedDocument>[] {
  const files = set.files.map((file): StoreFile<ParsedDocument> => {
    const { root, path, content } = file;
    if (content.state === 'restless') return { root, path, content };
    if (content.state === 'unreadable') {
      const problems = [{ at: path, path: '', message: content.reason }];
      return { root, path, content: { state: 'unreadable', problems } };
    }
    // Nothing is in it; if it held resources before, the store takes that for a mistake and keeps them.
    if (isNeighbour(file)) return { root, path, content: noResources };
    return {
      root,
      path,
      content: toContent(parser.parseFile({ path, hash: content.hash, bytes: () => content.bytes })),
    };
  });
  parser.sweep();
  return files;
}

const noResources = { state: 'read', documents: [], problems: [], whole: true } as const;

function toContent({ documents, problems, whole }: ParsedFile): StoreFile<ParsedDocument>['content'] {
  return { state: 'read', documents, problems, whole };
}

/**
 * May a broken file hold a Gateway? Looked for in the text, since it cannot be parsed. Where its text is out of reach
 * (no permission, too large) the answer is yes: the default listener must not open what a Gateway would have closed (G11).
 */
export function mayHoldGateway(set: ReadSet, files: readonly StoreFile[]): boolean {
  return set.files.some(({ path, content }, index) => {
    if (content.state === 'restless') return true;
    if (content.state === 'unreadable') return /permission|larger/.test(content.reason);
    const parsed = files[index];
    if (parsed?.path !== path || parsed.content.state !== 'read') return true;
    const broken = !parsed.content.whole || parsed.content.documents.some(({ key }) => key === undefined);
    return broken && /kind["']?\s*:\s*["']?Gateway/.test(content.bytes.toString('latin1'));
  });
}
