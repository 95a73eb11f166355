import { Buffer } from 'node:buffer';
import { expect } from 'chai';
import fc from 'fast-check';
import { openClientConnection } from '../../../../src/dataplane/http1/client-connection.ts';
import { HttpDate } from '../../../../src/dataplane/http1/http-date.ts';
import { ServerConnection } from '../../../../src/dataplane/http1/server-connection.ts';
import { SpillBudget } from '../../../../src/dataplane/http1/spill.ts';
import { TimerWheel } from '../../../../src/dataplane/http1/timer-wheel.ts';
import type {
  ClientFault,
  RequestSink,
  ResponseHead1,
  ResponseSink,
  ServerFault,
} from '../../../../src/dataplane/http1/types.ts';
import { HeaderList } from '../../../../src/routing/header-list.ts';
import { split } from './split.ts';
import { Wire } from './wire.ts';

const options = {
  headBytes: 400,
  targetBytes: 100,
  headerFields: 6,
  bodyBytes: 0,
  headTimeoutMs: 1000,
  keepAliveTimeoutMs: 1000,
  bodyIdleTimeoutMs: 1000,
};

/** Events with neighbouring body pieces joined: where they are cut is no part of the message. */
class Events {
  private readonly all: (string | Buffer)[] = [];

  add(event: string): void {
    this.all.push(event);
  }

  /** Kept as it is: whoever gets a body piece may do so. */
  body(chunk: Buffer): void {
    this.all.push(chunk);
  }

  get list(): string[] {
    const list: string[] = [];
    let inBody = false;
    for (const event of this.all) {
      const text = typeof event === 'string' ? event : event.toString('latin1');
      if (typeof event === 'string') list.push(text);
      else if (inBody) list[list.length - 1] += text;
      else list.push(`body ${text}`);
      inBody = typeof event !== 'string';
    }
    return list;
  }
}

class RecordingSink implements RequestSink {
  private readonly events: Events;
  private readonly whole: () => void;

  constructor(events: Events, whole: () => void) {
    this.events = events;
    this.whole = whole;
  }

  body(chunk: Buffer): void {
    this.events.body(chunk);
  }

  bodyEnd(trailers: HeaderList | undefined): void {
    this.events.add(`end ${trailers?.raw.join('|') ?? ''}`);
    this.whole();
  }

  drain(): void {}

  aborted(fault: ServerFault): void {
    this.events.add(`aborted ${fault.kind === 'gone' ? 'gone' : fault.code}`);
  }
}

function serverEvents(parts: readonly string[]): { readonly events: string[]; readonly sent: string } {
  const wheel = new TimerWheel();
  const wire = new Wire();
  const events = new Events();
  new ServerConnection(wire.socket, {
    options,
    wheel,
    date: new HttpDate(() => 0),
    spills: new SpillBudget(),
    handler: {
      request(stream, head) {
        events.add(`${head.method} ${head.target} ${head.framing} ${head.headers.raw.join('|')}`);
        return new RecordingSink(events, () =>
          stream.respond(200, new HeaderList(), 'length', 0, undefined, true),
        );
      },
      refused(fault) {
        events.add(`refused ${fault.kind === 'gone' ? 'gone' : fault.code}`);
        return { headers: new HeaderList(), body: Buffer.alloc(0) };
      },
      connectionClosed: () => undefined,
    },
  });
  for (const part of parts) wire.feed(part);
  const result = { events: [...events.list], sent: wire.sent };
  wire.destroy();
  wheel.close();
  return result;
}

const requests = fc.array(
  fc.constantFrom(
    'GET /a HTTP/1.1\r\nHost: a\r\n\r\n',
    '\r\nHEAD /h HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n',
    'POST /l HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello',
    'POST /0 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n',
    'POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\nT: 1\r\n\r\n',
    'GET /10 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
    'POST /bad HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n',
    'GET /bare HTTP/1.1\nHost: a\n\n',
    'GET /both HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    'GET /close HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    `GET /long HTTP/1.1\r\nHost: a\r\nX: ${'y'.repeat(400)}\r\n\r\n`,
    '\r\n',
  ),
  { minLength: 1, maxLength: 5 },
);

const responses = fc.constantFrom(
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: 1\r\n\r\nhello',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\nT: 1\r\n\r\n',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n',
  'HTTP/1.0 200 OK\r\n\r\nuntil the end',
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n',
  'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
);

function clientEvents(parts: readonly string[]): readonly string[] {
  const wire = new Wire();
  const events = new Events();
  const sink: ResponseSink = {
    continued: () => events.add('continued'),
    informational: (status, headers) => events.add(`informational ${status} ${headers.raw.join('|')}`),
    head: (head: ResponseHead1) => events.add(`${head.status} ${head.framing} ${head.headers.raw.join('|')}`),
    body: (chunk) => events.body(chunk),
    batchEnd: () => undefined,
    end: (trailers) => events.add(`end ${trailers?.raw.join('|') ?? ''} ${connection.reusable}`),
    drain: () => undefined,
    failed: (fault: ClientFault) => events.add(`failed ${fault.code}`),
  };
  const connection = openClientConnection(wire.socket, {
    headBytes: 400,
    headerFields: 6,
    closed: () => undefined,
  });
  const headers = new HeaderList(['Host', 'a']);
  connection.start(
    { method: 'GET', target: '/', headers, framing: 'none', contentLength: -1 },
    sink,
    undefined,
  );
  for (const part of parts) wire.feed(part);
  wire.emit('end');
  const list = [...events.list];
  connection.destroy();
  return list;
}

describe('ServerConnection and openClientConnection', () => {
  it('see the same requests, refusals and answers however the bytes are split', () => {
    fc.assert(
      fc.property(requests, fc.array(fc.nat(2000), { maxLength: 25 }), (messages, cuts) => {
        const text = messages.join('');
        const whole = serverEvents([text]);
        expect(serverEvents(split(text, cuts))).to.deep.equal(whole);
        expect(whole.events.length + (text.trim() === '' ? 1 : 0)).to.be.above(0);
      }),
      { numRuns: 400 },
    );
  });

  it('see the same answers however the bytes are split', () => {
    fc.assert(
      fc.property(responses, fc.array(fc.nat(200), { maxLength: 25 }), (text, cuts) => {
        expect(clientEvents(split(text, cuts))).to.deep.equal(clientEvents([text]));
      }),
      { numRuns: 400 },
    );
  });

  it('takes nothing after a message that must end the connection', () => {
    const { events } = serverEvents([
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n' +
        'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n',
    ]);
    expect(events).to.deep.equal(['refused ERR_REQUEST_FRAMING_INVALID']);
  });

  it('refuses an answer that nobody asked for by giving up the connection', () => {
    const wire = new Wire();
    let closed = 0;
    const connection = openClientConnection(wire.socket, {
      headBytes: 400,
      headerFields: 6,
      closed: () => closed++,
    });
    expect(connection.reusable).to.be.true;
    wire.feed('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    expect(connection.reusable).to.be.false;
    expect(wire.destroyed).to.be.true;
  });
});
