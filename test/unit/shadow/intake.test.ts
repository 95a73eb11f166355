import { expect } from 'chai';
import { Intake } from '../../../src/shadow/intake.ts';
import { createRequestRing } from '../../../src/telemetry/request-ring.ts';
import { createRequestTap } from '../../../src/telemetry/request-tap.ts';

describe('Intake', () => {
  it('takes from each worker in turn, and leaves what a generation to come has decided', () => {
    const rings = [createRequestRing(1024), createRequestRing(1024), createRequestRing(64)];
    const taps = rings.map(createRequestTap);
    const offer = (worker: number, target: string, generation: number): void =>
      taps[worker]?.offer({
        generation,
        tls: false,
        peer: 'p',
        listener: 'l',
        method: 'GET',
        authority: 'a',
        target,
        headers: [],
      });
    for (const target of ['/a1', '/a2', '/a3']) offer(0, target, 1);
    offer(1, '/b1', 1);
    offer(1, '/b2', 2);
    offer(2, '/too-long-for-what-is-left'.repeat(3), 1);
    const intake = new Intake(rings);
    const takeAll = (latest: number): readonly (string | undefined)[] => {
      const targets: (string | undefined)[] = [];
      for (let each = intake.take(latest); each !== undefined; each = intake.take(latest))
        targets.push(each.target);
      return targets;
    };
    expect(takeAll(1)).to.deep.equal(['/b1', '/a1', '/a2', '/a3']);
    offer(0, '/a4', 2);
    expect(takeAll(2)).to.have.members(['/b2', '/a4']);
    expect([intake.takeDropped(), intake.takeDropped()]).to.deep.equal([1, 0]);
  });
});
