import type { Difference } from '../diff/difference.ts';
import type { EntryChange } from '../diff/entry-changes.ts';
import type { FieldChange } from '../diff/field-changes.ts';
import type { RequestChange } from '../diff/request-changes.ts';
import { visible } from '../telemetry/visible.ts';

/** What `mgateway diff` prints; `requests` only where a file of them was given. */
export interface DiffReport extends Difference {
  readonly requests?: {
    readonly count: number;
    readonly changed: readonly (RequestChange & { readonly line: number })[];
  };
}

const maxValueCharacters = 120;

/** `placeOf`: `FILE:L:C` of the resource of a key, if it has one. */
export function renderDifference(report: DiffReport, placeOf: (key: string) => string | undefined): string {
  const { changes, conflicts, state, requests } = report;
  const lines = changes.flatMap((change) => [
    `${change.change} ${labelOf(change)}${inParentheses(placeOf(change.key))}`,
    ...change.fields.map(fieldLine),
  ]);
  if (conflicts.length > 0) {
    lines.push('', 'new conflicts:');
    for (const { kind, route, matchIndex, hostname, by } of conflicts) {
      const what =
        kind === 'Shadowed'
          ? `can never be reached: Route ${by.route} matches[${by.matchIndex}] takes every request before`
          : `cannot be told apart from Route ${by.route} matches[${by.matchIndex}], which is asked first`;
      const host = hostname === '' ? '' : ` for ${hostname}`;
      lines.push(
        `  Route ${route} matches[${matchIndex}]${host} ${what}${inParentheses(placeOf(`Route/${route}`))}`,
      );
    }
  }
  if (state.length > 0) {
    lines.push('', 'state:');
    for (const { key, state: what, fate, why } of state) lines.push(`  ${fate} ${what} of ${key}: ${why}`);
  }
  if (requests !== undefined) {
    lines.push('', `requests: ${requests.changed.length} of ${requests.count} would be decided differently`);
    for (const { line, method, url, from, to, fields, certain } of requests.changed) {
      lines.push(`  ${line}: ${method} ${url}${certain ? '' : ' (as far as can be told)'}`);
      if (from === to) lines.push(...fields.map((field) => `  ${fieldLine(field)}`));
      else lines.push(`    from ${from}`, `    to   ${to}`);
    }
  }
  lines.push(...(lines.length > 0 ? [''] : []), summary(changes));
  return `${lines.map(visible).join('\n').replace(/^\n/, '')}\n`;
}

function labelOf({ kind, name }: EntryChange): string {
  return kind === 'Edge' ? 'Gateway settings' : `${kind} ${name}`;
}

function fieldLine({ path, from, to }: FieldChange): string {
  const where = path === '' ? '(all)' : path;
  if (from === undefined) return `  ${where}: added ${valueText(to)}`;
  if (to === undefined) return `  ${where}: removed ${valueText(from)}`;
  return `  ${where}: ${valueText(from)} → ${valueText(to)}`;
}

function valueText(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > maxValueCharacters ? `${text.slice(0, maxValueCharacters)}…` : text;
}

function summary(changes: readonly EntryChange[]): string {
  if (changes.length === 0) return 'nothing changes';
  const count = (what: EntryChange['change']): number =>
    changes.filter(({ change }) => change === what).length;
  return `${count('added')} added, ${count('changed')} changed, ${count('removed')} removed`;
}

function inParentheses(text: string | undefined): string {
  return text === undefined ? '' : ` (${text})`;
}
