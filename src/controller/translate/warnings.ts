import type { Problem } from '../../snapshot/messages.ts';
import type { Entry } from '../../snapshot/model.ts';
import type { Store } from '../store/store.ts';
import { conflictWarnings } from './conflicts.ts';
import { unusedWarnings } from './unused.ts';

/** What works, but hardly as meant: routes that cannot win, and resources that nothing uses. */
export function translationWarnings(entries: ReadonlyMap<string, Entry>, store: Store): readonly Problem[] {
  return [...conflictWarnings(entries, (key) => store.resources.get(key)), ...unusedWarnings(store)];
}
