import type { RouteTestResource } from '../../resources/generated.ts';
import { fromFieldValue } from '../../routing/field-value.ts';
import { HeaderList } from '../../routing/header-list.ts';
import type { Simulation } from '../../simulation/simulation.ts';
import type { SimulatedUpstream } from '../../simulation/upstreams.ts';
import { redactFields } from '../../telemetry/redaction.ts';
import { formatPath } from '../parse/field-path.ts';

type Expectation = RouteTestResource['spec']['expect'];

/** One expectation that does not hold. */
export interface Mismatch {
  /** Field of the RouteTest. */
  readonly path: string;
  readonly message: string;
}

/** Compares what is expected with what would happen. `namespace`: where plain names are looked up. */
export function compareExpectation(
  expect: Expectation,
  simulation: Simulation,
  namespace: string,
): readonly Mismatch[] {
  const { outcome, route } = simulation;
  const mismatches: Mismatch[] = [];
  const happened = describeOutcome(simulation);
  const add = (field: string | readonly string[], wanted: string, got = happened): void => {
    const path = formatPath(['spec', 'expect', ...(typeof field === 'string' ? [field] : field)]);
    mismatches.push({ path, message: `expected ${wanted}, but ${got}` });
  };
  if (expect.route !== undefined && route?.name !== fullName(expect.route, namespace)) {
    add('route', `route ${fullName(expect.route, namespace)}`);
  }
  if (expect.status !== undefined && !(outcome.kind === 'reply' && outcome.status === expect.status)) {
    add('status', `status ${expect.status}`);
  }
  if (expect.answeredBy !== undefined) {
    const by = outcome.kind === 'reply' ? outcome.by : undefined;
    const names = by === undefined ? [] : [by.name, by.type];
    if (![expect.answeredBy, fullName(expect.answeredBy, namespace)].some((name) => names.includes(name)))
      add('answeredBy', `an answer by ${expect.answeredBy}`);
  }
  if (expect.upstreams !== undefined) {
    const wanted = expect.upstreams.map((name) => upstreamName(name, namespace)).sort();
    const reached = outcome.kind === 'forward' ? outcome.upstreams.map(reachedName).sort() : [];
    if (wanted.join('\n') !== reached.join('\n')) add('upstreams', `upstreams ${listText(wanted)}`);
  }
  if (expect.path !== undefined) {
    const forwarded =
      outcome.kind === 'forward' ? forwardedPath(outcome, expect.path.includes('?')) : undefined;
    if (forwarded !== expect.path) {
      add('path', `path ${expect.path}`, forwarded === undefined ? happened : `it is ${forwarded}`);
    }
  }
  const headers = new HeaderList([...outcome.headers]);
  for (const [name, value] of Object.entries(expect.headers ?? {})) {
    const values = headers.getAll(name.toLowerCase()).map(fromFieldValue);
    if (values.includes(value) || values.join(', ') === value) continue;
    const got = values.length === 0 ? 'there is none' : `it is ${shown(name, values.join(', '))}`;
    add(['headers', name], `${name}: ${shown(name, value)}`, got);
  }
  for (const name of expect.absentHeaders ?? []) {
    if (headers.has(name.toLowerCase())) add('absentHeaders', `no ${name}`, 'there is one');
  }
  return mismatches;
}

/** In a few words: `route default/users forwards it to default/users-v1`. */
export function describeOutcome({ outcome, route }: Simulation): string {
  const by = route === undefined ? 'no route takes it' : `route ${route.name}`;
  if (outcome.kind === 'reply') {
    const answer = `${outcome.status} ${outcome.code}`;
    if (outcome.by !== undefined) return `${by} answers ${answer} by ${outcome.by.name}`;
    return route === undefined ? `${by}: ${answer}` : `${by} answers ${answer}`;
  }
  return `${by} forwards it to ${listText(outcome.upstreams.map(reachedName))}`;
}

function reachedName({ key, name }: SimulatedUpstream): string {
  return key === null ? '(missing)' : name;
}

function forwardedPath(
  { path, query }: { readonly path: string; readonly query: string },
  withQuery: boolean,
): string {
  return withQuery && query !== '' ? `${path}?${query}` : path;
}

function upstreamName(name: string, namespace: string): string {
  if (!name.includes('://')) return fullName(name, namespace);
  return URL.canParse(name) ? new URL(name).origin : name;
}

function fullName(name: string, namespace: string): string {
  return name.includes('/') ? name : `${namespace}/${name}`;
}

function listText(names: readonly string[]): string {
  return names.length === 0 ? '(none)' : names.join(', ');
}

/** Tests may carry tokens, and problems are printed and logged. */
function shown(name: string, value: string): string {
  return JSON.stringify(redactFields({ [name]: value })[name]);
}
