import { Buffer } from 'node:buffer';
import { expect } from 'chai';
import fc from 'fast-check';
import { ConnectionInput } from '../../../../src/dataplane/http1/connection-input.ts';
import { SpillBudget } from '../../../../src/dataplane/http1/spill.ts';
import { Wire } from './wire.ts';

const mebibyte = Buffer.alloc(1024 * 1024);

describe('ConnectionInput', () => {
  it('gives out what came in its order, whatever was read ahead', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('come' as const), bytes: fc.integer({ min: 1, max: 40_000 }) }),
      fc.record({ do: fc.constantFrom('take', 'look', 'hold', 'refill'), bytes: fc.constant(0) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const budget = new SpillBudget();
        const room = budget.left;
        const input = new ConnectionInput(new Wire().socket, budget);
        let came = 0;
        let taken = 0;
        const take = (): void => {
          for (const byte of input.buffer.rest()) expect(byte).to.equal(taken++ % 251);
          input.buffer.clear();
        };
        for (const { do: what, bytes } of steps) {
          if (what === 'come') {
            const lent = Buffer.from(Array.from({ length: bytes }, () => came++ % 251));
            input.append(lent, true);
            input.buffer.keep();
            lent.fill(255);
          } else if (what === 'take') take();
          else if (what === 'look') input.lookForPeer();
          else if (what === 'hold') input.ahead = false;
          else input.refill();
          expect(input.size).to.equal(came - taken);
        }
        do take();
        while (input.refill());
        expect(taken).to.equal(came);
        expect(budget.left).to.equal(room);
      }),
      { numRuns: 50 },
    );
  });

  it('reads ahead only once it looks for the peer, and no more than it may alone and with others', () => {
    const budget = new SpillBudget();
    const open = (): { input: ConnectionInput; wire: Wire } => {
      const wire = new Wire();
      wire.resume();
      const input = new ConnectionInput(wire.socket, budget);
      input.flow(false);
      expect(wire.isPaused()).to.equal(true);
      return { input, wire };
    };
    const readAll = ({ input, wire }: { input: ConnectionInput; wire: Wire }): number => {
      input.lookForPeer();
      while (!wire.isPaused()) {
        input.append(mebibyte, false);
        input.flow(false);
      }
      return input.size / mebibyte.length;
    };
    const [first, ...others] = Array.from({ length: 6 }, open);
    expect(readAll(first as NonNullable<typeof first>)).to.equal(8);
    expect(others.map(readAll)).to.deep.equal([8, 8, 8, 0, 0]);
    first?.input.clear();
    expect(readAll(others.at(-1) as NonNullable<typeof first>)).to.equal(8);
  });
});
