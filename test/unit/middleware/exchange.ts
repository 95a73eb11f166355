import type { BuildContext, Exchange, KeySource, Middleware } from '../../../src/middleware/contract.ts';
import { findMiddleware } from '../../../src/middleware/registry.ts';
import { HeaderList } from '../../../src/routing/header-list.ts';

/** An exchange as the proxy makes it, with what a test cares about. */
export function exchangeOf(
  parts: Partial<Omit<Exchange, 'requestHeaders'>> & { readonly headers?: readonly string[] } = {},
): Exchange {
  const { headers = [], ...rest } = parts;
  return {
    requestId: 'r-1',
    clientAddress: '192.0.2.1',
    scheme: 'http',
    method: 'GET',
    host: 'api.example.com',
    matchedPath: rest.path ?? '/',
    route: 'default/users',
    generation: 1,
    captures: {},
    matchedPrefix: undefined,
    path: '/',
    query: '',
    claims: undefined,
    ...rest,
    requestHeaders: new HeaderList([...headers]),
  };
}

const noKeys: KeySource = { get: () => undefined, refresh: async () => {} };

export function contextOf(parts: Partial<BuildContext> = {}): BuildContext {
  return {
    key: 'Middleware/default/m',
    name: 'default/m',
    references: [],
    keys: noKeys,
    shared: undefined,
    now: () => 1_700_000_000_000,
    modulesDir: undefined,
    ...parts,
  };
}

/** Builds one from the registry, as the worker does. */
export async function build(type: string, config: unknown, context = contextOf()): Promise<Middleware> {
  const definition = findMiddleware(type);
  if (definition === undefined) throw new Error(`no middleware ${type}`);
  return definition.create(config, context);
}

/** Messages of what `check` finds. */
export function problemsOf(type: string, config: unknown): readonly string[] {
  return (findMiddleware(type)?.check?.(config) ?? []).map(({ path, message }) => `${path}: ${message}`);
}
