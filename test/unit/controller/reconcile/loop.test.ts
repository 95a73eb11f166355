import { expect } from 'chai';
import { startLoop } from '../../../../src/controller/reconcile/loop.ts';
import type { LoopOptions } from '../../../../src/controller/reconcile/loop.ts';
import { cleanupAfterEach } from '../../../support/cleanup.ts';

/** A clock whose timers run when they are told to. */
function handClock() {
  let time = 1_000_000;
  let timers: { readonly at: number; readonly run: () => void }[] = [];
  return {
    now: () => time,
    sleep: () => Promise.resolve(),
    after(ms: number, run: () => void) {
      const timer = { at: time + ms, run };
      timers.push(timer);
      return () => void (timers = timers.filter((each) => each !== timer));
    },
    /** `step`: by how much the time of day is set beside. */
    async pass(ms: number, step = 0): Promise<void> {
      const due = timers.filter(({ at }) => at <= time + ms);
      timers = timers.filter((timer) => !due.includes(timer)).map(({ at, run }) => ({ at: at + step, run }));
      time += ms + step;
      for (const { run } of due) run();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

const silent = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };
const pollMs = 10_000;

describe('startLoop', () => {
  const cleanup = cleanupAfterEach();

  function start(reconciler: LoopOptions['reconciler']) {
    const clock = handClock();
    const loop = startLoop({
      reconciler,
      // All that was read is remembered: nothing changes any more.
      source: { changed: () => false, read: () => Promise.reject(new Error('not asked here')) },
      keys: { changed: () => false } as LoopOptions['keys'],
      clock,
      log: silent,
      quietMs: 50,
      maxQuietMs: 500,
      pollMs,
    });
    cleanup.add(() => loop.close());
    return clock;
  }

  it('reads again after a reconcile that failed, though no file has changed since', async () => {
    let runs = 0;
    const clock = start({
      run() {
        runs += 1;
        return runs === 1
          ? Promise.reject(new Error('lost'))
          : Promise.resolve({ complete: true, watch: [] });
      },
      retryFailed: () => {},
      worthRetrying: false,
    });
    await clock.pass(0);
    expect(runs).to.equal(1);
    await clock.pass(pollMs);
    expect(runs).to.equal(2);
    await clock.pass(pollMs);
    expect(runs).to.equal(2);
  });

  it('tries again what workers refused, also after the clock was set back', async () => {
    let tries = 0;
    const clock = start({
      run: () => Promise.resolve({ complete: true, watch: [] }),
      retryFailed: () => void (tries += 1),
      worthRetrying: true,
    });
    await clock.pass(pollMs);
    expect(tries).to.equal(1);
    await clock.pass(0, -24 * 3_600_000);
    for (let i = 0; i < 3; i += 1) await clock.pass(pollMs);
    expect(tries).to.equal(2);
  });
});
