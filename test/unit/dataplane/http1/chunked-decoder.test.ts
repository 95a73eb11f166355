import { Buffer } from 'node:buffer';
import { expect } from 'chai';
import fc from 'fast-check';
import { ChunkedDecoder } from '../../../../src/dataplane/http1/chunked-decoder.ts';
import { split } from './split.ts';

interface Decoded {
  readonly body: string;
  readonly end: 'done' | 'fault' | 'more';
  readonly trailers: readonly string[];
  /** Bytes behind the end. */
  readonly rest: string;
  readonly pieces: number;
}

function decode(parts: readonly string[]): Decoded {
  const decoder = new ChunkedDecoder(200, 5);
  let body = '';
  let pieces = 0;
  for (const [index, part] of parts.entries()) {
    const buffer = Buffer.from(part, 'latin1');
    decoder.at = 0;
    for (let step = decoder.decode(buffer); step !== 'more'; step = decoder.decode(buffer)) {
      if (step === 'data') {
        body += buffer.toString('latin1', decoder.dataStart, decoder.dataEnd);
        pieces++;
        continue;
      }
      const rest = buffer.toString('latin1', decoder.at) + parts.slice(index + 1).join('');
      return {
        body,
        end: step,
        trailers: decoder.trailers?.raw ?? [],
        rest: step === 'done' ? rest : '',
        pieces,
      };
    }
  }
  return { body, end: 'more', trailers: [], rest: '', pieces };
}

const chunk = fc.record({
  data: fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 40 }),
  zeros: fc.nat(5),
  extension: fc.constantFrom('', ';a', ';a=b', ';a="b;\\"\r"'.replace('\r', ' '), ';a;b=c'),
});
const message = fc.record({
  chunks: fc.array(chunk, { maxLength: 8 }),
  trailers: fc.array(fc.constantFrom('X-Sum: 1', 'y:', 'Z: \t a b'), { maxLength: 3 }),
});

describe('ChunkedDecoder', () => {
  it('gives back what was encoded, however the bytes are split', () => {
    fc.assert(
      fc.property(message, fc.array(fc.nat(400), { maxLength: 30 }), ({ chunks, trailers }, cuts) => {
        let wire = '';
        for (const { data, zeros, extension } of chunks) {
          wire += `${'0'.repeat(zeros)}${data.length.toString(16)}${extension}\r\n${data}\r\n`;
        }
        wire += `0\r\n${trailers.map((line) => `${line}\r\n`).join('')}\r\nGET`;
        const decoded = decode(split(wire, cuts));
        expect(decoded.end).to.equal('done');
        expect(decoded.body).to.equal(chunks.map(({ data }) => data).join(''));
        expect(decoded.rest).to.equal('GET');
        expect(decoded.trailers.length).to.equal(trailers.length * 2);
      }),
    );
  });

  it('moves tiny chunks together so that they are not forwarded one by one', () => {
    const decoded = decode([`${'1\r\nx\r\n'.repeat(1000)}0\r\n\r\n`]);
    expect(decoded).to.include({ body: 'x'.repeat(1000), end: 'done', pieces: 1 });
  });

  it('refuses whatever is not exactly RFC 9112 §7.1, as soon as it is seen and however it is split', () => {
    const wrong = [
      '\r\n',
      ';a\r\n',
      'g\r\n',
      '0x1\r\nx\r\n',
      '+1\r\nx\r\n',
      '-1\r\nx\r\n',
      ' 1\r\nx\r\n',
      '1 \r\nx\r\n',
      '1\t;a\r\nx\r\n',
      '1\nx\r\n',
      '1\rx\r\n',
      '1\r\nx\n',
      '1\r\nxy\r\n',
      '1\r\nx\r\r\n',
      '10000000000000\r\n',
      'ffffffffffffffff\r\n',
      `${'0'.repeat(65)}\r\n`,
      '1;\r\nx\r\n',
      '1;=a\r\nx\r\n',
      '1;a=\r\nx\r\n',
      '1; a\r\nx\r\n',
      '1;a="b\r\nx\r\n',
      '1;a\nx\r\n',
      '1;a\rb\r\nx\r\n',
      `1;${'a'.repeat(5000)}\r\nx\r\n`,
      '0\r\nContent-Length: 1\r\n\r\n',
      '0\r\nTransfer-Encoding: chunked\r\n\r\n',
      '0\r\nHOST: a\r\n\r\n',
      '0\r\na : 1\r\n\r\n',
      '0\r\na: 1\r\n b\r\n\r\n',
      '0\r\na: 1\n\n',
      '0\n\r\n',
      `0\r\na: ${'a'.repeat(300)}\r\n\r\n`,
      `0\r\n${'a: 1\r\n'.repeat(6)}\r\n`,
    ];
    for (const wire of wrong) {
      expect(decode([wire]).end, JSON.stringify(wire)).to.equal('fault');
      expect(decode(wire.split('')).end, JSON.stringify(wire)).to.equal('fault');
    }
  });

  it('drops trailers that would change what was decided when the head was read', () => {
    const decoded = decode(['0\r\nX-Sum: 1\r\nAuthorization: Bearer x\r\nConnection: close\r\n\r\n']);
    expect(decoded.trailers).to.deep.equal(['X-Sum', '1']);
  });

  it('stops extensions that cost time and carry nothing', () => {
    const wire = `1;${'a'.repeat(4000)}\r\nx\r\n`.repeat(5);
    expect(decode([wire]).end).to.equal('fault');
  });
});
