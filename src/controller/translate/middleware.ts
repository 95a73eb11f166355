import type { MiddlewareDefinition } from '../../middleware/contract.ts';
import type { Entry, KeyReference, MiddlewareSnapshot } from '../../snapshot/model.ts';
import { makeEntry } from './entry.ts';
import type { MiddlewareResource } from '../../resources/generated.ts';
import type { KeyRequest, KeyState } from './translation.ts';

/** `{ name }`, or `{ <type>: config }`. */
export type MiddlewareUse = Readonly<Record<string, unknown>>;

export type FindMiddleware = (type: string) => MiddlewareDefinition | undefined;

/** Type and block of a middleware, however it was written. */
export interface MiddlewareBlock {
  readonly type: string;
  readonly config: unknown;
}

/** Why a middleware cannot be served. */
export interface MiddlewareFault {
  readonly reason: 'UnknownMiddleware' | 'KeyMissing' | 'ModuleMissing' | 'MiddlewareMissing' | 'Invalid';
  readonly message: string;
  /** Relative to the block. */
  readonly path: string;
}

export type MiddlewareResult = { readonly entry: Entry } | { readonly fault: MiddlewareFault };

/** The one key of a Middleware's spec that is not `scope`. */
export function blockOf(resource: MiddlewareResource): MiddlewareBlock {
  const found = Object.entries(resource.spec as object).find(([key]) => key !== 'scope');
  return { type: found?.[0] ?? '', config: found?.[1] as unknown };
}

export function isPerRoute(resource: MiddlewareResource): boolean {
  return resource.spec.scope === 'Route';
}

/** `{ name }` → the name; otherwise the inline block. */
export function useOf(use: MiddlewareUse): { readonly name: string } | MiddlewareBlock {
  const [type = '', config] = Object.entries(use)[0] ?? [];
  return type === 'name' ? { name: String(config) } : { type, config };
}

/** Secrets and key sets that a block names. */
function keyRequests(block: MiddlewareBlock, find: FindMiddleware): readonly KeyRequest[] {
  return find(block.type)?.keys?.(block.config) ?? [];
}

/** What definitions refer to outside of their documents. */
export interface Surroundings {
  readonly find: FindMiddleware;
  readonly keyState: (request: KeyRequest) => KeyState;
  readonly moduleState: (path: string) => KeyState | undefined;
}

/** All that a block depends on besides its own text. */
export function surroundingsOf(block: MiddlewareBlock, around: Surroundings): string {
  const states = [
    ...keyRequests(block, around.find).map(around.keyState),
    ...filesOf(block, around.find).map(around.moduleState),
  ];
  return states
    .map((state) =>
      state === undefined ? ';' : 'version' in state ? `${state.version};` : `!${state.error};`,
    )
    .join('');
}

function filesOf(block: MiddlewareBlock, find: FindMiddleware): readonly string[] {
  return find(block.type)?.files?.(block.config) ?? [];
}

export function translateMiddleware(
  { key, name, block }: { readonly key: string; readonly name: string; readonly block: MiddlewareBlock },
  { find, keyState, moduleState }: Surroundings,
): MiddlewareResult {
  if (find(block.type) === undefined) {
    const message = `there is no middleware of type ${JSON.stringify(block.type)}`;
    return { fault: { reason: 'UnknownMiddleware', message, path: '' } };
  }
  const keys: KeyReference[] = [];
  for (const request of keyRequests(block, find)) {
    const state = keyState(request);
    if ('error' in state) return { fault: { reason: 'KeyMissing', message: state.error, path: '' } };
    keys.push({ ...request, version: state.version });
  }
  const fileVersions: string[] = [];
  for (const path of filesOf(block, find)) {
    const state = moduleState(path);
    if (state === undefined) continue;
    if ('error' in state) return { fault: { reason: 'ModuleMissing', message: state.error, path: 'path' } };
    fileVersions.push(state.version);
  }
  const snapshot: MiddlewareSnapshot = {
    name,
    type: block.type,
    config: block.config,
    keys,
    ...(fileVersions.length > 0 && { fileVersions }),
  };
  return { entry: makeEntry(key, snapshot) };
}
