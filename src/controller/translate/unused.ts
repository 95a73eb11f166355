import type { GatewayResource, RouteResource } from '../../resources/generated.ts';
import type { Problem } from '../../snapshot/messages.ts';
import type { Entry, RouteSnapshot } from '../../snapshot/model.ts';
import type { Store, Stored } from '../store/store.ts';
import { useOf } from './middleware.ts';
import type { Translation } from './translation.ts';

/** A Route or Gateway that names something. */
interface Mention {
  readonly by: Stored;
  readonly path: string;
}

/**
 * Middlewares and Upstreams that nothing names; with the place of whoever seems to mean them from another namespace. None as long
 * as something is refused: it may be what uses them.
 */
export function unusedWarnings(
  { entries, outcomes }: Pick<Translation, 'entries' | 'outcomes'>,
  { resources, problems }: Store,
): readonly Problem[] {
  if (problems.length > 0) return [];
  const used = new Set<string>();
  const mentions = new Map<string, Mention>();
  const note = (kind: string, name: string, by: Stored, path: string): void => {
    used.add(`${kind}/${by.namespace}/${name}`);
    if (!mentions.has(`${kind}/${name}`)) mentions.set(`${kind}/${name}`, { by, path });
  };
  for (const stored of resources.values()) {
    const served = outcomes.has(stored.key) ? undefined : entries.get(stored.key);
    if (stored.kind === 'Route' && served !== undefined) noteServed(stored, served, note);
    else noteMentions(stored, note);
  }
  const warnings: Problem[] = [];
  for (const { key, kind, namespace, name, accepted, at } of resources.values()) {
    if ((kind !== 'Middleware' && kind !== 'Upstream') || accepted === undefined || used.has(key)) continue;
    const users = kind === 'Middleware' ? 'no Route and no Gateway' : 'no Route';
    const mention = mentions.get(`${kind}/${name}`);
    const message = `${kind} ${namespace}/${name} is used by ${users}`;
    warnings.push({ at, path: '', message, ...(mention !== undefined && { hint: hintOf(mention, kind) }) });
    if (warnings.length >= maxWarnings) break;
  }
  return warnings;
}

const maxWarnings = 1000;

type Note = (kind: string, name: string, by: Stored, path: string) => void;

/** A route that is served as it is written says the same in its entry, and that is at hand. */
function noteServed(stored: Stored, entry: Entry, note: Note): void {
  const { middlewares, upstreams } = JSON.parse(entry.json) as RouteSnapshot;
  for (const [index, key] of middlewares.entries()) {
    const name = /^Middleware\/[^/]*\/([^/#@]*)(@.*)?$/.exec(key)?.[1];
    if (name !== undefined) note('Middleware', name, stored, `spec.middlewares[${index}]`);
  }
  for (const [index, { key }] of upstreams.entries()) {
    const name = /^Upstream\/[^/:]*\/([^/]*)$/.exec(key ?? '')?.[1];
    if (name !== undefined) note('Upstream', name, stored, `spec.upstreams[${index}]`);
  }
}

function noteMentions(stored: Stored, note: Note): void {
  const { kind, accepted } = stored;
  if ((kind !== 'Route' && kind !== 'Gateway') || accepted === undefined) return;
  const { spec } = accepted.resource as RouteResource | GatewayResource;
  for (const [index, use] of spec.middlewares.entries()) {
    const found = useOf(use);
    if ('name' in found) note('Middleware', found.name, stored, `spec.middlewares[${index}]`);
  }
  if (!('upstreams' in spec)) return;
  for (const [index, { name }] of spec.upstreams.entries())
    if (name !== undefined) note('Upstream', name, stored, `spec.upstreams[${index}]`);
}

function hintOf({ by, path }: Mention, kind: string): string {
  const at = by.accepted?.locate(path) ?? by.at;
  return `${by.kind} ${by.namespace}/${by.name} (${at}) names one in its own namespace ${by.namespace}: put this ${kind} there`;
}
