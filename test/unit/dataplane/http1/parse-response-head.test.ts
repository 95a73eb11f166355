import { expect } from 'chai';
import { ResponseFault } from '../../../../src/dataplane/http1/fault.ts';
import { parseResponseHead } from '../../../../src/dataplane/http1/parse-response-head.ts';

function parse(head: string, method = 'GET') {
  return parseResponseHead(`${head}\r\n`, head.length, method, 5);
}

describe('parseResponseHead', () => {
  it('tells by status, method and fields how the body ends', () => {
    const cases: [head: string, method: string, framing: string, keepAlive: boolean][] = [
      ['HTTP/1.1 200 OK\r\nContent-Length: 3\r\n', 'GET', 'length', true],
      ['HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n', 'GET', 'chunked', true],
      ['HTTP/1.1 200 \r\n', 'GET', 'close', false],
      ['HTTP/1.0 200 OK\r\nContent-Length: 3\r\n', 'GET', 'length', false],
      ['HTTP/1.0 200 OK\r\nContent-Length: 3\r\nConnection: keep-alive\r\n', 'GET', 'length', true],
      ['HTTP/1.1 200 OK\r\nContent-Length: 3\r\n', 'HEAD', 'none', true],
      ['HTTP/1.1 204 No Content\r\n', 'GET', 'none', true],
      ['HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\nConnection: close\r\n', 'GET', 'none', false],
      ['HTTP/1.1 103 Early Hints\r\n', 'GET', 'none', true],
    ];
    for (const [head, method, framing, keepAlive] of cases) {
      expect(parse(head, method), head).to.include({ framing, keepAlive });
    }
  });

  it('refuses what must not be passed on', () => {
    const heads = [
      'HTTP/1.1 20 OK\r\n',
      'HTTP/1.1 2000 OK\r\n',
      'HTTP/1.1 099 No\r\n',
      'HTTP/1.1 600 No\r\n',
      'HTTP/1.1  200 OK\r\n',
      'HTTP/2 200 OK\r\n',
      'HTTP/2.0 200 OK\r\n',
      'ICY 200 OK\r\n',
      'HTTP/1.1 200 O\x00K\r\n',
      'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n',
      'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n',
      'HTTP/1.1 200 OK\r\nContent-Length: 3, 3\r\n',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n',
      'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n',
      'HTTP/1.1 200 OK\r\na: 1\r\n b\r\n',
      'HTTP/1.1 200 OK\r\na : 1\r\n',
      'HTTP/1.1 200 OK\r\na: 1\nb: 2\r\n',
      'HTTP/1.1 200 OK\r\na:1\r\na:1\r\na:1\r\na:1\r\na:1\r\na:1\r\n',
    ];
    for (const head of heads) expect(parse(head), JSON.stringify(head)).to.be.instanceOf(ResponseFault);
  });
});
