import { expect } from 'chai';
import fc from 'fast-check';
import type { State } from '../../../../src/controller/state/state-file.ts';
import { decodeState, encodeState } from '../../../../src/controller/state/state-file.ts';

const states: fc.Arbitrary<State> = fc.record({
  savedAt: fc.nat(),
  documents: fc.array(
    fc.record({
      source: fc.nat(9),
      file: fc.string({ unit: 'binary' }),
      linesBefore: fc.nat(),
      text: fc.string({ unit: 'grapheme' }),
      keys: fc.array(fc.string()),
    }),
    { maxLength: 3 },
  ),
  fallbackSince: fc.dictionary(fc.string(), fc.nat(), { noNullPrototype: true }),
});

describe('decodeState', () => {
  it('gives back what encodeState was given', () => {
    fc.assert(
      fc.property(states, (state) => {
        expect(decodeState(encodeState(state).toString())).to.deep.equal(state);
      }),
    );
  });

  it('refuses a file that was cut off anywhere or of which any character is another', () => {
    fc.assert(
      fc.property(states, fc.nat(), fc.integer({ min: 33, max: 126 }), (state, place, code) => {
        const text = encodeState(state).toString();
        // The line end after the last character may go.
        const at = place % (text.length - 1);
        expect(() => decodeState(text.slice(0, at))).to.throw();
        const other = String.fromCharCode(code);
        fc.pre(text[at] !== other);
        expect(() => decodeState(text.slice(0, at) + other + text.slice(at + 1))).to.throw();
      }),
    );
  });

  it('says what is wrong', () => {
    const head = (version: number): string =>
      `{"format":"mgateway-state","version":${version},"sha256":""}\n{}\n`;
    expect(() => decodeState('')).to.throw('is not a state file');
    expect(() => decodeState(head(2))).to.throw('has version 2; this program reads 1');
    expect(() => decodeState(head(1))).to.throw('is damaged');
  });
});
