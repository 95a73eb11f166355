import type { FieldChange } from './field-changes.ts';

/**
 * What of a decision changes: which route takes the request; the answer, or who gives it; where it is forwarded to; path or
 * query; the fields that the upstream gets; `middleware`: none of these, but other middlewares, or one of them otherwise.
 */
export const changeKinds = ['route', 'status', 'upstream', 'url', 'headers', 'middleware'] as const;
export type ChangeKind = (typeof changeKinds)[number];

const kindOfField: Readonly<Record<string, ChangeKind>> = {
  route: 'route',
  status: 'status',
  code: 'status',
  answeredBy: 'status',
  headers: 'status',
  upstreams: 'upstream',
  path: 'url',
  query: 'url',
  requestHeaders: 'headers',
  hostHeader: 'headers',
};

/** The changes of `noticeable` that speak for themselves, each with its kind. */
export function kindsOf(fields: readonly FieldChange[]): Map<ChangeKind, readonly FieldChange[]> {
  const isAnswer = ({ path }: FieldChange): boolean => rootOf(path) === 'route' || kindAt(path) === 'status';
  // Answered here, forwarded there: all that belongs to forwarding differs, and says nothing more.
  const isCutShort = fields.some(
    ({ path, from, to }) => path === 'status' && (from === undefined || to === undefined),
  );
  const telling = isCutShort
    ? fields.filter(isAnswer)
    : fields.filter(({ path }) => kindAt(path) !== undefined);
  const kinds = new Map<ChangeKind, FieldChange[]>();
  for (const field of telling.length === 0 ? fields : telling) {
    const kind = kindAt(field.path) ?? 'middleware';
    kinds.set(kind, [...(kinds.get(kind) ?? []), field]);
  }
  return new Map(
    changeKinds
      .flatMap((kind) => [[kind, kinds.get(kind) ?? []] as const])
      .filter(([, all]) => all.length > 0),
  );
}

function kindAt(path: string): ChangeKind | undefined {
  return kindOfField[rootOf(path)];
}

/** `requestHeaders.x-a[0]` → `requestHeaders` */
function rootOf(path: string): string {
  return path.split(/[.[]/, 1)[0] ?? '';
}
