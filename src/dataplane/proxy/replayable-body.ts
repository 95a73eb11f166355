import { Buffer } from 'node:buffer';
import type { HeaderList } from '../../routing/header-list.ts';
import type { ServerStream } from '../http1/types.ts';
import type { Attempt } from './attempt.ts';

/** Up to here a body is kept while no answer has begun, so that the request can be sent a second time. */
const keepBytes = 65_536;

/**
 * The request body between client and attempt. Bytes that come before there is a connection wait here (the client is
 * paused beyond `keepBytes`); a small body that is whole by then leaves in one write with the head.
 */
export class ReplayableBody {
  private readonly stream: ServerStream;
  private kept: Buffer[] = [];
  private keptBytes = 0;
  private whole = false;
  private trailers: HeaderList | undefined = undefined;
  /** Everything so far is in `kept`. */
  private complete = true;
  private started = false;
  /** An answer has begun: nothing needs to be kept any more. */
  private forgotten = false;

  constructor(stream: ServerStream) {
    this.stream = stream;
  }

  /** The body so far can be sent again from its first byte. */
  get replayable(): boolean {
    return this.complete;
  }

  /** The client has sent all of it. */
  get isWhole(): boolean {
    return this.whole;
  }

  push(chunk: Buffer, attempt: Attempt | undefined): void {
    if (this.complete && !this.forgotten && this.keptBytes + chunk.length <= keepBytes) {
      this.kept.push(chunk);
      this.keptBytes += chunk.length;
    } else if (this.started) {
      this.drop();
    } else {
      this.kept.push(chunk);
      this.keptBytes += chunk.length;
    }
    if (this.started) {
      if (attempt !== undefined && !attempt.write(chunk)) this.stream.pauseBody();
    } else if (this.keptBytes >= keepBytes) {
      this.stream.pauseBody();
    }
  }

  end(trailers: HeaderList | undefined, attempt: Attempt | undefined): void {
    this.whole = true;
    this.trailers = trailers;
    if (this.started) attempt?.endBody(trailers);
  }

  /** The whole body, if it is here, to go out with the head. */
  takeWhole(): Buffer | undefined {
    if (!this.whole || this.trailers !== undefined || this.keptBytes === 0 || this.keptBytes > keepBytes)
      return undefined;
    this.started = true;
    return this.kept.length === 1 ? this.kept[0] : Buffer.concat(this.kept);
  }

  /** The head is out: what waits follows. */
  flush(attempt: Attempt): void {
    // It left with the head.
    if (this.started) return;
    this.started = true;
    let more = true;
    for (const chunk of this.kept) more = attempt.write(chunk);
    if (this.keptBytes > keepBytes) this.drop();
    // Resuming is last: what the client has sent meanwhile, and the end of it, may be told within that call.
    if (this.whole) attempt.endBody(this.trailers);
    else if (more) this.stream.resumeBody();
  }

  /** The request will be sent again. */
  rewind(): void {
    this.started = false;
  }

  /** An answer has begun: no second try. */
  forget(): void {
    this.forgotten = true;
    this.drop();
  }

  private drop(): void {
    this.complete = false;
    this.kept = [];
    this.keptBytes = 0;
  }
}
