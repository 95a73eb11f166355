import type { Buffer } from 'node:buffer';
import { createRequire } from 'node:module';

/** A message as Node's own parser (llhttp) reads it. */
export interface NodeMessage {
  /** `GET /x` or `200`. */
  readonly start: string;
  readonly headers: readonly string[];
  body: string;
  complete: boolean;
}

interface NativeParser {
  [callback: number]: (...args: never[]) => unknown;
  initialize(type: number, resource: object): void;
  execute(data: Buffer): number | Error;
  finish(): Error | undefined;
}

interface NativeParserClass {
  new (): NativeParser;
  readonly REQUEST: number;
  readonly RESPONSE: number;
  readonly kOnHeaders: number;
  readonly kOnHeadersComplete: number;
  readonly kOnBody: number;
  readonly kOnMessageComplete: number;
}

// Not public, but the parser under every Node server: what it takes to be a message, many an upstream will.
const { HTTPParser, methods } = createRequire(import.meta.url)('_http_common') as {
  readonly HTTPParser: NativeParserClass;
  readonly methods: readonly string[];
};

export interface NodeReading {
  readonly messages: readonly NodeMessage[];
  /** llhttp's code for what follows them, if it refuses that: `HPE_…`. */
  readonly refusal: string | undefined;
}

/** All messages in `wire`, up to the first that Node refuses. `ended`: the peer closes after it. */
export function readByNode(kind: 'request' | 'response', wire: Buffer, ended: boolean): NodeReading {
  const messages: NodeMessage[] = [];
  let early: string[] = [];
  let inTrailers = false;
  const parser = new HTTPParser();
  parser.initialize(kind === 'request' ? HTTPParser.REQUEST : HTTPParser.RESPONSE, {});
  // Long heads come in several calls, the target with the first; so does every head after a trailer section.
  let target = '';
  parser[HTTPParser.kOnHeaders] = (headers: readonly string[], url: string) => {
    if (inTrailers) return;
    early.push(...headers);
    target += url;
  };
  parser[HTTPParser.kOnHeadersComplete] = (
    _major: number,
    _minor: number,
    headers: readonly string[] | undefined,
    method: number,
    url: string | undefined,
    status: number,
  ) => {
    const start = kind === 'request' ? `${methods[method] as string} ${url ?? target}` : String(status);
    messages.push({ start, headers: [...early, ...(headers ?? [])], body: '', complete: false });
    early = [];
    target = '';
    inTrailers = true;
    return 0;
  };
  parser[HTTPParser.kOnBody] = (chunk: Buffer) => {
    (messages[messages.length - 1] as NodeMessage).body += chunk.toString('latin1');
  };
  parser[HTTPParser.kOnMessageComplete] = () => {
    (messages[messages.length - 1] as NodeMessage).complete = true;
    inTrailers = false;
  };
  const result = parser.execute(wire);
  if (ended) parser.finish();
  const refusal = result instanceof Error ? (result as NodeJS.ErrnoException).code : undefined;
  return { messages, refusal };
}
