import type { Buffer } from 'node:buffer';
import type { ConnectionOptions } from 'node:tls';
import type { Logger } from '../../telemetry/log.ts';
import type { RouteSeries, WorkerMetrics } from '../../telemetry/series.ts';
import type { TimerWheel } from '../http1/timer-wheel.ts';
import type { ClientSide } from './client-side.ts';

/** What every exchange of a worker needs, whatever its generation. */
export interface Services {
  readonly metrics: WorkerMetrics;
  readonly wheel: TimerWheel;
  readonly log: Logger;
  /** Shared by all connections of the worker. */
  readonly readBuffer: Buffer;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  /** For tunnels over TLS: what `https://` endpoints are verified with. */
  tlsOptions(host: string): ConnectionOptions;
  /** Counts what no route takes. */
  readonly unmatched: RouteSeries;
  /** The exchange is over; `code` as in requests_total, seconds from its head to its end. */
  ended(exchange: ClientSide, code: number, seconds: number): void;
}
