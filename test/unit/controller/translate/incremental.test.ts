import { expect } from 'chai';
import fc from 'fast-check';
import { createMemo } from '../../../../src/controller/translate/draft.ts';
import type { TranslateInput } from '../../../../src/controller/translate/draft.ts';
import { translate } from '../../../../src/controller/translate/translate.ts';
import type { FailedEntry, Translation } from '../../../../src/controller/translate/translation.ts';
import { findMiddleware } from '../../../../src/middleware/registry.ts';
import { base, Disk, step } from './edited-disk.ts';

/** All of it, in an order that is nobody's. */
function plain({ entries, outcomes, routes, listeners }: Translation): unknown {
  const sorted = (map: ReadonlyMap<string, unknown>): unknown =>
    [...map].sort(([a], [b]) => (a < b ? -1 : 1));
  const keys = [...entries.keys(), ...outcomes.keys()].filter((key) => key.startsWith('Route/'));
  // Outcomes are told to people: their order counts.
  return {
    entries: sorted(entries),
    outcomes: [...outcomes],
    routes: sorted(new Map(keys.map((key) => [key, routes.get(key)]))),
    listeners: sorted(listeners),
  };
}

describe('translate, standing on what it made before', () => {
  it('comes to what a translation of everything comes to, whatever was edited, refused and served before', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
        const disk = new Disk();
        const memo = createMemo();
        let last: Translation | undefined;
        let failed: ReadonlyMap<string, FailedEntry> = new Map();
        for (const each of [base, ...steps]) {
          const { secret } = each;
          const input: TranslateInput = {
            store: disk.edit(each),
            find: findMiddleware,
            keyState: () => (secret === undefined ? { error: 'S is not set' } : { version: secret }),
            moduleState: () => undefined,
            last,
            defaultListener: false,
            failed,
          };
          const translation = translate(input, memo);
          expect(plain(translation)).to.deep.equal(plain(translate(input, createMemo())));
          if (each.isServed) last = translation;
          const entries = [...translation.entries.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
          const refused = each.refused.flatMap((index) => entries[index] ?? []);
          failed = new Map(
            refused.map(({ key, hash }) => [key, { hash, code: 'Invalid', message: 'refused' }]),
          );
        }
      }),
      { numRuns: 80 },
    );
  });

  it('leaves what it made before as it was', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 2, maxLength: 6 }), (steps) => {
        const disk = new Disk();
        const memo = createMemo();
        const made: { readonly translation: Translation; readonly then: unknown }[] = [];
        for (const each of [base, ...steps]) {
          const input = {
            store: disk.edit(each),
            find: findMiddleware,
            failed: new Map<string, FailedEntry>(),
          };
          const around = { keyState: () => ({ version: '1' }), moduleState: () => undefined };
          const translation = translate(
            { ...input, ...around, last: undefined, defaultListener: true },
            memo,
          );
          made.push({ translation, then: plain(translation) });
        }
        for (const { translation, then } of made) expect(plain(translation)).to.deep.equal(then);
      }),
      { numRuns: 30 },
    );
  });
});
