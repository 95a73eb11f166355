import type { EdgeSnapshot, Entry, MiddlewareSnapshot, RouteSnapshot } from '../../snapshot/model.ts';
import type { RouteSet } from '../translate/translation.ts';
import type { Guard, Violation } from './guard.ts';

/** Verdicts on routes that neither they, their middlewares nor a Guard have given a reason to judge again. */
export type GuardMemo = Map<string, { readonly stamp: string; readonly violation: Violation | undefined }>;

export interface GuardsOptions {
  readonly guards: readonly Guard[];
  readonly edge: Entry | undefined;
  /** A middleware that a route of this candidate would use. */
  readonly middleware: (key: string) => Entry | undefined;
  readonly memo: GuardMemo;
}

/** Judges routes before they are served. */
export class Guards {
  readonly #options: GuardsOptions;
  readonly #edgeTypes: readonly string[];
  /** Equal ones: verdicts on what did not change are the same. */
  readonly stamp: string;

  constructor(options: GuardsOptions) {
    this.#options = options;
    const { edge, guards, middleware } = options;
    const isIdle = guards.length === 0 || edge === undefined;
    const keys = isIdle ? [] : (JSON.parse(edge.json) as EdgeSnapshot).middlewares;
    this.#edgeTypes = keys.flatMap((key) => typeOf(middleware(key)));
    this.stamp = [...guards.map(({ name, hash }) => `${name}=${hash}`), ...this.#edgeTypes].join(' ');
    if (guards.length === 0) options.memo.clear();
  }

  /** The first Guard that a route violates. */
  violationOf(key: string, { entry, own, shared }: RouteSet): Violation | undefined {
    const { guards, middleware, memo } = this.#options;
    if (guards.length === 0) return undefined;
    const used = [...own, ...shared.map(middleware)];
    const stamp = [this.stamp, entry.hash, ...used.map((each) => each?.hash)].join(' ');
    const known = memo.get(key);
    if (known?.stamp === stamp) return known.violation;
    const route = JSON.parse(entry.json) as RouteSnapshot;
    const types = new Set([...this.#edgeTypes, ...used.flatMap(typeOf)]);
    let violation: Violation | undefined;
    for (const guard of guards) if ((violation = guard.violationOf(route, types)) !== undefined) break;
    memo.set(key, { stamp, violation });
    return violation;
  }
}

function typeOf(entry: Entry | undefined): readonly string[] {
  if (entry?.key.startsWith('Middleware/') !== true) return [];
  return [(JSON.parse(entry.json) as MiddlewareSnapshot).type];
}
