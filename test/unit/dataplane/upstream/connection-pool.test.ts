import { expect } from 'chai';
import { TimerWheel } from '../../../../src/dataplane/http1/timer-wheel.ts';
import type { ClientConnection } from '../../../../src/dataplane/http1/types.ts';
import { ConnectionPool } from '../../../../src/dataplane/upstream/connection-pool.ts';
import type { ConnectEvents } from '../../../../src/dataplane/upstream/connection-pool.ts';

const options = { maxConnections: 2, maxQueue: 1, keepAliveMs: 1000 };

describe('ConnectionPool', () => {
  it('opens no more connections than allowed, queues in order of arrival and refuses what exceeds the queue', () => {
    const { pool, opening } = createPool();
    const told: string[] = [];
    for (const name of ['a', 'b', 'c', 'd']) pool.take(waiter(name, told), false);
    expect(opening).to.have.length(2);
    expect(told).to.deep.equal(['d failed POOL_FULL']);
    const first = connection();
    opening[0]?.opened(first);
    opening[1]?.opened(connection());
    expect(told.slice(1)).to.deep.equal(['a connected', 'b connected']);
    pool.release(first);
    expect(told.slice(3)).to.deep.equal(['c connected']);
  });

  it('gives the most recently used idle connection and passes over those that died', () => {
    const { pool, opening } = createPool();
    const [first, second] = [connection(), connection()];
    pool.take(waiter('a', []), false);
    pool.take(waiter('b', []), false);
    opening[0]?.opened(first);
    opening[1]?.opened(second);
    pool.release(first);
    pool.release(second);
    second.reusable = false;
    expect(pool.takeIdle()).to.equal(first);
    expect(pool.takeIdle()).to.equal(undefined);
  });

  it('closes idle connections when their time is over, and keeps the younger ones', () => {
    const { pool, opening, wheel } = createPool();
    const [old, young] = [connection(), connection()];
    pool.take(waiter('a', []), false);
    pool.take(waiter('b', []), false);
    opening[0]?.opened(old);
    opening[1]?.opened(young);
    pool.release(old);
    for (let i = 0; i < 10; i++) wheel.advance();
    pool.release(young);
    for (let i = 0; i < 14; i++) wheel.advance();
    expect([old.destroyed, young.destroyed]).to.deep.equal([true, false]);
    for (let i = 0; i < 14; i++) wheel.advance();
    expect(young.destroyed).to.equal(true);
    expect(wheel.armed).to.equal(0);
  });

  it('gives up the attempt of a waiter that has gone and lets the queue move up', () => {
    const { pool, opening, givenUp } = createPool();
    const told: string[] = [];
    const gone = waiter('gone', told);
    pool.take(gone, false);
    pool.take(waiter('b', told), false);
    pool.take(waiter('c', told), false);
    pool.cancel(gone);
    expect(givenUp).to.deep.equal([0]);
    expect(opening).to.have.length(3);
    opening[2]?.opened(connection());
    expect(told).to.deep.equal(['c connected']);
  });

  it('makes room when a connection is closed by the upstream', () => {
    const { pool, opening } = createPool();
    const told: string[] = [];
    const first = connection();
    for (const name of ['a', 'b', 'c']) pool.take(waiter(name, told), false);
    opening[0]?.opened(first);
    opening[0]?.closed(first);
    expect(pool.size).to.equal(2);
    opening[2]?.opened(connection());
    expect(told).to.deep.equal(['a connected', 'c connected']);
  });

  it('applies changed limits at once: more room, less room, a shorter time', () => {
    const { pool, opening, wheel } = createPool();
    const told: string[] = [];
    const [first, second, third] = [connection(), connection(), connection()];
    for (const name of ['a', 'b', 'c']) pool.take(waiter(name, told), false);
    expect(opening).to.have.length(2);
    pool.configure({ ...options, maxConnections: 3 });
    expect(opening).to.have.length(3);
    [first, second, third].forEach((made, i) => opening[i]?.opened(made));
    pool.configure({ ...options, maxConnections: 2 });
    pool.release(first);
    opening[0]?.closed(first);
    pool.release(second);
    expect([first.destroyed, second.destroyed]).to.deep.equal([true, false]);
    pool.configure({ ...options, maxConnections: 2, keepAliveMs: 100 });
    for (let i = 0; i < 4; i++) wheel.advance();
    expect(second.destroyed).to.equal(true);
  });

  it('closes idle connections at once and busy ones on their release when it is closed', () => {
    const { pool, opening, wheel } = createPool();
    const [idle, busy] = [connection(), connection()];
    pool.take(waiter('a', []), false);
    pool.take(waiter('b', []), false);
    opening[0]?.opened(idle);
    opening[1]?.opened(busy);
    pool.release(idle);
    pool.close();
    expect([idle.destroyed, busy.destroyed]).to.deep.equal([true, false]);
    pool.release(busy);
    expect(busy.destroyed).to.equal(true);
    expect(wheel.armed).to.equal(0);
  });
});

function createPool(): {
  readonly pool: ConnectionPool;
  readonly opening: ConnectEvents[];
  readonly givenUp: number[];
  readonly wheel: TimerWheel;
} {
  const opening: ConnectEvents[] = [];
  const givenUp: number[] = [];
  const wheel = new TimerWheel(50);
  after(() => wheel.close());
  const pool = new ConnectionPool(
    (events) => {
      const index = opening.push(events) - 1;
      return () => givenUp.push(index);
    },
    wheel,
    options,
  );
  return { pool, opening, givenUp, wheel };
}

function waiter(name: string, told: string[]): Parameters<ConnectionPool['take']>[0] {
  return {
    connected: () => told.push(`${name} connected`),
    connectFailed: (code) => told.push(`${name} failed ${code}`),
  };
}

function connection(): ClientConnection & { reusable: boolean; destroyed: boolean } {
  return {
    reusable: true,
    used: false,
    destroyed: false,
    start: () => undefined,
    write: () => true,
    endBody: () => undefined,
    pause: () => undefined,
    resume: () => undefined,
    destroy() {
      this.destroyed = true;
    },
  };
}
