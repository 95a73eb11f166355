import { parsePath } from './field-path.ts';
import type { FieldPath } from './field-path.ts';
import type { Finding } from './finding.ts';

/** What the schema of a middleware cannot see; paths are relative to its block. */
export type CheckMiddleware = (
  type: string,
  config: unknown,
) => readonly { readonly path: string; readonly message: string; readonly hint?: string }[];

type Fields = Readonly<Record<string, unknown>>;

/**
 * What no schema can see inside one resource. `found`: what its schema has found; parts with findings are not looked at
 * again, the others are valid, so that everything is said at once.
 */
export function checkResource(
  resource: Fields,
  found: readonly Finding[],
  checkMiddleware: CheckMiddleware,
): readonly Finding[] {
  const findings: Finding[] = [];
  for (const { type, config, path } of middlewareBlocks(resource)) {
    if (isTouched(path, found)) continue;
    for (const { path: inside, ...problem } of checkMiddleware(type, config)) {
      findings.push({ ...problem, path: [...path, ...parsePath(inside)], on: 'value' });
    }
  }
  if (resource['kind'] === 'Gateway' && !isTouched(['spec', 'listeners'], found)) {
    findings.push(
      ...checkListeners(((resource['spec'] as Fields | undefined)?.['listeners'] ?? []) as Listener[]),
    );
  }
  return findings;
}

interface MiddlewareBlock {
  readonly type: string;
  readonly config: unknown;
  readonly path: FieldPath;
}

function middlewareBlocks({ kind, spec }: Fields): readonly MiddlewareBlock[] {
  if (!isFields(spec)) return [];
  if (kind === 'Middleware') {
    return Object.entries(spec)
      .filter(([name]) => name !== 'scope')
      .map(([type, config]) => ({ type, config, path: ['spec', type] }));
  }
  const list = spec['middlewares'];
  if (!Array.isArray(list)) return [];
  return list.flatMap((item: unknown, i) =>
    isFields(item)
      ? Object.entries(item)
          .filter(([name]) => name !== 'name')
          .map(([type, config]) => ({ type, config, path: ['spec', 'middlewares', i, type] }))
      : [],
  );
}

interface Listener {
  readonly name: string;
  readonly port: number;
  readonly address: string;
}

function checkListeners(listeners: readonly Listener[]): readonly Finding[] {
  return listeners.flatMap((listener, i) => {
    const earlier = listeners.slice(0, i);
    const findings: Finding[] = [];
    if (earlier.some(({ name }) => name === listener.name)) {
      const message = `a second listener named "${listener.name}"`;
      findings.push({ path: ['spec', 'listeners', i, 'name'], on: 'value', message });
    }
    const rival = earlier.find((other) => collide(listener, other));
    if (rival !== undefined) {
      const message = `port ${listener.port} is taken by listener "${rival.name}"`;
      findings.push({ path: ['spec', 'listeners', i, 'port'], on: 'value', message });
    }
    return findings;
  });
}

const anyAddress = new Set(['0.0.0.0', '::']);

function collide(a: Listener, b: Listener): boolean {
  return (
    a.port === b.port && (a.address === b.address || anyAddress.has(a.address) || anyAddress.has(b.address))
  );
}

/** Whether something was found at or below `path`, or the field itself was not allowed there. */
function isTouched(path: FieldPath, found: readonly Finding[]): boolean {
  return found.some((finding) => path.every((part, i) => finding.path[i] === part));
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
