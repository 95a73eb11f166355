import type { HookFailure } from '../../middleware/pipeline.ts';
import { KeyError } from '../../middleware/key-error.ts';
import { findMiddleware } from '../../middleware/registry.ts';
import type { PersistentMap } from '../../routing/persistent-map.ts';
import type { MiddlewareSnapshot } from '../../snapshot/model.ts';
import { BuiltMiddleware } from './built-middleware.ts';
import type { Ledger } from './candidate.ts';
import type { StagedKeys } from './key-ring.ts';
import type { Slices } from './slices.ts';
import type { Staged } from './staged.ts';

export interface MiddlewareContext {
  readonly keys: StagedKeys;
  readonly modulesDir: string | undefined;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly hookFailed: HookFailure;
}

/** The middlewares of the candidate: unchanged ones are the same instances. One that cannot be created is a failure. */
export async function buildMiddlewares(
  current: PersistentMap<BuiltMiddleware>,
  staged: Staged,
  ledger: Ledger,
  slices: Slices,
  context: MiddlewareContext,
): Promise<{
  readonly middlewares: PersistentMap<BuiltMiddleware>;
  readonly changed: ReadonlySet<string>;
}> {
  let middlewares = current;
  const edit = {};
  const changed = new Set<string>();
  const keys = context.keys.candidate();
  const release = (key: string): void => {
    const old = current.get(key);
    if (old?.middleware.close === undefined) return;
    ledger.onRelease.push({ since: old.since, run: () => close(old, context.hookFailed) });
  };
  for (const entry of staged.entries('Middleware')) {
    if (slices.spent) await slices.turn();
    const snapshot = JSON.parse(entry.json) as MiddlewareSnapshot;
    const definition = findMiddleware(snapshot.type);
    if (definition === undefined) {
      ledger.fail(entry.key, 'Invalid', `there is no middleware of type ${snapshot.type}`);
      continue;
    }
    const attachment = staged.attachments.get(entry.key);
    try {
      const created = definition.create(snapshot.config, {
        key: entry.key,
        name: snapshot.name,
        references: snapshot.keys,
        keys,
        shared: attachment?.kind === 'Middleware' ? attachment.buffer : undefined,
        now: context.now,
        modulesDir: context.modulesDir,
      });
      // Awaiting what is no promise would cost a turn of the microtask queue for each of thousands.
      const middleware = created instanceof Promise ? await created : created;
      const built = new BuiltMiddleware(entry.key, snapshot.name, middleware, ledger.generation);
      if (middleware.close !== undefined) ledger.made({ run: () => close(built, context.hookFailed) });
      middlewares = middlewares.set(edit, entry.key, built);
      changed.add(entry.key);
      release(entry.key);
    } catch (error) {
      ledger.fail(entry.key, codeOf(snapshot, error), error);
    }
  }
  for (const key of staged.removed) {
    if (!middlewares.has(key)) continue;
    middlewares = middlewares.delete(edit, key);
    changed.add(key);
    release(key);
  }
  return { middlewares, changed };
}

/** A user's module may fail at this too: what is released beside it must not suffer, nor the exchange that ended last. */
function close({ name, middleware }: BuiltMiddleware, hookFailed: HookFailure): void {
  const failed = (error: unknown): void => hookFailed({ name, phase: 'close', error });
  try {
    const closing = middleware.close?.() as unknown;
    if (closing instanceof Promise) closing.catch(failed);
  } catch (error) {
    failed(error);
  }
}

/** Of a failure: all but `Invalid` may pass by itself. */
function codeOf({ type }: MiddlewareSnapshot, error: unknown): string {
  if (error instanceof KeyError) return 'KeyUnavailable';
  return type === 'module' ? 'ModuleFailed' : 'Invalid';
}
