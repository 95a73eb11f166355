import { expect } from 'chai';
import { describe, it } from 'mocha';
import type { MainToWorker, WorkerToMain } from '../../../src/snapshot/messages.ts';
import type { Clock } from '../../../src/supervisor/clock.ts';
import { systemClock } from '../../../src/supervisor/clock.ts';
import type { Member } from '../../../src/supervisor/member.ts';
import { startThread } from '../../../src/supervisor/thread.ts';
import { WorkerPool } from '../../../src/supervisor/worker-pool.ts';
import { cleanupAfterEach } from '../../support/cleanup.ts';
import type { Cleanup } from '../../support/cleanup.ts';
import { eventually } from '../../support/eventually.ts';

describe('WorkerPool', () => {
  const cleanup = cleanupAfterEach();

  it('starts another worker where one died, and waits longer each time', async () => {
    const { pool, joined, errors, delays } = startPool(cleanup, 2);
    for (let life = 0; life < 3; life++) {
      await eventually(() => pool.members.length === 2);
      const victim = pool.members.find(({ index }) => index === 1) as Member;
      const answer = await victim.ask({ type: 'Prepare', generation: 666 }, 'Prepared');
      expect(answer).to.equal(undefined);
    }
    await eventually(() => joined.length === 5);
    expect(joined.map(({ index }) => index)).to.deep.equal([0, 1, 1, 1, 1]);
    expect(delays).to.deep.equal([100, 200, 400]);
    expect(errors[0]?.['reason']).to.match(/a fault of its own/);
  });

  it('replaces a worker that is stuck, and leaves the one beside it alone', async () => {
    const { pool, joined, errors, beats, look } = startPool(cleanup, 2);
    const [healthy, stuck] = pool.members as [Member, Member];
    await eventually(() => Atomics.load(beats, 0) > 0 && Atomics.load(beats, 1) > 0);
    const answer = stuck.ask({ type: 'Prepare', generation: 777 }, 'Prepared');
    await eventually(async () => {
      const before = Atomics.load(beats, 0);
      await eventually(() => Atomics.load(beats, 0) > before);
      look();
      return stuck.gone;
    });
    expect(await answer).to.equal(undefined);
    await eventually(() => joined.length === 3);
    expect(errors[0]?.['reason']).to.match(/no sign of life/);
    expect(healthy.gone).to.equal(false);
    const successor = joined[2] as Member;
    expect(await successor.ask({ type: 'Prepare', generation: 1 }, 'Prepared')).to.deep.include({
      generation: 1,
    });
  });

  it('replaces nobody once it drains', async () => {
    const { pool, joined, left } = startPool(cleanup, 2);
    await pool.drain(1_000);
    pool.stop();
    await eventually(() => left.length === 2);
    expect(joined).to.have.length(2);
    expect(pool.members).to.have.length(0);
  });
});

function startPool(cleanup: Cleanup, size: number) {
  const joined: Member[] = [];
  const left: Member[] = [];
  const errors: Readonly<Record<string, unknown>>[] = [];
  const delays: number[] = [];
  let look: () => void = () => undefined;
  // Heartbeats are looked at when a test says so; what is waited for after a death is only noted.
  const clock: Clock = {
    now: () => systemClock.now(),
    after(ms, run) {
      delays.push(ms);
      return systemClock.after(0, run);
    },
    every(_, run) {
      look = run;
      return () => undefined;
    },
  };
  const heartbeat = new SharedArrayBuffer(4 * size);
  const pool = new WorkerPool({
    size,
    heartbeat,
    clock,
    log: {
      error: (_, fields) => void errors.push(fields ?? {}),
      warn: () => undefined,
      info: () => undefined,
      debug: () => undefined,
    },
    startThread: (index, events) =>
      startThread<MainToWorker, WorkerToMain>(
        {
          entry: new URL('./fixtures/worker.mjs', import.meta.url),
          name: `worker ${index}`,
          data: { index, heartbeat },
        },
        events,
      ),
    joined: (member) => void joined.push(member),
    message: () => undefined,
    left: (member) => void left.push(member),
  });
  cleanup.add(async () => {
    pool.stop();
    await eventually(() => pool.members.length === 0);
  });
  pool.start();
  const beats = new Int32Array(heartbeat);
  return { pool, joined, left, errors, delays, beats, look: () => look() };
}
