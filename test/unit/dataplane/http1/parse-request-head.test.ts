import { expect } from 'chai';
import { HeadFault } from '../../../../src/dataplane/http1/fault.ts';
import { beginningFault, parseRequestHead } from '../../../../src/dataplane/http1/parse-request-head.ts';
import type { RequestHead } from '../../../../src/dataplane/http1/types.ts';

const limits = { targetBytes: 100, headerFields: 5 };

function parse(head: string): RequestHead | HeadFault {
  return parseRequestHead(`${head}\r\n`, head.length, limits);
}

function accepted(head: string): RequestHead {
  const result = parse(head);
  if (result instanceof HeadFault) throw new Error(`refused with ${result.code}: ${JSON.stringify(head)}`);
  return result;
}

function get(...lines: string[]): string {
  return ['GET / HTTP/1.1', 'Host: a.test', ...lines, ''].join('\r\n');
}

describe('parseRequestHead', () => {
  it('keeps spelling, order and repeated fields and takes blanks off values', () => {
    const head = accepted('GET /a?b=c HTTP/1.1\r\nHOST: a.test:80\r\nX-A: \t1 \r\nx-a:2\r\nX-Empty:\r\n');
    expect(head).to.include({
      method: 'GET',
      target: '/a?b=c',
      authority: 'a.test:80',
      version: 1,
      framing: 'none',
    });
    expect(head.headers.raw).to.deep.equal(['HOST', 'a.test:80', 'X-A', '1', 'x-a', '2', 'X-Empty', '']);
  });

  const refused: Record<string, [status: number, heads: string[]]> = {
    'a request line that is not exactly method, target and version': [
      400,
      [
        'GET / HTTP/1.1 \r\nHost: a\r\n',
        'GET  / HTTP/1.1\r\nHost: a\r\n',
        ' GET / HTTP/1.1\r\nHost: a\r\n',
        'GET\t/ HTTP/1.1\r\nHost: a\r\n',
        'GET /a b HTTP/1.1\r\nHost: a\r\n',
        'G@T / HTTP/1.1\r\nHost: a\r\n',
        'GET /\r\n',
        'GET / \r\nHost: a\r\n',
        'GET / http/1.1\r\nHost: a\r\n',
        'GET / HTTP/11\r\nHost: a\r\n',
        'GET / HTTP/1.10\r\nHost: a\r\n',
        'GET / HTTP/1.2\r\nHost: a\r\n',
        'GET / HTTP/0.9\r\nHost: a\r\n',
        'GET / RTSP/1.0\r\nHost: a\r\n',
      ],
    ],
    'a target with control, blank, fragment or non-ASCII bytes or of the wrong form': [
      400,
      [
        'GET /\x00 HTTP/1.1\r\nHost: a\r\n',
        'GET /\x7f HTTP/1.1\r\nHost: a\r\n',
        'GET /\xe4 HTTP/1.1\r\nHost: a\r\n',
        'GET /a#b HTTP/1.1\r\nHost: a\r\n',
        'GET a.test:80 HTTP/1.1\r\nHost: a\r\n',
        'GET a HTTP/1.1\r\nHost: a\r\n',
        'GET * HTTP/1.1\r\nHost: a\r\n',
        'GET ftp://a/ HTTP/1.1\r\nHost: a\r\n',
        'GET http:///x HTTP/1.1\r\nHost: a\r\n',
        'GET http://u@a/ HTTP/1.1\r\nHost: a\r\n',
      ],
    ],
    'a later major version': [505, ['GET / HTTP/2.0\r\nHost: a\r\n', 'PRI * HTTP/2.0\r\n']],
    'CONNECT, to which no route leads': [501, ['CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n']],
    'a target over its limit': [414, [`GET /${'a'.repeat(100)} HTTP/1.1\r\nHost: a\r\n`]],
    'more fields than allowed': [431, [get('a: 1', 'b: 2', 'c: 3', 'd: 4', 'e: 5')]],
    'a field line that is not strictly valid': [
      400,
      [
        get('a : 1'),
        get(' a: 1'),
        get('a: 1', ' folded'),
        get('a: 1', '\tfolded'),
        get(': 1'),
        get('a'),
        get('a b: 1'),
        get('a(: 1'),
        get('\xe4: 1'),
        get('a: \x00'),
        get('a: \x07'),
        get('a: \x7f'),
        get('a: 1\rb: 2'),
        get('a: 1\nb: 2'),
        get('\ra: 1'),
        get('Transfer-Encoding: chunked\t'),
        ' Host: a\r\n',
      ],
    ],
    'a missing, repeated, empty or invalid Host': [
      400,
      [
        'GET / HTTP/1.1\r\n',
        get('Host: a.test'),
        'GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n',
        ...[
          '',
          'a b',
          'a/b',
          'a@b',
          'a:b',
          'a:1:2',
          'a:65536',
          ':80',
          '[::1',
          '[g::1]',
          'a%zz',
          'a#',
          '\xe4',
        ].map((host) => `GET / HTTP/1.1\r\nHost: ${host}\r\n`),
      ],
    ],
    'an absolute target for another host than Host names': [
      400,
      [
        'GET http://b.test/ HTTP/1.1\r\nHost: a.test\r\n',
        'GET http://a.test:443/ HTTP/1.1\r\nHost: a.test\r\n',
        'GET https://a.test:80/ HTTP/1.1\r\nHost: a.test\r\n',
      ],
    ],
    'framing that two parsers could read differently': [
      400,
      [
        get('Content-Length: 1', 'Transfer-Encoding: chunked'),
        get('Content-Length: 1', 'Content-Length: 2'),
        get('Content-Length: 1', 'content-length: 1'),
        ...['', '+1', '-1', '1, 1', '1 1', '0x1', '1e3', '1.0', '9'.repeat(16), '１'].map((n) =>
          get(`Content-Length: ${n}`),
        ),
        'POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n',
        get('Transfer-Encoding:'),
        get('Transfer-Encoding: gzip'),
        get('Transfer-Encoding: chunked, gzip'),
        get('Transfer-Encoding: chunked, chunked'),
        get('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'),
        get('Transfer-Encoding: , chunked'),
        get('Transfer-Encoding: chunked;a=b'),
        get('Transfer-Encoding: "chunked"'),
        get('Transfer-Encoding: \x0bchunked'),
      ],
    ],
    'transfer codings before chunked': [
      501,
      [
        get('Transfer-Encoding: gzip, chunked'),
        get('TE: x', 'Transfer-Encoding: a', 'Transfer-Encoding: chunked'),
      ],
    ],
    'an expectation other than 100-continue': [417, [get('Expect: 200-ok'), get('Expect: 100-continue, x')]],
  };
  for (const [what, [status, heads]] of Object.entries(refused)) {
    it(`refuses ${what}`, () => {
      for (const head of heads) {
        const result = parse(head);
        expect(result, JSON.stringify(head)).to.be.instanceOf(HeadFault);
        expect((result as HeadFault).status, JSON.stringify(head)).to.equal(status);
      }
    });
  }

  it('reduces an absolute target to its path once its authority is found equal to Host', () => {
    expect(accepted('GET http://A.test:80/x?y HTTP/1.1\r\nHost: a.test\r\n')).to.include({
      target: '/x?y',
      authority: 'a.test',
    });
    expect(accepted('GET HTTPS://a.test?y HTTP/1.1\r\nHost: a.test:443\r\n').target).to.equal('/?y');
    expect(accepted('GET http://a.test HTTP/1.1\r\nHost: a.test\r\n').target).to.equal('/');
    expect(accepted('OPTIONS http://a.test HTTP/1.1\r\nHost: a.test\r\n').target).to.equal('*');
    expect(accepted('GET http://a.test/ HTTP/1.0\r\n').authority).to.equal('a.test');
  });

  it('accepts every form of Host that RFC 3986 knows', () => {
    for (const host of [
      'a',
      'a:80',
      'a:',
      'a_b.test',
      '127.0.0.1:8080',
      '[::1]',
      '[::1]:80',
      '[v1.a:b]',
      'a%41',
      "a!$&'()*+,;=b",
    ]) {
      expect(accepted(`GET / HTTP/1.1\r\nHost: ${host}\r\n`).authority).to.equal(host);
    }
  });

  it('tells how the body ends and whether the connection goes on', () => {
    expect(accepted(get('Content-Length: 007'))).to.include({
      framing: 'length',
      contentLength: 7,
      keepAlive: true,
    });
    expect(accepted(get('Transfer-Encoding: Chunked'))).to.include({ framing: 'chunked', contentLength: -1 });
    expect(accepted(get('Connection: x, CLOSE')).keepAlive).to.be.false;
    expect(accepted('GET / HTTP/1.0\r\n')).to.include({ keepAlive: false, authority: '' });
    expect(accepted('GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n').keepAlive).to.be.true;
    expect(accepted('GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n').keepAlive).to.be.false;
  });

  it('sees an upgrade only where Connection names it, and an expectation only with a body', () => {
    expect(accepted(get('Upgrade: WebSocket', 'Connection: keep-alive, Upgrade')).upgrade).to.equal(
      'websocket',
    );
    expect(accepted(get('Upgrade: websocket')).upgrade).to.be.undefined;
    expect(accepted('GET / HTTP/1.0\r\nUpgrade: websocket\r\nConnection: upgrade\r\n').upgrade).to.be
      .undefined;
    expect(accepted(get('Expect: 100-Continue', 'Content-Length: 1')).expectContinue).to.be.true;
    expect(accepted(get('Expect: 100-continue')).expectContinue).to.be.false;
  });
});

describe('beginningFault', () => {
  it('waits for what may still become a valid head', () => {
    const head = 'GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\nX: 1\r\n\r\n';
    for (let end = 0; end < head.length - 1; end++) {
      expect(beginningFault(head.slice(0, end), false, limits), JSON.stringify(head.slice(0, end))).to.be
        .undefined;
    }
  });

  it('does not wait for the rest of what never will', () => {
    for (const text of [
      'GET / HTTP/1.1\n',
      'GET /\r\n',
      '\x16\x03\x01',
      'GET / HTTP/1.1\r\na b: 1\r\n',
      'a\rb',
      '\n',
    ]) {
      expect(beginningFault(text, false, limits), JSON.stringify(text)).to.be.instanceOf(HeadFault);
    }
  });

  it('tells a target that is too long from a head that is', () => {
    expect(beginningFault(`GET /${'a'.repeat(200)}`, true, limits)?.status).to.equal(414);
    expect(beginningFault(`GET / HTTP/1.1\r\na: ${'a'.repeat(200)}`, true, limits)?.status).to.equal(431);
  });
});
