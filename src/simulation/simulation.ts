import type { Decision } from '../middleware/contract.ts';
import type { ReadingName } from '../routing/readings.ts';
import type { HeaderChange } from './header-changes.ts';
import type { SimulatedUpstream } from './upstreams.ts';

/** How a request would be decided; plain data. */
export interface Simulation {
  readonly method: string;
  readonly scheme: 'http' | 'https';
  /** As matched: lower case, no port; '' if path or host were refused before. */
  readonly host: string;
  /** Normalised. */
  readonly path: string;
  /** Raw, without `?`. */
  readonly query: string;
  readonly clientAddress: string;
  readonly route?: SimulatedRoute;
  /** Gateway-wide middlewares and then the route's, up to the one that answers. */
  readonly steps: readonly SimulatedStep[];
  readonly outcome: SimulatedOutcome;
  /** False: what a middleware would do cannot be told dry (a user's module, keys that are not here); the rest is decided as if it let the request pass. */
  readonly certain: boolean;
  /** Refused because servers would read the path in another way, which leads to another route. */
  readonly ambiguity?: { readonly reading: ReadingName; readonly route: string };
}

export interface SimulatedRoute {
  /** `namespace/name` */
  readonly name: string;
  /** The one of the route's hostnames that fits; '': any host. */
  readonly hostname: string;
  readonly matchIndex: number;
  readonly captures: Readonly<Record<string, string>>;
}

export interface SimulatedStep {
  /** Key of the entry. */
  readonly key: string;
  /** Metric label. */
  readonly name: string;
  readonly type: string;
  readonly decision: Decision;
}

export type SimulatedOutcome =
  | {
      readonly kind: 'reply';
      readonly status: number;
      readonly code: string;
      readonly detail: string;
      /** Fields of the reply itself: name, value, … */
      readonly headers: readonly string[];
      /** Name and type of the middleware that answers; absent: the gateway does. */
      readonly by?: { readonly name: string; readonly type: string };
    }
  | {
      readonly kind: 'forward';
      /** As the upstream gets them. */
      readonly path: string;
      readonly query: string;
      /** Name, value, … */
      readonly headers: readonly string[];
      readonly changes: readonly HeaderChange[];
      /** `Upstream`: Host is the endpoint's own. */
      readonly hostHeader: 'Preserve' | 'Upstream';
      readonly upstreams: readonly SimulatedUpstream[];
    };
