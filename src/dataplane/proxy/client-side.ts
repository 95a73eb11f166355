import type { Buffer } from 'node:buffer';
import type { Exchange, LocalReply } from '../../middleware/contract.ts';
import type { PipelineReply } from '../../middleware/pipeline.ts';
import type { HeaderList } from '../../routing/header-list.ts';
import type { RequestHead, ServerStream } from '../http1/types.ts';
import type { Attempt } from './attempt.ts';
import type { Listed } from './open-exchanges.ts';
import type { RouteTarget } from './route-target.ts';

/** An exchange as its upstream side and the access log see it. */
export interface ClientSide extends Exchange, Listed<ClientSide> {
  readonly head: RequestHead;
  readonly stream: ServerStream;
  /** The upstream side, once there is one. */
  readonly upstreamSide: UpstreamSide | undefined;
  /** Status sent to the client; 0: none yet. */
  status: number;
  /** Code of a local reply. */
  code: string | undefined;
  /** Name of the middleware that answered. */
  readonly answeredBy: string | undefined;
  readonly bytesIn: number;
  bytesOut: number;
  /** Nothing more happens: answered whole, or the client has gone. */
  readonly finished: boolean;
  /** The gateway's own answer, seen by the response hooks of every middleware. */
  reply(local: LocalReply): void;
  /** The answer of a middleware, seen by the response hooks of those before it. */
  replyBy(outcome: PipelineReply): void;
  /** The response header that carries the generation, if a Gateway asks for one. */
  addGeneration(headers: HeaderList): void;
  /** Counts and logs the exchange, once. */
  finish(code: number): void;
  /** Those whose route has gone too and that have the same time left; they are told when the exchange ends before. */
  leaving: { delete(exchange: ClientSide): unknown } | undefined;
  /** As in UpstreamSide, in whatever phase it is. */
  gatewayStops(): void;
  routeRemoved(): void;
}

/** What carries a matched exchange to its upstream: a forwarded request or a tunnel. */
export interface UpstreamSide {
  readonly attempts: number;
  readonly lastAttempt: Pick<Attempt, 'upstream' | 'endpoint'> | undefined;
  requestBody(chunk: Buffer): void;
  requestEnd(trailers: HeaderList | undefined): void;
  /** The client can take more. */
  clientDrain(): void;
  /** The client has gone: whatever runs is given up, nothing is sent. */
  cancel(): void;
  /** The exchange is over: no more deadlines. */
  close(): void;
  /** The gateway shuts down: an answer ends by itself, a tunnel, which would go on for ever, takes its leave. */
  gatewayStops(): void;
  /** The route has gone, and the time of its drain with it: ends, so that both sides see that it is not whole. */
  routeRemoved(): void;
}

/** An exchange that has found its route. */
export type MatchedSide = ClientSide & { readonly target: RouteTarget };
