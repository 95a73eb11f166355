import type { Problem } from '../../snapshot/messages.ts';
import type { Entry } from '../../snapshot/model.ts';
import type { Store } from '../store/store.ts';
import { conflictWarnings } from './conflicts.ts';
import { frozenReferenceWarnings } from './frozen-references.ts';
import { unusedWarnings } from './unused.ts';

/**
 * What works, but hardly as meant: routes that cannot win, resources that nothing uses, and files that cannot be followed.
 * @param frozen files whose updates never show, as references name them, and why
 */
export function translationWarnings(
  entries: ReadonlyMap<string, Entry>,
  store: Store,
  frozen: ReadonlyMap<string, string>,
): readonly Problem[] {
  return [
    ...conflictWarnings(entries, (key) => store.resources.get(key)),
    ...unusedWarnings(store),
    ...frozenReferenceWarnings(store, frozen),
  ];
}
