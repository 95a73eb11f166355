import { expect } from 'chai';
import fc from 'fast-check';
import { FieldScan, scanFields } from '../../../../src/dataplane/http1/scan-fields.ts';
import { serialiseFields, serialiseHead } from '../../../../src/dataplane/http1/serialise-fields.ts';

function scan(text: string): readonly string[] {
  const result = scanFields(text, 0, text.length, 100);
  if (!(result instanceof FieldScan)) throw new Error(`${result}: ${JSON.stringify(text)}`);
  return result.raw;
}

const codecFields = /^(?:connection|keep-alive|content-length|transfer-encoding)$/i;
const token = fc
  .stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,20}$/)
  .filter((name) => !codecFields.test(name));
const value = fc
  .stringMatching(/^[\t -~\x80-\xff]{0,40}$/)
  .map((text) => text.replace(/^[\t ]+|[\t ]+$/g, ''));

describe('serialiseFields', () => {
  it('is undone by scanFields', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(token, value), { maxLength: 20 }), (fields) => {
        expect(scan(serialiseFields(fields.flat(), false))).to.deep.equal(fields.flat());
      }),
    );
  });

  it('lets nothing be injected, whatever names and values a middleware makes', () => {
    const any = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.constantFrom('a\r\nEvil: 1', 'a\nEvil: 1', 'a\rb', '\0', 'a\u010aEvil: 1', 'a\u0d0d', 'x: y\r\nz'),
      token,
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(any, any), { maxLength: 6 }), (fields) => {
        const text = serialiseFields(fields.flat(), false);
        // What stands around the fields does not hide anything in them.
        for (const lines of ['\r\n', 'date: now\r\ncontent-length: 1\r\n\r\n'])
          expect(serialiseHead('GET / HTTP/1.1\r\n', fields.flat(), false, lines)).to.equal(
            `GET / HTTP/1.1\r\n${text}${lines}`,
          );
        const onWire = Buffer.from(text, 'latin1').toString('latin1');
        expect(onWire).to.equal(text);
        const found = scan(onWire);
        for (let i = 0; i < found.length; i += 2) {
          const name = found[i];
          const sent = found[i + 1];
          expect(fields.some(([n, v]) => n === name && v.replace(/^[\t ]+|[\t ]+$/g, '') === sent)).to.be
            .true;
        }
      }),
      { numRuns: 500 },
    );
  });

  it('leaves framing and connection fields to the codec', () => {
    const raw = [
      'Content-Length',
      '1',
      'transfer-encoding',
      'x',
      'Connection',
      'x',
      'Keep-Alive',
      'x',
      'a',
      '1',
    ];
    expect(serialiseFields(raw, false)).to.equal('a: 1\r\n');
    expect(serialiseFields(raw, true)).to.equal('Content-Length: 1\r\na: 1\r\n');
  });
});
