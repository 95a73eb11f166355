import { expect } from 'chai';
import { TimerWheel } from '../../../../src/dataplane/http1/timer-wheel.ts';
import { Deadlines } from '../../../../src/dataplane/proxy/deadlines.ts';

describe('Deadlines', () => {
  it('expires the nearest deadline, and each for its own reason', () => {
    expect(run({ requestMs: 500, attemptMs: 0, idleMs: 1000 }, () => undefined)).to.deep.equal(['request']);
    expect(run({ requestMs: 5000, attemptMs: 0, idleMs: 1000 }, () => undefined)).to.deep.equal(['idle']);
    expect(
      run({ requestMs: 5000, attemptMs: 0, idleMs: 1000 }, (deadlines) => deadlines.phase('connect', 200)),
    ).to.deep.equal(['connect']);
  });

  it('moves the idle deadline with every byte, and only that one', () => {
    const told = run({ requestMs: 3000, attemptMs: 0, idleMs: 500 }, undefined, (deadlines) =>
      deadlines.touch(),
    );
    expect(told).to.deep.equal(['request']);
  });

  it('forgets the deadline of a phase that has ended', () => {
    const told = run({ requestMs: 0, attemptMs: 100, idleMs: 2000 }, (deadlines) => {
      deadlines.phase('attempt', 100);
      deadlines.phase('attempt', 0);
    });
    expect(told).to.deep.equal(['idle']);
  });

  it('waits for a phase with a time of its own and not for bytes, and for those again afterwards', () => {
    const timeouts = { requestMs: 0, attemptMs: 1000, idleMs: 200 };
    expect(run(timeouts, (deadlines) => deadlines.phase('attempt', 1000))).to.deep.equal(['attempt']);
    let ticks = 0;
    const told = run(
      timeouts,
      (deadlines) => deadlines.phase('attempt', 1000),
      (deadlines) => {
        if (++ticks === 8) deadlines.phase('attempt', 0);
      },
    );
    expect(told).to.deep.equal(['idle']);
    expect(ticks).to.be.within(12, 15);
  });

  it('is silent once stopped and leaves nothing armed', () => {
    expect(run({ requestMs: 100, attemptMs: 0, idleMs: 100 }, (deadlines) => deadlines.stop())).to.deep.equal(
      [],
    );
  });
});

/** Runs four seconds of the wheel; `each` after every tick. Returns what expired first, if anything. */
function run(
  timeouts: Deadlines['timeouts'],
  begin?: (deadlines: Deadlines) => void,
  each?: (deadlines: Deadlines) => void,
): string[] {
  const wheel = new TimerWheel(50);
  const told: string[] = [];
  const deadlines = new Deadlines(wheel, timeouts, {
    timedOut(which) {
      told.push(which);
      deadlines.stop();
    },
  });
  deadlines.start();
  begin?.(deadlines);
  for (let i = 0; i < 80 && told.length === 0; i++) {
    wheel.advance();
    each?.(deadlines);
  }
  expect(wheel.armed).to.equal(0);
  wheel.close();
  return told;
}
