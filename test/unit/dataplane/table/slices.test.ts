import { expect } from 'chai';
import { describe, it } from 'mocha';
import { Slices } from '../../../../src/dataplane/table/slices.ts';

describe('Slices', () => {
  it('is spent after a millisecond of work, and fresh after a rest', async () => {
    const { work, slices } = createSlices({ restMs: 1.5 });
    work(0.9);
    expect(slices.spent).to.equal(false);
    work(0.1);
    expect(slices.spent).to.equal(true);
    await slices.turn();
    expect(slices.spent).to.equal(false);
    work(1);
    expect(slices.spent).to.equal(true);
  });

  it('gives work a third of a loop that is busy, but never a slice beyond three milliseconds', async () => {
    for (const [restMs, sliceMs] of [
      [4, 2],
      [50, 3],
    ] as const) {
      const { work, slices } = createSlices({ restMs });
      await slices.turn();
      work(sliceMs - 0.1);
      expect(slices.spent, `after a rest of ${restMs}`).to.equal(false);
      work(0.2);
      expect(slices.spent, `after a rest of ${restMs}`).to.equal(true);
    }
  });
});

function createSlices({ restMs }: { readonly restMs: number }): {
  readonly slices: Slices;
  readonly work: (ms: number) => void;
} {
  let now = 0;
  const work = (ms: number): void => void (now += ms);
  const slices = new Slices({
    clock: () => now,
    rest: async () => work(restMs),
  });
  return { slices, work };
}
