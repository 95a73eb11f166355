import type { Endpoint } from './endpoint.ts';

/** What a balancer needs to know of an endpoint; weights are non-negative, 0 gets nothing. */
export interface Choice {
  readonly endpoint: Endpoint;
  readonly weight: number;
}

/**
 * Picks one of the choices that `usable` accepts, or undefined when it accepts none. Choices and weights never change
 * in the life of a balancer.
 */
export interface Balancer {
  pick(usable: (endpoint: Endpoint) => boolean): Endpoint | undefined;
}
