import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { Generation } from '../../../../src/dataplane/proxy/generation.ts';
import { Releases } from '../../../../src/dataplane/table/releases.ts';
import { compileTrusted } from '../../../../src/routing/forwarded.ts';
import { RoutingTable } from '../../../../src/routing/table.ts';

interface Thing {
  readonly since: number;
  last: number | undefined;
  released: number;
}

type Step =
  | { readonly do: 'enter' }
  | { readonly do: 'leave'; readonly which: number }
  /** A new generation: drops some things and brings one. */
  | { readonly do: 'commit'; readonly drops: readonly number[] };

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('enter' as const) }),
    fc.record({ do: fc.constant('leave' as const), which: fc.nat() }),
    fc.record({ do: fc.constant('commit' as const), drops: fc.array(fc.nat(), { maxLength: 3 }) }),
  ),
  { maxLength: 60 },
);

describe('Releases', () => {
  it('gives back each thing once, as soon as no generation that held it has an exchange', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const releases = new Releases({ clock: () => 0, rest: async () => undefined });
        const things: Thing[] = [{ since: 1, last: undefined, released: 0 }];
        let current = createGeneration(1);
        /** Generations of the open exchanges. */
        const open: Generation[] = [];
        for (const step of list) {
          if (step.do === 'enter') {
            current.enter();
            open.push(current);
          } else if (step.do === 'leave') {
            const [left] = open.splice(step.which % Math.max(1, open.length), 1);
            left?.leave();
          } else {
            const old = current;
            current = createGeneration(old.number + 1);
            const held = things.filter(({ last }) => last === undefined);
            const dropped = new Set(step.drops.flatMap((which) => held[which % held.length] ?? []));
            for (const thing of dropped) thing.last = old.number;
            releases.retire(
              old,
              [...dropped].map((thing) => ({ since: thing.since, run: () => void thing.released++ })),
            );
            things.push({ since: current.number, last: undefined, released: 0 });
          }
          for (const { since, last, released } of things) {
            const used = open.some(({ number }) => last === undefined || (number >= since && number <= last));
            expect(released).to.equal(last === undefined || used ? 0 : 1);
          }
        }
      }),
    );
  });
});

function createGeneration(number: number): Generation {
  const limits = {
    requestHeadBytes: 0,
    requestTargetBytes: 0,
    requestHeaderFields: 0,
    requestBodyBytes: 0,
    connections: 0,
    headTimeoutMs: 0,
    keepAliveTimeoutMs: 0,
    bodyIdleTimeoutMs: 0,
  };
  const edge = { trustedProxies: [], middlewares: [], limits };
  return new Generation({ number, edge, table: RoutingTable.empty(), trusted: compileTrusted([]) });
}
