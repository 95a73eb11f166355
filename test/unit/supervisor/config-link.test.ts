import { expect } from 'chai';
import { describe, it } from 'mocha';
import type { ConfigToMain, MainToConfig } from '../../../src/snapshot/messages.ts';
import type { Clock } from '../../../src/supervisor/clock.ts';
import { eventually } from '../../support/eventually.ts';
import { ConfigLink } from '../../../src/supervisor/config-link.ts';
import type { ThreadEvents } from '../../../src/supervisor/thread.ts';

describe('ConfigLink', () => {
  it('starts the thread again when it dies, and rejects what was asked of the dead one', async () => {
    const { link, lives, timers, died, isOver } = setUp();
    link.start();
    const asked = link.query('routes', {});
    lives[0]?.events.exit(1, new Error('boom'));
    expect(await asked.catch((error: Error) => error.message)).to.equal('the config thread died');
    expect(died).to.deep.equal([1]);
    expect(await link.query('routes', {}).catch((error: Error) => error.message)).to.match(/not running/);
    timers.shift()?.();
    await Promise.resolve();
    expect(lives, 'what the dead one had begun is not over').to.have.length(1);
    isOver();
    await eventually(() => expect(lives).to.have.length(2));
    const again = link.query('routes', {});
    const query = lives[1]?.posted.at(-1);
    lives[1]?.events.message({ type: 'Answer', id: query?.type === 'Query' ? query.id : -1, value: ['a'] });
    expect(await again).to.deep.equal(['a']);
  });

  it('lets the thread write what it keeps when it is stopped, takes nothing it publishes, and starts no other', async () => {
    const { link, lives, timers, died, taken } = setUp();
    link.start();
    const stopped = link.stop();
    const [life] = lives;
    expect(life?.posted).to.deep.equal([{ type: 'Stop' }]);
    life?.events.message({ type: 'Publish', base: 0, parts: [], generation: 2, sourceHash: '' });
    life?.events.message({ type: 'StateTrouble', failing: true });
    expect(taken).to.deep.equal(['StateTrouble']);
    life?.events.exit(0, undefined);
    await stopped;
    await link.stop();
    expect([timers.length, died, life?.terminated]).to.deep.equal([0, [], false]);
  });

  it('ends a thread that does not stop by itself', async () => {
    const { link, lives, timers } = setUp();
    link.start();
    const stopped = link.stop();
    timers[0]?.();
    expect(lives[0]?.terminated).to.equal(true);
    lives[0]?.events.exit(1, undefined);
    await stopped;
  });
});

interface Life {
  readonly events: ThreadEvents<ConfigToMain>;
  readonly posted: MainToConfig[];
  terminated: boolean;
}

/** `timers`: what waits; answers are never late here. */
function setUp() {
  const lives: Life[] = [];
  const timers: (() => void)[] = [];
  const died: number[] = [];
  const taken: string[] = [];
  let isOver = (): void => undefined;
  const over = new Promise<void>((resolve) => (isOver = resolve));
  const clock: Clock = {
    now: () => 0,
    after(ms, run) {
      if (ms < 10_000) timers.push(run);
      return () => {
        if (timers.includes(run)) timers.splice(timers.indexOf(run), 1);
      };
    },
    every: () => () => undefined,
  };
  const silent = (): void => undefined;
  const link = new ConfigLink({
    clock,
    log: { error: silent, warn: silent, info: silent, debug: silent },
    startThread: (events) => {
      const life: Life = { events, posted: [], terminated: false };
      lives.push(life);
      return {
        post: (message) => void life.posted.push(message),
        terminate: () => (life.terminated = true),
      };
    },
    message: ({ type }) => void taken.push(type),
    died: () => {
      died.push(lives.length);
      return over;
    },
  });
  return { link, lives, timers, died, taken, isOver: () => isOver() };
}
