import { expect } from 'chai';
import fc from 'fast-check';
import type { LocalReply, Middleware, ResponseHead } from '../../../src/middleware/contract.ts';
import { decidePipeline } from '../../../src/middleware/decide-pipeline.ts';
import { composePipeline } from '../../../src/middleware/pipeline.ts';
import { HeaderList } from '../../../src/routing/header-list.ts';
import { exchangeOf } from './exchange.ts';

const teapot: LocalReply = { status: 418, code: 'ERR_TEAPOT', detail: 'no coffee', reason: 'teapot' };
const decide = (): { outcome: 'continue'; notes: string[] } => ({ outcome: 'continue', notes: [] });
const emptyHead = (): ResponseHead => ({ status: 200, headers: new HeaderList() });
const noFailure = (): void => expect.fail('no hook throws');

interface Spec {
  readonly hooks: 'both' | 'request' | 'response';
  readonly waits: boolean;
  readonly answers: boolean;
}

/** Middlewares that write down when they run. */
function recorders(specs: readonly Spec[], log: string[]): { name: string; middleware: Middleware }[] {
  return specs.map(({ hooks, waits, answers }, i) => {
    const request = (): LocalReply | undefined | Promise<LocalReply | undefined> => {
      log.push(`>${i}`);
      const result = answers ? teapot : undefined;
      return waits ? Promise.resolve(result) : result;
    };
    const response = (): void | Promise<void> => {
      log.push(`<${i}`);
      return waits ? Promise.resolve() : undefined;
    };
    const middleware: Middleware = {
      decide,
      ...(hooks === 'response' ? {} : { request }),
      ...(hooks === 'request' ? {} : { response }),
    };
    return { name: `m${i}`, middleware };
  });
}

const specs = fc.array(
  fc.record({
    hooks: fc.constantFrom('both' as const, 'request' as const, 'response' as const),
    waits: fc.boolean(),
    answers: fc.boolean(),
  }),
  { maxLength: 8 },
);

describe('composePipeline', () => {
  it('runs request hooks in order up to the first reply and response hooks of those before it in reverse', async () => {
    await fc.assert(
      fc.asyncProperty(specs, async (given) => {
        const log: string[] = [];
        const pipeline = composePipeline(recorders(given, log), noFailure);
        const reply = await pipeline.request(exchangeOf());
        await pipeline.response(exchangeOf(), emptyHead(), reply?.index ?? pipeline.length);

        const answering = given.findIndex(({ hooks, answers }) => hooks !== 'response' && answers);
        const passed = answering < 0 ? given.length : answering;
        const reached = answering < 0 ? given.length : answering + 1;
        const entries = [...given.entries()];
        expect(reply?.index ?? -1).to.equal(answering);
        expect(log).to.deep.equal([
          ...entries.filter(([i, s]) => i < reached && s.hooks !== 'response').map(([i]) => `>${i}`),
          ...entries
            .filter(([i, s]) => i < passed && s.hooks !== 'request')
            .map(([i]) => `<${i}`)
            .reverse(),
        ]);
      }),
    );
  });

  it('makes no promise where no hook waits', () => {
    const log: string[] = [];
    const sync: Spec = { hooks: 'both', waits: false, answers: false };
    const pipeline = composePipeline(recorders([sync, { ...sync, answers: true }], log), noFailure);
    const reply = pipeline.request(exchangeOf());
    expect(reply).to.deep.equal({ reply: teapot, by: 'm1', index: 1 });
    expect(pipeline.response(exchangeOf(), emptyHead(), 1)).to.equal(undefined);
    expect(log).to.deep.equal(['>0', '>1', '<0']);
  });

  for (const waits of [false, true]) {
    it(`answers 500 and keeps the message inside when a hook ${waits ? 'rejects' : 'throws'}`, async () => {
      const seen: unknown[] = [];
      const error = new Error('password is hunter2');
      const broken = (): Promise<undefined> => {
        if (waits) return Promise.reject(error);
        throw error;
      };
      const pipeline = composePipeline(
        [
          { name: 'outer', middleware: { decide, response: () => void seen.push('outer response') } },
          { name: 'broken', middleware: { decide, request: broken, response: broken } },
        ],
        (failure) => seen.push(failure),
      );
      const exchange = exchangeOf();

      const requestReply = await pipeline.request(exchange);
      expect(requestReply).to.include({ by: 'broken', index: 1 });
      expect(requestReply?.reply).to.include({ status: 500, code: 'ERR_MIDDLEWARE_FAILED' });
      const responseReply = await pipeline.response(exchange, emptyHead(), pipeline.length);
      expect(responseReply?.reply).to.include({ status: 500, code: 'ERR_MIDDLEWARE_FAILED' });
      expect(JSON.stringify([requestReply, responseReply])).to.not.include('hunter2');
      expect(await pipeline.response(exchange, emptyHead(), responseReply?.index ?? -1)).to.equal(undefined);
      expect(seen).to.deep.equal([
        { name: 'broken', phase: 'request', error },
        { name: 'broken', phase: 'response', error },
        'outer response',
      ]);
    });
  }
});

describe('decidePipeline', () => {
  it('collects what each would do up to the one that answers, and goes on after what cannot be told', async () => {
    const exchange = exchangeOf();
    const decided = await decidePipeline(
      [
        { name: 'a', middleware: { decide: () => ({ outcome: 'continue', notes: ['does a'] }) } },
        { name: 'b', middleware: { decide: () => Promise.reject(new Error('no key')) } },
        {
          name: 'c',
          middleware: { decide: () => ({ outcome: 'reply', reply: teapot, notes: ['refuses'] }) },
        },
        { name: 'd', middleware: { decide: () => expect.fail('is not reached') } },
      ],
      exchange,
    );
    expect(decided).to.deep.equal({
      steps: [
        { name: 'a', decision: { outcome: 'continue', notes: ['does a'] } },
        { name: 'b', decision: { outcome: 'unknown', notes: ['cannot be decided: no key'] } },
        { name: 'c', decision: { outcome: 'reply', reply: teapot, notes: ['refuses'] } },
      ],
      answered: { by: 'c', index: 2, reply: teapot },
    });
  });
});
