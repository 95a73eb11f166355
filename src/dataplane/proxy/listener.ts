import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import type { EdgeLimits, ListenerSnapshot } from '../../snapshot/model.ts';
import type { ConnectionGauge, WorkerMetrics } from '../../telemetry/series.ts';
import { ServerConnection } from '../http1/server-connection.ts';
import { adoptSocket } from '../http1/shared-buffer-socket.ts';
import { SpillBudget } from '../http1/spill.ts';
import type { ServerOptions } from '../http1/types.ts';
import type { Engine } from './engine.ts';
import { RefusalLog } from './refusal-log.ts';

/** Why a listener could not be bound. */
export class ListenError extends Error {
  /** Node's code: EADDRINUSE, EACCES, EADDRNOTAVAIL … */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** One bound address of this worker and the client connections accepted on it. */
export class Listener {
  private readonly server: Server;
  private readonly engine: Engine;
  private readonly metrics: WorkerMetrics;
  private current: ListenerSnapshot;
  private gauge: ConnectionGauge;
  private readonly connections = new Set<ServerConnection>();
  private readonly spills = new SpillBudget();
  private options: ServerOptions;
  private maxConnections: number;
  /** Accepted before there was a table that knows this listener. */
  private early: Socket[] = [];
  private readonly refusals: RefusalLog;
  private opened = false;
  private draining = false;

  constructor(options: {
    readonly snapshot: ListenerSnapshot;
    readonly limits: EdgeLimits;
    readonly engine: Engine;
    readonly metrics: WorkerMetrics;
  }) {
    this.current = options.snapshot;
    this.engine = options.engine;
    this.metrics = options.metrics;
    this.gauge = options.metrics.listener(options.snapshot.name);
    this.refusals = new RefusalLog(options.engine.log);
    this.options = serverOptions(options.limits);
    this.maxConnections = options.limits.connections;
    this.server = createServer({ noDelay: true, allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
      if (this.opened) this.accept(socket);
      else this.early.push(socket);
    });
  }

  /** Binds the address. `shared`: together with the other workers (SO_REUSEPORT, Node ≥ 22.12). Throws ListenError. */
  async listen(shared: boolean): Promise<void> {
    const { server, current: snapshot } = this;
    await new Promise<void>((resolve, reject) => {
      const refuse = (error: NodeJS.ErrnoException): void => {
        reject(new ListenError(error.code ?? 'UNKNOWN', listenMessage(snapshot, error)));
      };
      server.once('error', refuse);
      // `reusePort` is not in the types of Node 20.
      const options = { port: snapshot.port, host: snapshot.address, backlog: 4096, reusePort: shared };
      server.listen(options, () => {
        server.off('error', refuse);
        server.on('error', (error) =>
          this.engine.log.error('listener failed', { listener: snapshot.name, error: error.message }),
        );
        resolve();
      });
    });
  }

  /** The generation that has this listener is committed: connections are served from now on. */
  open(): void {
    this.opened = true;
    const { early } = this;
    this.early = [];
    for (const socket of early) this.accept(socket);
  }

  get snapshot(): ListenerSnapshot {
    return this.current;
  }

  /** The address stays, its name or limits may change: new connections get the new limits. */
  configure(snapshot: ListenerSnapshot, limits: EdgeLimits): void {
    if (snapshot.name !== this.current.name) {
      const gauge = this.metrics.listener(snapshot.name);
      for (let i = 0; i < this.connections.size; i++) {
        gauge.opened();
        this.gauge.closed();
      }
      this.gauge.release();
      this.gauge = gauge;
    }
    this.current = snapshot;
    this.options = serverOptions(limits);
    this.maxConnections = limits.connections;
  }

  /** Connections close after their next answer, which says so. */
  windDown(): void {
    for (const connection of this.connections) connection.closeAfter();
  }

  /** Accepts no more; idle connections close as soon as no request can be on its way, busy ones after what they are at. */
  drain(): void {
    if (this.draining) return;
    this.draining = true;
    this.server.close();
    for (const socket of this.early.splice(0)) socket.destroy();
    for (const connection of this.connections) connection.drain();
    if (this.connections.size === 0) this.gauge.release();
  }

  /** Ends every connection. */
  destroy(): void {
    this.drain();
    for (const connection of this.connections) connection.destroy();
  }

  get openConnections(): number {
    return this.connections.size;
  }

  private accept(accepted: Socket): void {
    const { engine } = this;
    if (this.maxConnections > 0 && this.connections.size >= this.maxConnections) {
      accepted.destroy();
      this.gauge.refused();
      this.refusals.add(engine.clock(), this.current.name, this.maxConnections);
      return;
    }
    const connection = new ServerConnection(adoptSocket(accepted, engine.readBuffer), {
      options: this.options,
      wheel: engine.wheel,
      date: engine.date,
      spills: this.spills,
      handler: {
        request: (stream, head) => engine.request(this.current.name, stream, head),
        refused: (fault, _connection, failed) => engine.refused(fault, failed),
        connectionClosed: () => {
          this.connections.delete(connection);
          this.gauge.closed();
          if (this.draining && this.connections.size === 0) this.gauge.release();
        },
      },
    });
    if (engine.windingDown) connection.closeAfter();
    this.connections.add(connection);
    this.gauge.opened();
  }
}

function serverOptions(limits: EdgeLimits): ServerOptions {
  return {
    headBytes: limits.requestHeadBytes,
    targetBytes: limits.requestTargetBytes,
    headerFields: limits.requestHeaderFields,
    bodyBytes: limits.requestBodyBytes,
    headTimeoutMs: limits.headTimeoutMs,
    keepAliveTimeoutMs: limits.keepAliveTimeoutMs,
    bodyIdleTimeoutMs: limits.bodyIdleTimeoutMs,
  };
}

function listenMessage(snapshot: ListenerSnapshot, error: NodeJS.ErrnoException): string {
  const where = `${snapshot.address.includes(':') ? `[${snapshot.address}]` : snapshot.address}:${String(snapshot.port)}`;
  switch (error.code) {
    case 'EADDRINUSE':
      return `listener ${snapshot.name}: ${where} is already in use by another program`;
    case 'EACCES':
      return `listener ${snapshot.name}: no permission to listen on ${where} (ports below 1024 need a privilege)`;
    case 'EADDRNOTAVAIL':
      return `listener ${snapshot.name}: ${snapshot.address} is not an address of this machine`;
    default:
      return `listener ${snapshot.name}: cannot listen on ${where}: ${error.message}`;
  }
}
