import type { Problem } from '../../snapshot/messages.ts';
import type { Store } from '../store/store.ts';
import { conflictWarnings } from './conflicts.ts';
import { frozenReferenceWarnings } from './frozen-references.ts';
import type { Translation } from './translation.ts';
import { unusedWarnings } from './unused.ts';

/**
 * What works, but hardly as meant: routes that cannot win, resources that nothing uses, and files that cannot be followed.
 * @param frozen files whose updates never show, as references name them, and why
 */
export function translationWarnings(
  translation: Pick<Translation, 'entries' | 'outcomes'>,
  store: Store,
  frozen: ReadonlyMap<string, string>,
): readonly Problem[] {
  return [
    ...conflictWarnings(translation.entries, (key) => store.resources.get(key)),
    ...unusedWarnings(translation, store),
    ...frozenReferenceWarnings(store, frozen),
  ];
}
