import type { HeaderList } from './header-list.ts';
import { parseHost } from './host.ts';
import { refusals } from './refusals.ts';
import type { Refusal } from './refusals.ts';
import type { Matched } from './rule.ts';
import type { MatchResult, RoutingTable } from './table.ts';
import { parseTarget } from './target.ts';

/** A request as it arrived. */
export interface ArrivedRequest {
  /** Listener that took it; undefined: routes of every listener are considered. */
  readonly listener: string | undefined;
  readonly method: string;
  /** Origin form, as sent. */
  readonly target: string;
  /** Host as sent; '' for none. */
  readonly authority: string;
  readonly headers: HeaderList;
}

/** Where a request goes: `match` or `refusal`, never both. */
export interface RoutedRequest<T> {
  /** '' as long as the path was refused. */
  readonly host: string;
  /** Normalised; '' if path or host were refused. */
  readonly path: string;
  readonly query: string;
  readonly match: Matched<T> | undefined;
  readonly refusal: Refusal | undefined;
  /** Why it is ambiguous, for explanations. */
  readonly ambiguity?: Extract<MatchResult<T>, { readonly kind: 'ambiguous' }>;
}

/**
 * From what arrived to a route, or to the answer that there is none: one normalised path, one host, one look into the
 * table (G7). The data plane and the simulation both decide by this.
 */
export function routeRequest<T>(table: RoutingTable<T>, request: ArrivedRequest): RoutedRequest<T> {
  const target = parseTarget(request.target);
  if (target.rejected !== undefined) return refused('', '', '', refusals.pathRejected);
  const host = parseHost(request.authority);
  if (host === undefined) return refused('', '', '', refusals.hostRejected);
  const { path, query } = target;
  const { listener, method, headers } = request;
  const match = table.match({ listener, host, path, method, headers, query });
  switch (match.kind) {
    case 'matched':
      return { host, path, query, match, refusal: undefined };
    case 'none':
      return refused(host, path, query, refusals.routeNotFound);
    case 'method-not-allowed': {
      const refusal = { ...refusals.methodNotAllowed, headers: ['allow', match.allow.join(', ')] };
      return refused(host, path, query, refusal);
    }
    case 'ambiguous':
      return { ...refused<T>(host, path, query, refusals.pathRejected), ambiguity: match };
  }
}

function refused<T>(host: string, path: string, query: string, refusal: Refusal): RoutedRequest<T> {
  return { host, path, query, match: undefined, refusal };
}
