import type { Buffer } from 'node:buffer';
import type { HeaderList } from '../../routing/header-list.ts';
import type {
  ClientConnection,
  ClientFault,
  ClientRequest,
  ResponseHead1,
  ResponseSink,
} from '../http1/types.ts';
import type { ConnectionWaiter } from '../upstream/connection-pool.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import type { Upstream } from '../upstream/upstream.ts';

/** The exchange, as its attempt sees it. */
export interface AttemptOwner {
  /** The connection is there: the request goes out now. */
  attemptConnected(): ClientRequest;
  /** Body bytes that wait, when all of the body is there and small: they go out with the head. */
  takeWholeBody(): Buffer | undefined;
  /** The head is out: body bytes may follow. */
  attemptStarted(): void;
  attemptConnectFailed(code: string): void;
  attemptFailed(fault: ClientFault): void;
  upstreamContinued(): void;
  upstreamInformational(status: number, headers: HeaderList): void;
  upstreamHead(head: ResponseHead1): void;
  upstreamBody(chunk: Buffer): void;
  upstreamBatchEnd(): void;
  upstreamEnd(trailers: HeaderList | undefined): void;
  upstreamDrain(): void;
}

/**
 * One try to get an answer from one endpoint: waits for a connection, sends the request, hands the answer on. It owns
 * the connection from `begin` until the answer is whole, fails or is cancelled, and counts itself exactly once.
 */
export class Attempt implements ResponseSink, ConnectionWaiter {
  readonly upstream: Upstream;
  readonly endpoint: Endpoint;
  readonly startedAt: number;
  private readonly owner: AttemptOwner;
  private readonly clock: () => number;
  private connection: ClientConnection | undefined;
  private status = 0;
  private open = true;
  private onUsedConnection = false;

  constructor(owner: AttemptOwner, upstream: Upstream, endpoint: Endpoint, clock: () => number) {
    this.owner = owner;
    this.upstream = upstream;
    this.endpoint = endpoint;
    this.clock = clock;
    this.startedAt = clock();
  }

  /** True once the request went out on a connection that had served before: its end may have been on its way already. */
  get usedConnection(): boolean {
    return this.onUsedConnection;
  }

  get isConnected(): boolean {
    return this.connection !== undefined;
  }

  /** `fresh`: on a new connection. */
  begin(fresh: boolean): void {
    this.endpoint.begin();
    const idle = fresh ? undefined : this.endpoint.pool.takeIdle();
    if (idle !== undefined) this.connected(idle);
    else this.endpoint.pool.take(this, fresh);
  }

  write(chunk: Buffer): boolean {
    return this.connection === undefined || this.connection.write(chunk);
  }

  endBody(trailers: HeaderList | undefined): void {
    this.connection?.endBody(trailers);
  }

  pause(): void {
    this.connection?.pause();
  }

  resume(): void {
    this.connection?.resume();
  }

  /** Gives the attempt up in whatever phase it is; the owner hears nothing more. */
  cancel(): void {
    if (!this.open) return;
    const connection = this.connection;
    if (connection === undefined) this.endpoint.pool.cancel(this);
    this.close();
    connection?.destroy();
  }

  // ---- ConnectionWaiter

  connected(connection: ClientConnection): void {
    this.connection = connection;
    this.onUsedConnection = connection.used;
    connection.start(this.owner.attemptConnected(), this, this.owner.takeWholeBody());
    if (this.open) this.owner.attemptStarted();
  }

  connectFailed(code: string): void {
    if (!this.open) return;
    this.close();
    this.owner.attemptConnectFailed(code);
  }

  // ---- ResponseSink

  continued(): void {
    this.owner.upstreamContinued();
  }

  informational(status: number, headers: HeaderList): void {
    this.owner.upstreamInformational(status, headers);
  }

  head(head: ResponseHead1): void {
    this.status = head.status;
    this.owner.upstreamHead(head);
  }

  body(chunk: Buffer): void {
    if (this.open) this.owner.upstreamBody(chunk);
  }

  batchEnd(): void {
    if (this.open) this.owner.upstreamBatchEnd();
  }

  end(trailers: HeaderList | undefined): void {
    if (!this.open) return;
    const connection = this.connection;
    this.close();
    this.owner.upstreamEnd(trailers);
    if (connection !== undefined) this.endpoint.pool.release(connection);
  }

  drain(): void {
    if (this.open) this.owner.upstreamDrain();
  }

  failed(fault: ClientFault): void {
    if (!this.open) return;
    const connection = this.connection;
    this.close();
    connection?.destroy();
    this.owner.attemptFailed(fault);
  }

  /** Lets go of the connection too: from its release on it may serve another exchange. */
  private close(): void {
    this.open = false;
    this.connection = undefined;
    this.endpoint.end();
    this.endpoint.series.answered(this.status);
    this.upstream.series.observe((this.clock() - this.startedAt) / 1000);
  }
}
