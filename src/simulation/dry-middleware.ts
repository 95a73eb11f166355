import type { BuildContext, KeySource, Middleware } from '../middleware/contract.ts';
import { findMiddleware } from '../middleware/registry.ts';
import type { Entry, MiddlewareSnapshot } from '../snapshot/model.ts';

/** A middleware that is only ever asked what it would do. */
export interface DryMiddleware {
  readonly hash: string;
  readonly name: string;
  readonly type: string;
  readonly middleware: Pick<Middleware, 'decide'>;
}

/** What a simulation has besides its entries. */
export interface DrySurroundings {
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Most often there are none: whoever needs one says so. */
  readonly keys: KeySource;
}

/** Builds one without memory or a user's code. Never throws: what cannot be built says so when it is asked. */
export async function buildDry(entry: Entry, { now, keys: source }: DrySurroundings): Promise<DryMiddleware> {
  const { name, type, config, keys } = JSON.parse(entry.json) as MiddlewareSnapshot;
  const known = { hash: entry.hash, name, type };
  const definition = findMiddleware(type);
  const context: BuildContext = {
    key: entry.key,
    name,
    references: keys,
    keys: source,
    shared: undefined,
    now,
    modulesDir: undefined,
  };
  try {
    if (definition === undefined) throw new Error(`there is no middleware of type ${type}`);
    if (definition.dry !== undefined) return { ...known, middleware: { decide: definition.dry(config) } };
    return { ...known, middleware: await definition.create(config, context) };
  } catch (error) {
    const note = `cannot be built here: ${error instanceof Error ? error.message : String(error)}`;
    return { ...known, middleware: { decide: () => ({ outcome: 'unknown', notes: [note] }) } };
  }
}
