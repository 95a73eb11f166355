import type { EndpointCells } from '../../snapshot/messages.ts';
import type { EndpointSnapshot } from '../../snapshot/model.ts';
import type { EndpointSeries } from '../../telemetry/series.ts';
import type { ConnectionPool } from './connection-pool.ts';

/**
 * One address of an upstream, with all that outlives a reload: its connections, its shared cells, its counters. Its
 * identity is the upstream's key and its URL; the weight belongs to the upstream's definition.
 *
 * The cells are shared by all threads: main writes the health verdict, each worker counts its own exchanges in flight in
 * a cell of its own, so that the least-request balancer sees the load of every worker.
 */
export class Endpoint {
  readonly snapshot: EndpointSnapshot;
  /** `host:port` as it stands in a Host header (default ports left out, IPv6 in brackets). */
  readonly authority: string;
  readonly pool: ConnectionPool;
  readonly series: EndpointSeries;
  /** Number of the generation that it was made for. */
  readonly since: number;
  /** WebSockets of this worker, opening ones too. */
  webSockets = 0;
  readonly #cells: Int32Array;
  readonly #workers: number;
  readonly #own: number;

  constructor(options: {
    readonly snapshot: EndpointSnapshot;
    readonly cells: EndpointCells;
    readonly workerIndex: number;
    readonly workers: number;
    readonly pool: ConnectionPool;
    readonly series: EndpointSeries;
    readonly since: number;
  }) {
    this.snapshot = options.snapshot;
    this.authority = authorityOf(options.snapshot);
    this.pool = options.pool;
    this.series = options.series;
    this.since = options.since;
    this.#workers = options.workers;
    this.#own = 1 + options.workerIndex;
    this.#cells = new Int32Array(options.cells.buffer, options.cells.offset * 4, 1 + options.workers);
  }

  /** The verdict of the active health check; true where there is none. */
  get healthy(): boolean {
    return Atomics.load(this.#cells, 0) === 1;
  }

  /** Exchanges in flight over all workers. */
  get inFlight(): number {
    let sum = 0;
    for (let i = 1; i <= this.#workers; i++) sum += Atomics.load(this.#cells, i);
    return sum;
  }

  begin(): void {
    Atomics.add(this.#cells, this.#own, 1);
  }

  end(): void {
    Atomics.sub(this.#cells, this.#own, 1);
  }
}

function authorityOf(snapshot: EndpointSnapshot): string {
  const host = snapshot.host.includes(':') ? `[${snapshot.host}]` : snapshot.host;
  return snapshot.port === (snapshot.tls ? 443 : 80) ? host : `${host}:${String(snapshot.port)}`;
}
