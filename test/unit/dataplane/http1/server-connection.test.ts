import { Buffer } from 'node:buffer';
import { expect } from 'chai';
import { HttpDate } from '../../../../src/dataplane/http1/http-date.ts';
import { ServerConnection } from '../../../../src/dataplane/http1/server-connection.ts';
import { SpillBudget } from '../../../../src/dataplane/http1/spill.ts';
import { TimerWheel } from '../../../../src/dataplane/http1/timer-wheel.ts';
import type {
  RequestHead,
  RequestSink,
  ServerFault,
  ServerStream,
} from '../../../../src/dataplane/http1/types.ts';
import { HeaderList } from '../../../../src/routing/header-list.ts';
import { cleanupAfterEach } from '../../../support/cleanup.ts';
import { eventually } from '../../../support/eventually.ts';
import { Wire } from './wire.ts';

const nothing = new HeaderList();
const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

describe('ServerConnection', () => {
  const cleanup = cleanupAfterEach();

  /** A connection whose requests the test answers; `onRequest` runs inside the handler's call. */
  function open(onRequest: (stream: ServerStream, head: RequestHead) => void = () => undefined) {
    const wheel = new TimerWheel();
    const wire = new Wire();
    const streams: ServerStream[] = [];
    const heads: RequestHead[] = [];
    const calls: string[] = [];
    const faults: ServerFault[] = [];
    const sink: RequestSink = {
      body: (chunk) => calls.push(`body ${chunk.toString('latin1')}`),
      bodyEnd: () => calls.push('end'),
      drain: () => calls.push('drain'),
      aborted: (fault) => {
        calls.push('aborted');
        faults.push(fault);
      },
    };
    const connection = new ServerConnection(wire.socket, {
      options: {
        headBytes: 16_384,
        targetBytes: 8192,
        headerFields: 100,
        bodyBytes: 0,
        headTimeoutMs: 1000,
        keepAliveTimeoutMs: 5000,
        bodyIdleTimeoutMs: 2000,
      },
      wheel,
      date: new HttpDate(() => 0),
      spills: new SpillBudget(),
      handler: {
        request(stream, head) {
          streams.push(stream);
          heads.push(head);
          onRequest(stream, head);
          return sink;
        },
        refused: () => ({ headers: nothing, body: Buffer.from('refused') }),
        connectionClosed: () => calls.push('closed'),
      },
    });
    cleanup.add(() => {
      wire.destroy();
      wheel.close();
    });
    const pass = (ms: number): void => {
      for (let passed = 0; passed < ms; passed += wheel.tickMs) wheel.advance();
    };
    return { connection, wire, wheel, streams, heads, calls, faults, pass };
  }

  it('writes head, body and framing of a small answer in one piece, with Date and no Server of its own', () => {
    const { wire } = open((stream) => {
      stream.respond(200, new HeaderList(['X-A', '1']), 'length', 2, Buffer.from('ok'), true);
    });
    wire.feed(get);
    expect(wire.sent).to.equal(
      'HTTP/1.1 200 OK\r\nX-A: 1\r\ndate: Thu, 01 Jan 1970 00:00:00 GMT\r\ncontent-length: 2\r\n\r\nok',
    );
  });

  it('frames by itself whatever the headers say', () => {
    const { wire } = open((stream) => {
      const headers = new HeaderList([
        'Content-Length',
        '99',
        'Transfer-Encoding',
        'x',
        'Connection',
        'x',
        'Date',
        'd',
      ]);
      stream.respond(200, headers, 'chunked', -1, undefined, false);
      stream.write(Buffer.from('ab'));
      stream.end(new HeaderList(['X-Sum', '1']));
    });
    wire.feed(get);
    expect(wire.sent).to.equal(
      'HTTP/1.1 200 OK\r\nDate: d\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX-Sum: 1\r\n\r\n',
    );
  });

  it('breaks the connection rather than send more or less than it announced', () => {
    for (const body of ['ab', 'abcd']) {
      const { wire } = open((stream) => {
        stream.respond(200, nothing, 'length', 3, undefined, false);
        stream.write(Buffer.from(body));
        stream.end();
      });
      wire.feed(get);
      expect(wire.destroyed, body).to.be.true;
    }
  });

  it('shows the beginning of an answer that is broken off in the turn in which it began', () => {
    const { wire } = open((stream) => {
      stream.respond(200, nothing, 'length', 3, undefined, false);
      stream.write(Buffer.from('ab'));
      stream.destroy();
    });
    wire.feed(get);
    expect(wire.sent).to.match(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nab$/);
    expect(wire.destroyed).to.be.true;
    const early = open((stream) => stream.respond(200, nothing, 'chunked', -1, undefined, false));
    early.wire.feed('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n');
    expect(early.wire.sent).to.match(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n$/);
    expect(early.wire.destroyed).to.be.true;
  });

  it('answers many pipelined requests over several turns, and reads no further meanwhile', async () => {
    const { wire, heads } = open((stream) => stream.respond(204, nothing, 'none', 0, undefined, true));
    wire.feed(get.repeat(100));
    expect(heads.length).to.be.within(1, 50);
    expect(wire.isPaused()).to.be.true;
    await eventually(() => heads.length === 100);
    expect(wire.sent.split('204 No Content').length - 1).to.equal(100);
    expect(wire.isPaused()).to.be.false;
  });

  it('does nothing on calls that come after the end, even when the next exchange is on', () => {
    const { wire, streams, calls } = open();
    wire.feed(get + get);
    const [first] = streams;
    first?.respond(200, nothing, 'length', 0, undefined, true);
    expect(streams).to.have.length(2);
    const sent = wire.sent;
    first?.respond(500, nothing, 'length', 0, undefined, true);
    first?.write(Buffer.from('x'));
    first?.end();
    first?.closeAfter();
    first?.destroy();
    expect(wire.sent).to.equal(sent);
    expect(wire.destroyed).to.be.false;
    expect(calls).to.deep.equal(['end', 'end']);
  });

  it('hands out no body while it is paused and goes on where it stopped', () => {
    const { wire, streams, calls } = open((stream) => stream.pauseBody());
    wire.feed('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n');
    expect(calls).to.deep.equal([]);
    expect(wire.isPaused()).to.be.true;
    streams[0]?.resumeBody();
    expect(calls).to.deep.equal(['body abc', 'end']);
    expect(wire.isPaused()).to.be.false;
  });

  it('closes after the answer when it is told to drain', () => {
    const busy = open();
    busy.wire.feed(get + get);
    busy.connection.drain();
    busy.streams[0]?.respond(200, nothing, 'length', 0, undefined, true);
    expect(busy.wire.sent).to.include('connection: close\r\n\r\n');
    expect(busy.wire.writableEnded).to.be.true;
    expect(busy.streams).to.have.length(1);
  });

  it('answers one more request if it is told to drain when the answer has begun without saying so', () => {
    const { connection, wire, streams } = open();
    wire.feed(get);
    streams[0]?.respond(200, nothing, 'length', 2, undefined, false);
    connection.drain();
    streams[0]?.write(Buffer.from('ok'));
    streams[0]?.end();
    expect(wire.sent).to.not.include('connection: close');
    expect(wire.writableEnded).to.be.false;
    wire.feed(get);
    streams[1]?.respond(200, nothing, 'length', 0, undefined, true);
    expect(wire.sent).to.match(/\r\nconnection: close\r\n\r\n$/);
    expect(wire.writableEnded).to.be.true;

    const silent = open();
    silent.wire.feed(get);
    silent.streams[0]?.respond(200, nothing, 'length', 2, undefined, false);
    silent.connection.drain();
    silent.streams[0]?.write(Buffer.from('ok'));
    silent.streams[0]?.end();
    silent.pass(400);
    expect(silent.wire.writableEnded).to.be.true;
  });

  it('closes soon when it is told to drain while idle, but answers a request that was on its way', () => {
    const idle = open();
    idle.connection.drain();
    expect(idle.wire.writableEnded).to.be.false;
    idle.pass(400);
    expect(idle.wire.writableEnded).to.be.true;
    expect(idle.wire.sent).to.equal('');

    const late = open((stream) => stream.respond(200, nothing, 'length', 0, undefined, true));
    late.wire.feed(get);
    late.connection.drain();
    late.wire.feed(get.slice(0, 9));
    // Its head has the time that any head has.
    late.pass(400);
    late.wire.feed(get.slice(9));
    expect(late.streams).to.have.length(2);
    expect(late.wire.sent).to.match(/\r\nconnection: close\r\n\r\n$/);
    expect(late.wire.writableEnded).to.be.true;
  });

  it('hands the socket over with the bytes behind the head and is out of the way', () => {
    const { wire, streams, calls, heads, wheel } = open();
    wire.feed('GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nframe');
    expect(heads[0]?.upgrade).to.equal('websocket');
    const { socket, head } = streams[0]?.takeOver() ?? {};
    expect(socket).to.equal(wire);
    expect(head?.toString()).to.equal('frame');
    expect(wheel.armed).to.equal(0);
    const before = calls.length;
    wire.emit('data', Buffer.from(get));
    expect(streams).to.have.length(1);
    expect(calls).to.have.length(before);
  });

  it('times out what waits for the client, and only that', () => {
    const silent = open();
    silent.pass(5200);
    expect(silent.wire.writableEnded).to.be.true;
    expect(silent.wire.sent).to.equal('');

    const waiting = open();
    waiting.wire.feed(get);
    waiting.pass(60_000);
    expect(waiting.wire.sent).to.equal('');
    waiting.streams[0]?.respond(200, nothing, 'length', 0, undefined, true);
    waiting.pass(4800);
    expect(waiting.wire.writableEnded).to.be.false;
    waiting.pass(400);
    expect(waiting.wire.writableEnded).to.be.true;

    const slow = open();
    slow.wire.feed('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc');
    slow.pass(1900);
    slow.wire.feed('d');
    slow.pass(1900);
    expect(slow.faults).to.deep.equal([]);
    slow.pass(300);
    expect(slow.faults).to.deep.equal([
      { kind: 'bad-request', status: 408, code: 'ERR_REQUEST_BODY_TIMEOUT' },
    ]);
    expect(slow.wire.sent).to.match(/^HTTP\/1\.1 408 [^]*refused$/);

    const held = open((stream) => stream.pauseBody());
    held.wire.feed('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc');
    held.pass(60_000);
    expect(held.faults).to.deep.equal([]);
  });

  it('tells each end of a connection exactly once', async () => {
    const { wire, calls } = open();
    wire.feed('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n');
    wire.destroy();
    await new Promise((resolve) => wire.once('close', resolve));
    expect(calls).to.deep.equal(['aborted', 'closed']);
  });
});
