import { expect } from 'chai';
import fc from 'fast-check';
import {
  createRequestRing,
  RequestRingReader,
  RequestRingWriter,
} from '../../../src/telemetry/request-ring.ts';
import { decodeRequest, encodeRequest } from '../../../src/telemetry/request-tap.ts';

describe('RequestRingWriter and RequestRingReader', () => {
  const text = fc.string({ unit: 'binary-ascii', maxLength: 40 });

  it('hand over every text that was taken, whole and in order, and count the others', () => {
    const step = fc.oneof({ weight: 3, arbitrary: text }, { weight: 2, arbitrary: fc.constant(undefined) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        const ring = createRequestRing(128);
        const expected: string[] = [];
        let dropped = 0;
        for (const written of steps) {
          // Whoever takes over from another knows nothing but the ring.
          if (written === undefined) {
            const reader = new RequestRingReader(ring);
            expect(reader.peek()).to.equal(expected.shift());
            reader.skip();
          } else if (new RequestRingWriter(ring).write(written)) expected.push(written);
          else dropped += 1;
        }
        const reader = new RequestRingReader(ring);
        for (const each of expected) {
          expect(reader.peek()).to.equal(each);
          reader.skip();
        }
        expect(reader.peek()).to.equal(undefined);
        expect([reader.takeDropped(), reader.takeDropped()]).to.deep.equal([dropped, 0]);
      }),
      { numRuns: 300 },
    );
  });

  it('go on when the counts of bytes pass 2^32', () => {
    const ring = createRequestRing(64);
    const cells = new Int32Array(ring, 0, 48);
    cells[0] = cells[16] = -64;
    const [writer, reader] = [new RequestRingWriter(ring), new RequestRingReader(ring)];
    for (let i = 0; i < 20; i++) {
      expect(writer.write(`text ${i}`)).to.equal(true);
      expect(reader.peek()).to.equal(`text ${i}`);
      reader.skip();
    }
    expect(cells[0]).to.be.above(0);
  });

  it('take a text as long as the ring, and none that is longer', () => {
    const ring = createRequestRing(64);
    const writer = new RequestRingWriter(ring);
    expect([writer.write('x'.repeat(61)), writer.write('x'.repeat(60)), writer.write('')]).to.deep.equal([
      false,
      true,
      false,
    ]);
    expect(new RequestRingReader(ring).takeDropped()).to.equal(2);
  });
});

describe('encodeRequest and decodeRequest', () => {
  it('tell a request as it was', () => {
    // Octets as the codec lets them in: latin1 without line breaks.
    const octets = fc.string({
      unit: fc.integer({ min: 32, max: 255 }).map((code) => String.fromCharCode(code)),
    });
    const pairs = fc.array(fc.tuple(octets, octets), { maxLength: 5 }).map((all) => all.flat());
    const request = fc.record({
      generation: fc.nat(),
      tls: fc.boolean(),
      peer: octets,
      listener: octets,
      method: octets,
      authority: octets,
      target: octets,
      headers: pairs,
    });
    fc.assert(
      fc.property(request, (each) => {
        const ring = createRequestRing(16_384);
        expect(new RequestRingWriter(ring).write(encodeRequest(each))).to.equal(true);
        expect(decodeRequest(new RequestRingReader(ring).peek() ?? '')).to.deep.equal(each);
      }),
    );
  });
});
