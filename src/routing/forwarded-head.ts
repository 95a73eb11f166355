import { setForwardingHeaders } from './forwarding-headers.ts';
import type { ForwardedFacts } from './forwarding-headers.ts';
import type { HeaderList } from './header-list.ts';
import { stripHopByHop } from './strip-hop-by-hop.ts';

/**
 * Makes the fields of a request that has found its route those that middlewares see: nothing of the last hop, the truth
 * about the client, and a request id (`undefined`: it stands there already).
 */
export function toForwardedHead(
  headers: HeaderList,
  facts: ForwardedFacts,
  requestId: string | undefined,
): void {
  stripHopByHop(headers);
  setForwardingHeaders(headers, facts);
  if (requestId !== undefined) headers.set('x-request-id', requestId);
}
