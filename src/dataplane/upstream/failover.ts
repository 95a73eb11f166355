import type { Endpoint } from './endpoint.ts';
import type { Upstream } from './upstream.ts';

/** Endpoints that one exchange tries at the most. */
const maxTries = 3;

/**
 * Other endpoints for an exchange that could not connect: nothing was sent, so another one is always safe, whatever the
 * method. Made when the first try has failed, which few exchanges see.
 */
export class Failover {
  private readonly upstream: Upstream;
  private readonly tried: Endpoint[] = [];

  constructor(upstream: Upstream) {
    this.upstream = upstream;
  }

  /** The next one to try instead of `failed`; undefined: enough have been tried, or there is no other. `code`: why. */
  next(failed: Endpoint, code: string): Endpoint | undefined {
    const { upstream, tried } = this;
    tried.push(failed);
    const next = tried.length < maxTries ? upstream.pickOther(tried) : undefined;
    if (next !== undefined) upstream.series.retried(reasonOf(code));
    return next;
  }
}

function reasonOf(code: string): string {
  if (code === 'POOL_FULL') return 'pool_full';
  return code === 'ETIMEDOUT' ? 'connect_timeout' : 'connect_failure';
}
