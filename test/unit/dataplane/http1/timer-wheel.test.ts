import { expect } from 'chai';
import fc from 'fast-check';
import { TimerEntry, TimerWheel } from '../../../../src/dataplane/http1/timer-wheel.ts';

describe('TimerWheel', () => {
  it('expires each entry once, at or up to two ticks after its time, and never a cancelled one', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('arm' as const), entry: fc.nat(9), ms: fc.nat(60_000) }),
      fc.record({ do: fc.constant('cancel' as const), entry: fc.nat(9), ms: fc.constant(0) }),
      fc.record({ do: fc.constant('pass' as const), entry: fc.constant(0), ms: fc.nat(20_000) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const wheel = new TimerWheel(50);
        let now = 0;
        const due = new Map<TimerEntry, number>();
        const target = {
          expired(entry: TimerEntry): void {
            const at = due.get(entry);
            expect(at, 'expired without being armed').to.not.be.undefined;
            expect(now).to.be.within(at as number, (at as number) + 100);
            due.delete(entry);
          },
        };
        const entries = Array.from({ length: 10 }, () => new TimerEntry(target));
        try {
          for (const { do: what, entry, ms } of steps) {
            const chosen = entries[entry] as TimerEntry;
            if (what === 'arm') {
              wheel.arm(chosen, ms);
              due.set(chosen, now + ms);
            } else if (what === 'cancel') {
              wheel.cancel(chosen);
              due.delete(chosen);
            } else {
              for (const end = now + ms; now < end;) {
                now += 50;
                wheel.advance();
              }
            }
            for (const at of due.values()) expect(now).to.be.at.most(at + 100);
            expect(wheel.armed).to.equal(due.size);
          }
        } finally {
          wheel.close();
        }
      }),
    );
  });

  it('lets a target arm and cancel any entry while it is told', () => {
    const wheel = new TimerWheel(50);
    const told: string[] = [];
    const second = new TimerEntry({ expired: () => told.push('second') });
    const first = new TimerEntry({
      expired(entry): void {
        told.push('first');
        wheel.cancel(second);
        if (told.length < 3) wheel.arm(entry, 0);
      },
    });
    wheel.arm(first, 0);
    wheel.arm(second, 0);
    for (let i = 0; i < 20; i++) wheel.advance();
    expect(told).to.deep.equal(['first', 'first', 'first']);
    expect(wheel.armed).to.equal(0);
  });

  it('looks at each entry of a slot a few times at the most, however many expire in it and however many do not', () => {
    // Rounds of the ring: 512 ticks.
    const round = 512 * 50;
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 400 }), (isDue) => {
        const wheel = new TimerWheel(50);
        let looks = 0;
        let expired = 0;
        for (const due of isDue) {
          const entry = new TimerEntry({ expired: () => expired++ });
          wheel.arm(entry, due ? 0 : round);
          let { tick } = entry;
          Object.defineProperty(entry, 'tick', {
            get: () => (looks++, tick),
            set: (value: number) => (tick = value),
          });
        }
        wheel.advance();
        wheel.close();
        expect(expired).to.equal(isDue.filter((due) => due).length);
        expect(looks).to.be.at.most(2 * isDue.length);
      }),
    );
  });
});
