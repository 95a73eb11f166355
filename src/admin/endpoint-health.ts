/** The verdicts of health checks as operators see them beside the upstreams; kept for endpoints that are checked, and no others. */
export interface EndpointHealth {
  /** `healthy` undefined: no longer checked. */
  note(upstream: string, endpoint: string, healthy: boolean | undefined): void;
  /** The answer `{ upstreams: [{ name, endpoints: [{ url }] }] }` with `healthy` at each endpoint that is checked. */
  addTo(answer: unknown): unknown;
}

interface UpstreamsAnswer {
  readonly upstreams: readonly {
    readonly name: string;
    readonly endpoints: readonly { readonly url: string }[];
  }[];
}

export function createEndpointHealth(): EndpointHealth {
  const verdicts = new Map<string, boolean>();
  const keyOf = (upstream: string, endpoint: string): string => `${upstream} ${endpoint}`;
  return {
    note(upstream, endpoint, healthy) {
      if (healthy === undefined) verdicts.delete(keyOf(upstream, endpoint));
      else verdicts.set(keyOf(upstream, endpoint), healthy);
    },
    addTo(answer) {
      const { upstreams } = answer as UpstreamsAnswer;
      return {
        upstreams: upstreams.map((upstream) => ({
          ...upstream,
          endpoints: upstream.endpoints.map((endpoint) => {
            const healthy = verdicts.get(keyOf(upstream.name, endpoint.url));
            return healthy === undefined ? endpoint : { ...endpoint, healthy };
          }),
        })),
      };
    },
  };
}
