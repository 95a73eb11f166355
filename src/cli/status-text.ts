import type { Problem } from '../snapshot/messages.ts';
import type { ShadowResult } from '../snapshot/shadow-messages.ts';
import { visible } from '../telemetry/visible.ts';
import { problemLine } from './problem-line.ts';
import { textTable } from './text-table.ts';

/** `/api/v1/status`; what is not there yet is absent. */
export interface GatewayStatus {
  readonly generation?: number;
  readonly result?: string;
  readonly sourceHash?: string;
  readonly servedHash?: string;
  /** Unix seconds. */
  readonly time?: number;
  readonly pin: { readonly generation: number; readonly since: number; readonly until: number | null } | null;
  /** How many there are; listed are the first. */
  readonly problems?: number;
  readonly problemList: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** What a `--shadow` configuration comes to, in short; all of it is in `mgateway shadow`. */
export type ShadowSummary =
  | {
      readonly paths: readonly string[];
      readonly comparing: boolean;
      readonly requests: Readonly<Record<ShadowResult, number>>;
      /** Of the candidate: while there is one, nothing is compared. */
      readonly problems: number;
    }
  /** Its thread has died, or is busy. */
  | { readonly error: string };

/** One of `/api/v1/resources`. */
export interface ResourceStatus {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly state: string;
  readonly at: string;
  readonly conditions: readonly {
    readonly type: string;
    readonly status: 'True' | 'False';
    readonly reason: string;
  }[];
}

/** One of `/api/v1/generations`. */
export interface Generation {
  readonly generation: number;
  /** Unix seconds. */
  readonly time: number;
  readonly changes: readonly { readonly key: string; readonly change: string }[];
  /** How many there are; listed are the first. */
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  readonly rollbackOf?: number;
  readonly restorable: boolean;
}

const heads = ['KIND', 'NAME', 'STATE', 'CONDITIONS', 'AT'] as const;
const hashCharacters = 12;
const maxGenerations = 5;
const maxChanges = 3;

/** `reason`: why it is not ready. */
export function renderStatus(
  status: GatewayStatus & {
    readonly list: readonly ResourceStatus[];
    readonly generations: readonly Generation[];
    readonly shadow?: ShadowSummary;
  },
  reason: string | undefined,
): string {
  const { generation = 0, result = 'none yet', time, sourceHash = '', servedHash = '', pin } = status;
  const lines = [
    `ready       ${reason === undefined ? 'yes' : `no: ${reason}`}`,
    `generation  ${generation}`,
    `last read   ${result}${time === undefined ? '' : ` at ${timeText(time)}`}`,
    `source      ${sourceHash.slice(0, hashCharacters)}${sourceHash === servedHash ? '' : `, served ${servedHash.slice(0, hashCharacters)}`}`,
    `pinned      ${pin === null ? 'no' : pinText(pin)}`,
    ...(status.shadow === undefined ? [] : [`shadow      ${shadowText(status.shadow)}`]),
    '',
    ...table(status.list),
    ...section(problemsTitle(status), status.problemList),
    ...section('warnings', status.warnings),
    ...generationLines(status.generations, generation),
  ];
  return `${lines.map(visible).join('\n')}\n`;
}

/** Where `rollback` leads, newest first. */
function generationLines(generations: readonly Generation[], now: number): readonly string[] {
  const lines = generations
    .filter(({ restorable }) => restorable)
    .slice(-maxGenerations)
    .reverse()
    .map((each) => {
      const mark = each.generation === now ? '  (served now)' : '';
      return `  ${each.generation}  ${timeText(each.time)}  ${whatChanged(each)}${mark}`;
    });
  return lines.length < 2 ? [] : ['', 'generations, for mgateway rollback:', ...lines];
}

function whatChanged({ changes, added, changed, removed, rollbackOf }: Generation): string {
  if (rollbackOf !== undefined) return `rollback to ${rollbackOf}`;
  const all = added + changed + removed;
  const shown = changes.slice(0, maxChanges).map(({ key, change }) => `${change} ${key}`);
  if (shown.length === 0) return 'the first';
  return `${shown.join(', ')}${all > shown.length ? `, and ${all - shown.length} more` : ''}`;
}

function pinText({ generation, since, until }: NonNullable<GatewayStatus['pin']>): string {
  const end = until === null ? 'until the source changes' : `until ${timeText(until)} or the source changes`;
  return `generation ${generation} since ${timeText(since)}, ${end}`;
}

function shadowText(shadow: ShadowSummary): string {
  if ('error' in shadow) return `DOES NOT ANSWER: ${shadow.error}`;
  const { paths, comparing, requests, problems } = shadow;
  const name = paths.join(', ');
  const more = '(see mgateway shadow)';
  if (problems > 0)
    return `NOTHING IS COMPARED: ${name} has ${problems} ${problems === 1 ? 'problem' : 'problems'} ${more}`;
  if (!comparing) return `${name} is not compared yet ${more}`;
  const { same, changed, uncertain } = requests;
  const perhaps = uncertain === 0 ? '' : `, ${uncertain} perhaps`;
  return `${changed} of ${same + changed + uncertain} requests would change${perhaps}, by ${name} ${more}`;
}

function timeText(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

function problemsTitle({ problems, problemList }: GatewayStatus): string {
  const isCut = problems !== undefined && problems > problemList.length;
  return isCut ? `problems (${problemList.length} of ${problems})` : 'problems';
}

function section(title: string, problems: readonly Problem[]): readonly string[] {
  if (problems.length === 0) return [];
  return ['', `${title}:`, ...problems.map((problem) => `  ${problemLine(problem)}`)];
}

function table(resources: readonly ResourceStatus[]): readonly string[] {
  return textTable([
    heads,
    ...resources.map(({ kind, namespace, name, state, conditions, at }) => [
      kind,
      `${namespace}/${name}`,
      state,
      conditionText(conditions),
      at,
    ]),
  ]);
}

/** What holds, and why not what does not; `Fallback` only where it holds. */
function conditionText(conditions: ResourceStatus['conditions']): string {
  return conditions
    .flatMap(({ type, status, reason }) => {
      if (type === 'Fallback') return status === 'True' ? [`Fallback (${reason})`] : [];
      return status === 'True' ? [type] : [`not ${type} (${reason})`];
    })
    .join(', ');
}
