/**
 * The narrow interface of the HTTP/1.1 codec (RFC 9112): what the proxy sees of a client connection and of an upstream
 * connection. Sockets may be `net` or `tls`. Callbacks are plain methods on one object per exchange: no events, no
 * promises, no objects built twice.
 */
import type { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import type { HeaderList } from '../../routing/header-list.ts';

/** How a message's body ends. `close`: responses only, at the end of the connection. */
export type Framing = 'none' | 'length' | 'chunked' | 'close';

export interface RequestHead {
  readonly method: string;
  /** Origin-form (`/path?query`) or `*`; absolute-form is reduced to it after its authority was found equal to Host. */
  readonly target: string;
  /** Host as sent, validated: `example.org:8080`. Empty only for HTTP/1.0 without Host. */
  readonly authority: string;
  /** Minor version. */
  readonly version: 0 | 1;
  /** All fields as received, hop-by-hop ones included. */
  readonly headers: HeaderList;
  readonly framing: Framing;
  /** -1 unless framing is `length`. */
  readonly contentLength: number;
  /** The client will take another response on this connection. */
  readonly keepAlive: boolean;
  /** Lower-case protocols of `Upgrade` if `Connection: upgrade` is there too. */
  readonly upgrade: string | undefined;
  readonly expectContinue: boolean;
}

export interface ResponseHead1 {
  readonly status: number;
  readonly reason: string;
  readonly version: 0 | 1;
  readonly headers: HeaderList;
  readonly framing: Framing;
  readonly contentLength: number;
  readonly keepAlive: boolean;
  readonly upgrade: string | undefined;
}

// ---- client side --------------------------------------------------------------------------------------------------

export interface ServerOptions {
  readonly headBytes: number;
  readonly targetBytes: number;
  readonly headerFields: number;
  /** 0: unlimited. */
  readonly bodyBytes: number;
  /** First byte of a request to the end of its head (and from accept to the first byte). */
  readonly headTimeoutMs: number;
  /** Idle between requests. */
  readonly keepAliveTimeoutMs: number;
  /** No byte of a body in or out for this long while it is our turn to get or to be relieved of one. */
  readonly bodyIdleTimeoutMs: number;
}

/** Why a client connection refused or lost a request by itself. */
export type ServerFault =
  | {
      readonly kind: 'bad-request';
      readonly status: 400 | 408 | 413 | 414 | 417 | 431 | 501 | 505;
      readonly code: string;
    }
  | { readonly kind: 'gone' };

/** Given to the codec by the proxy. */
export interface ServerHandler {
  /** A complete, valid head. Returns the sink for this exchange's body. Requests of one connection come one at a time. */
  request(stream: ServerStream, head: RequestHead): RequestSink;
  /**
   * A request that never became one (malformed, too large, too slow). The handler only counts and supplies the answer;
   * the codec sends it with `connection: close` and closes after lingering a little so that the answer arrives.
   * `failed`: the sink of the exchange whose body was at fault; it was told by `aborted` before, and has been counted.
   */
  refused(
    fault: ServerFault,
    connection: ConnectionInfo,
    failed: RequestSink | undefined,
  ): { readonly headers: HeaderList; readonly body: Buffer };
  connectionClosed(connection: ConnectionInfo): void;
}

export interface ConnectionInfo {
  /** Peer address, IPv4-mapped IPv6 as IPv4; empty if already gone. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localPort: number;
  readonly tls: boolean;
}

/** The proxy's side of one exchange: told about the request body and the client's fate. */
export interface RequestSink {
  body(chunk: Buffer): void;
  /** Called once, also for requests without a body (then right after `request` returned). */
  bodyEnd(trailers: HeaderList | undefined): void;
  /** The response can take more after `write` said false. */
  drain(): void;
  /**
   * The client is gone, or its body turned out malformed, too large or too slow (`fault`): in the latter case, if no
   * response head was sent yet, the codec itself answers through `refused`. Nothing is called after it.
   */
  aborted(fault: ServerFault): void;
}

/** The codec's side of one exchange. Nothing here throws; calls after the end or abort do nothing. */
export interface ServerStream {
  readonly connection: ConnectionInfo;
  /** The raw socket: not to be touched before `takeOver`, only to be named to whoever will get it. */
  readonly socket: Socket;
  /** 100 Continue if the client waits for it and nothing was sent. */
  writeContinue(): void;
  /** 103 and other informational answers, HTTP/1.1 clients only (never 101). */
  writeInformational(status: number, headers: HeaderList): void;
  /**
   * Sends the head. `headers` hold no hop-by-hop fields; the codec adds the framing (content-length for `length`, chunked or
   * close-delimited by the client's version for `chunked`/`close`) and `connection`. `first` and `end`: body bytes that
   * go out in the same write, and whether that is all. HEAD, 204 and 304 send no body whatever is given;
   * a `content-length` in `headers` stays for them.
   */
  respond(
    status: number,
    headers: HeaderList,
    framing: Framing,
    contentLength: number,
    first: Buffer | undefined,
    end: boolean,
  ): boolean;
  /** False: wait for `drain`. */
  write(chunk: Buffer): boolean;
  /** `trailers` go out on chunked bodies only. */
  end(trailers?: HeaderList): void;
  pauseBody(): void;
  resumeBody(): void;
  /** No further request on this connection after this exchange, unless its head has promised one. */
  closeAfter(): void;
  /** Break the connection at once: the client must see that the answer is not whole. */
  destroy(): void;
  /** Hands the raw socket over for a tunnel, with bytes read beyond the head. The codec forgets it. */
  takeOver(): { readonly socket: Socket; readonly head: Buffer };
}

// ---- upstream side ------------------------------------------------------------------------------------------------

/** `reset`: closed or reset before the whole answer; `protocol`: an answer that must not be passed on. */
export type ClientFault =
  | {
      readonly kind: 'reset';
      /** No byte of an answer was seen. */ readonly clean: boolean;
      readonly code: string;
    }
  | { readonly kind: 'protocol'; readonly code: string };

export interface ResponseSink {
  /** 100 came: the body may be sent. */
  continued(): void;
  /** 102, 103 …; never 101. */
  informational(status: number, headers: HeaderList): void;
  head(head: ResponseHead1): void;
  body(chunk: Buffer): void;
  /**
   * Everything that was read so far has been told. The proxy holds a head and its first body bytes back until here, so
   * that they leave in one write.
   */
  batchEnd(): void;
  /** The answer is whole. The connection may be used again if `ClientConnection.reusable`. */
  end(trailers: HeaderList | undefined): void;
  /** The request body can take more after `write` said false. */
  drain(): void;
  /** Nothing is called after it. */
  failed(fault: ClientFault): void;
}

export interface ClientRequest {
  readonly method: string;
  readonly target: string;
  /** No hop-by-hop fields, no content-length; `host` is in it. The codec adds framing. */
  readonly headers: HeaderList;
  readonly framing: 'none' | 'length' | 'chunked';
  readonly contentLength: number;
}

/** One upstream connection; one exchange at a time. */
export interface ClientConnection {
  /** True between exchanges while the peer kept its side open and nothing unexpected was read. */
  readonly reusable: boolean;
  /** Served at least one exchange before. */
  readonly used: boolean;
  /** `body` (small and complete) goes out in the same write as the head, if given. */
  start(request: ClientRequest, sink: ResponseSink, body: Buffer | undefined): void;
  write(chunk: Buffer): boolean;
  endBody(trailers?: HeaderList): void;
  pause(): void;
  resume(): void;
  /** Ends the connection now; the sink hears nothing more. */
  destroy(): void;
}
