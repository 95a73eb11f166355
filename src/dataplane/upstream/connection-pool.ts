import { TimerEntry } from '../http1/timer-wheel.ts';
import type { TimerTarget, TimerWheel } from '../http1/timer-wheel.ts';
import type { ClientConnection } from '../http1/types.ts';

/** What a waiting exchange is told. Exactly one of the two is called, unless the waiter is cancelled first. */
export interface ConnectionWaiter {
  /** A usable connection; for a new one the TCP (and TLS) handshake is done. */
  connected(connection: ClientConnection): void;
  /** `code`: Node's error code, e.g. ECONNREFUSED, or `POOL_FULL`. */
  connectFailed(code: string): void;
}

/** Told about one connection attempt, never in the turn in which it was begun. */
export interface ConnectEvents {
  opened(connection: ClientConnection): void;
  failed(code: string): void;
  /** The connection was closed by anyone, at any time after it was opened. */
  closed(connection: ClientConnection): void;
}

/** Opens a connection. The returned function gives the attempt up: nothing is called back after it. */
export type Connect = (events: ConnectEvents) => () => void;

export interface PoolOptions {
  /** Open and opening connections; further exchanges queue. */
  readonly maxConnections: number;
  /** Exchanges that may wait; more are refused with `POOL_FULL` (G9). */
  readonly maxQueue: number;
  /** An idle connection is closed after this long: before the upstream closes it under our next request. */
  readonly keepAliveMs: number;
}

interface Idle {
  readonly connection: ClientConnection;
  /** On the wheel's clock. */
  readonly since: number;
}

/**
 * Connections to one endpoint from one worker: the most recently used idle one first (its peer's keep-alive timer has
 * run the least), a queue in order of arrival when all are busy.
 */
export class ConnectionPool implements TimerTarget {
  private readonly connect: Connect;
  private readonly wheel: TimerWheel;
  /** Oldest first. */
  private readonly idle: Idle[] = [];
  private readonly queue: ConnectionWaiter[] = [];
  private readonly opening = new Map<ConnectionWaiter, () => void>();
  private options: PoolOptions;
  private readonly ageing = new TimerEntry(this);
  private open = 0;
  private closed = false;

  constructor(connect: Connect, wheel: TimerWheel, options: PoolOptions) {
    this.connect = connect;
    this.wheel = wheel;
    this.options = options;
  }

  /** Connections open or opening. */
  get size(): number {
    return this.open + this.opening.size;
  }

  /** Limits may change with a reload: connections stay as long as the new ones let them. */
  configure(options: PoolOptions): void {
    this.options = options;
    if (this.idle.length > 0) this.expired();
    this.serveQueue();
  }

  /** The fast way: an idle connection right now. */
  takeIdle(): ClientConnection | undefined {
    for (let last = this.idle.pop(); last !== undefined; last = this.idle.pop()) {
      if (last.connection.reusable) return last.connection;
    }
    return undefined;
  }

  /** A connection for `waiter`, idle or new, perhaps later. `fresh`: a new one if there is room for it. */
  take(waiter: ConnectionWaiter, fresh: boolean): void {
    const idle = fresh ? undefined : this.takeIdle();
    if (idle !== undefined) waiter.connected(idle);
    else if (this.size < this.options.maxConnections) this.openFor(waiter);
    else if (this.queue.length < this.options.maxQueue) this.queue.push(waiter);
    else waiter.connectFailed('POOL_FULL');
  }

  /** The waiter has gone: its attempt is given up. Nothing is called back. */
  cancel(waiter: ConnectionWaiter): void {
    const giveUp = this.opening.get(waiter);
    if (giveUp !== undefined) {
      this.opening.delete(waiter);
      giveUp();
      this.serveQueue();
      return;
    }
    const at = this.queue.indexOf(waiter);
    if (at >= 0) this.queue.splice(at, 1);
  }

  /** An exchange has ended: the connection is free, or it will not be used again. */
  release(connection: ClientConnection): void {
    if (!connection.reusable || this.closed || this.size > this.options.maxConnections) {
      connection.destroy();
      return;
    }
    const next = this.queue.shift();
    if (next !== undefined) {
      next.connected(connection);
      return;
    }
    this.idle.push({ connection, since: this.wheel.now });
    if (!this.ageing.armed) this.wheel.arm(this.ageing, this.options.keepAliveMs);
  }

  /** Closes idle connections now and busy ones as they are released. */
  close(): void {
    this.closed = true;
    this.wheel.cancel(this.ageing);
    for (const { connection } of this.idle.splice(0)) connection.destroy();
  }

  /** The wheel's call: the oldest idle connections have had their time. */
  expired(): void {
    const limit = this.wheel.now - this.options.keepAliveMs;
    while (this.idle[0] !== undefined && this.idle[0].since <= limit) this.idle.shift()?.connection.destroy();
    const oldest = this.idle[0];
    if (oldest !== undefined) this.wheel.arm(this.ageing, oldest.since - limit);
  }

  private openFor(waiter: ConnectionWaiter): void {
    const giveUp = this.connect({
      opened: (connection) => {
        this.opening.delete(waiter);
        this.open++;
        waiter.connected(connection);
      },
      failed: (code) => {
        this.opening.delete(waiter);
        waiter.connectFailed(code);
        this.serveQueue();
      },
      closed: (connection) => {
        this.open--;
        const at = this.idle.findIndex((entry) => entry.connection === connection);
        if (at >= 0) this.idle.splice(at, 1);
        this.serveQueue();
      },
    });
    this.opening.set(waiter, giveUp);
  }

  /** A place has become free. */
  private serveQueue(): void {
    while (this.queue.length > 0 && this.size < this.options.maxConnections) {
      this.openFor(this.queue.shift() as ConnectionWaiter);
    }
  }
}
