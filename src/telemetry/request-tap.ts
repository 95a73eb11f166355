import { RequestRingWriter } from './request-ring.ts';

/** A request as it came, before anything was done to it, and the generation that decides it. */
export interface TappedRequest {
  readonly generation: number;
  readonly tls: boolean;
  /** Address of the connection's other end. */
  readonly peer: string;
  readonly listener: string;
  readonly method: string;
  /** Host as sent; '' for none. */
  readonly authority: string;
  readonly target: string;
  /** Name, value, … as received. */
  readonly headers: readonly string[];
}

/** Where the requests of one worker go besides. */
export interface RequestTap {
  offer(request: TappedRequest): void;
}

/** No part of a request holds a line break: the codec lets none in. */
const separator = '\n';

export function createRequestTap(ring: SharedArrayBuffer): RequestTap {
  const writer = new RequestRingWriter(ring);
  return { offer: (request) => void writer.write(encodeRequest(request)) };
}

export function encodeRequest(request: TappedRequest): string {
  const { generation, tls, peer, listener, method, authority, target, headers } = request;
  let text = `${generation}\n${tls ? 1 : 0}\n${peer}\n${listener}\n${method}\n${authority}\n${target}`;
  for (let i = 0; i < headers.length; i++) text += separator + (headers[i] as string);
  return text;
}

export function decodeRequest(text: string): TappedRequest {
  const [generation, tls, peer = '', listener = '', method = '', authority = '', target = '', ...headers] =
    text.split(separator);
  return {
    generation: Number(generation),
    tls: tls === '1',
    peer,
    listener,
    method,
    authority,
    target,
    headers,
  };
}
