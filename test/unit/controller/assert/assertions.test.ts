import { expect } from 'chai';
import fc from 'fast-check';
import { Assertions } from '../../../../src/controller/assert/assertions.ts';
import type { Judgement } from '../../../../src/controller/assert/assertions.ts';
import { createMemo } from '../../../../src/controller/translate/draft.ts';
import { translate } from '../../../../src/controller/translate/translate.ts';
import type { Translation } from '../../../../src/controller/translate/translation.ts';
import { findMiddleware } from '../../../../src/middleware/registry.ts';
import { loadText } from '../../../support/load-text.ts';
import { resourceDocument } from '../../../support/resource-document.ts';
import { base, Disk, step } from '../translate/edited-disk.ts';
import type { Step } from '../translate/edited-disk.ts';

function said({ results, refusal, translation }: Judgement): unknown {
  return { results, refusal, outcomes: [...translation.outcomes] };
}

/** Few tests that are made up by chance hold: one always shall. */
const holds: Step = {
  ...base,
  edits: [
    { kind: 'Route', name: 'r0', spec: 'upstreams: [{ name: u }]' },
    { kind: 'RouteTest', name: 't0', spec: 'request: { url: "http://a/a" }\nexpect: { route: r0 }' },
  ],
};

describe('Assertions', () => {
  it('say of RouteTests that they know what they say of all of them, whatever was edited and served before', async () => {
    let reached = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 10 }), async (steps) => {
        const disk = new Disk();
        const memo = createMemo();
        const assertions = new Assertions();
        let served: Translation | undefined;
        for (const each of [base, ...steps]) {
          const store = disk.edit(each);
          const around = {
            find: findMiddleware,
            keyState: () => ({ version: '1' }),
            moduleState: () => undefined,
          };
          const input = { store, ...around, last: served, defaultListener: false, failed: new Map() };
          const translation = translate(input, memo);
          const judgement = await assertions.judge(translation, served, store);
          expect(said(judgement)).to.deep.equal(
            said(await new Assertions().judge(translation, served, store)),
          );
          reached += judgement.results.filter(({ failures }) => failures.length === 0).length;
          if (each.isServed) served = judgement.translation;
        }
      }),
      { numRuns: 60, examples: [[[holds, { ...holds, edits: [] }]]] },
    );
    expect(reached, 'tests that hold').to.be.greaterThan(0);
  });

  it('compare what stands in a RouteTest with what middlewares write, whatever its letters', async () => {
    const { tests } = await loadText({
      'a.yaml': [
        resourceDocument(
          'Route',
          'a',
          `matches: [{ headers: [{ name: x-name, exact: "é" }] }]
middlewares: [{ requestHeaders: { set: { x-city: "Zürich" } } }]
upstreams: [{ url: "http://10.0.0.1:1" }]`,
        ),
        resourceDocument(
          'RouteTest',
          't',
          'request: { url: "http://h/", headers: { x-name: "é" } }\nexpect: { route: a, headers: { x-city: "Zürich" } }',
        ),
      ].join('---\n'),
    });
    expect(tests.map(({ failures }) => failures)).to.deep.equal([[]]);
  });
});
