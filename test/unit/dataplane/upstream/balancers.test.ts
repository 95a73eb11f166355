import { expect } from 'chai';
import fc from 'fast-check';
import type { ConnectionPool } from '../../../../src/dataplane/upstream/connection-pool.ts';
import { createBalancer } from '../../../../src/dataplane/upstream/create-balancer.ts';
import { Endpoint } from '../../../../src/dataplane/upstream/endpoint.ts';
import type { BalancerStrategy } from '../../../../src/snapshot/model.ts';

const strategies: readonly BalancerStrategy[] = ['RoundRobin', 'LeastRequest', 'Random'];
const always = (): boolean => true;

describe('createBalancer', () => {
  it('gives every endpoint exactly its weight in each round of a smooth round robin', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 }), (weights) => {
        const endpoints = weights.map((_, i) => endpoint(i));
        const balancer = createBalancer('RoundRobin', choices(endpoints, weights), Math.random);
        const round = weights.reduce((sum, weight) => sum + weight, 0);
        for (let n = 0; n < 3; n++) {
          const picked = Array.from({ length: round }, () => balancer.pick(always));
          expect(endpoints.map((one) => picked.filter((other) => other === one).length)).to.deep.equal(
            weights,
          );
        }
      }),
    );
  });

  it('spreads a heavy endpoint over its round', () => {
    const endpoints = [endpoint(0), endpoint(1), endpoint(2)];
    const balancer = createBalancer('RoundRobin', choices(endpoints, [5, 1, 1]), Math.random);
    const order = Array.from({ length: 7 }, () => endpoints.indexOf(balancer.pick(always) as Endpoint));
    expect(order).to.deep.equal([0, 0, 1, 0, 2, 0, 0]);
  });

  for (const strategy of strategies) {
    it(`never picks what is unusable or weighs nothing, and nothing when nothing is left (${strategy})`, () => {
      fc.assert(
        fc.property(
          fc.array(fc.record({ weight: fc.integer({ min: 0, max: 5 }), usable: fc.boolean() }), {
            maxLength: 12,
          }),
          (states) => {
            const endpoints = states.map((_, i) => endpoint(i));
            const weights = states.map(({ weight }) => weight);
            const balancer = createBalancer(strategy, choices(endpoints, weights), Math.random);
            const usable = (one: Endpoint): boolean => states[endpoints.indexOf(one)]?.usable === true;
            const allowed = endpoints.filter((one, i) => usable(one) && weights[i] !== 0);
            for (let n = 0; n < 20; n++) {
              const picked = balancer.pick(usable);
              if (allowed.length === 0) expect(picked).to.equal(undefined);
              else expect(allowed).to.include(picked);
            }
          },
        ),
      );
    });
  }

  it('picks the endpoint with the fewest exchanges for its weight over all workers', () => {
    const cells = new SharedArrayBuffer(1024);
    const endpoints = [0, 1, 2].map((i) => endpoint(i, { cells, workers: 2, workerIndex: 0 }));
    const ofOther = [0, 1, 2].map((i) => endpoint(i, { cells, workers: 2, workerIndex: 1 }));
    const balancer = createBalancer('LeastRequest', choices(endpoints, [1, 1, 4]), Math.random);
    ofOther[0]?.begin();
    for (let i = 0; i < 3; i++) endpoints[2]?.begin();
    // (1+1)/1, (0+1)/1, (3+1)/4: a tie of the last two; one more on the third leaves the second.
    endpoints[2]?.begin();
    expect(balancer.pick(always)).to.equal(endpoints[1]);
    endpoints[1]?.begin();
    endpoints[1]?.begin();
    expect(balancer.pick(always)).to.equal(endpoints[2]);
    expect(endpoints[0]?.inFlight).to.equal(1);
    ofOther[0]?.end();
    expect(endpoints[0]?.inFlight).to.equal(0);
  });

  it('prefers the less loaded one of two among many endpoints', () => {
    const endpoints = Array.from({ length: 40 }, (_, i) => endpoint(i));
    const balancer = createBalancer(
      'LeastRequest',
      choices(
        endpoints,
        endpoints.map(() => 1),
      ),
      Math.random,
    );
    for (let n = 0; n < 4000; n++) balancer.pick(always)?.begin();
    const loads = endpoints.map((one) => one.inFlight);
    // Two random choices keep the spread to about log log n; purely random ones would be ±30 here.
    expect(Math.max(...loads) - Math.min(...loads)).to.be.below(25);
  });

  it('draws endpoints in proportion to their weights', () => {
    const endpoints = [endpoint(0), endpoint(1)];
    let seed = 1;
    const random = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
    const balancer = createBalancer('Random', choices(endpoints, [3, 1]), random);
    let first = 0;
    for (let n = 0; n < 10_000; n++) if (balancer.pick(always) === endpoints[0]) first++;
    expect(first).to.be.within(7_200, 7_800);
  });
});

function choices(
  endpoints: readonly Endpoint[],
  weights: readonly number[],
): { readonly endpoint: Endpoint; readonly weight: number }[] {
  return endpoints.map((one, i) => ({ endpoint: one, weight: weights[i] as number }));
}

function endpoint(
  i: number,
  { cells = new SharedArrayBuffer(1024), workers = 1, workerIndex = 0 } = {},
): Endpoint {
  const snapshot = {
    url: `http://10.0.0.${String(i)}`,
    tls: false,
    host: `10.0.0.${String(i)}`,
    port: 80,
    weight: 1,
  };
  const series = { answered: () => undefined, release: () => undefined };
  return new Endpoint({
    snapshot,
    cells: { buffer: cells, offset: i * 4 },
    workers,
    workerIndex,
    pool: undefined as unknown as ConnectionPool,
    series,
    since: 1,
  });
}
