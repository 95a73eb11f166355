import { loadDirectory } from '../controller/load.ts';
import type { Loaded } from '../controller/load.ts';
import { redactChange } from '../controller/history/redact-change.ts';
import { compareSimulators } from '../diff/difference.ts';
import type { FieldChange } from '../diff/field-changes.ts';
import type { RequestChange } from '../diff/request-changes.ts';
import { requestChange } from '../diff/request-changes.ts';
import { findMiddleware } from '../middleware/registry.ts';
import { SimulationRequestError } from '../simulation/request.ts';
import { createSimulator } from '../simulation/simulator.ts';
import type { Simulator } from '../simulation/simulator.ts';
import { renderDifference } from './diff-text.ts';
import type { DiffReport } from './diff-text.ts';
import { sayAbsent } from './absent-paths.ts';
import type { ProgramIo } from './program-io.ts';
import { readRequests, RequestFileError } from './request-file.ts';
import { problemLine } from './problem-line.ts';

export interface DiffOptions {
  /** JSON lines. */
  readonly requests?: string;
  readonly output: 'text' | 'json';
}

/**
 * `mgateway diff OLD NEW`: what differs by meaning between two configurations (directories or files), without secrets and
 * without serving. Resolves with the exit code: 0 nothing changes, 1 something does, 2 NEW has a problem (what it would
 * change cannot be told then: a refused document keeps what ran before), or a file that cannot be read.
 */
export async function runDiff(
  paths: { readonly from: string; readonly to: string },
  { requests, output }: DiffOptions,
  io: Pick<ProgramIo, 'env' | 'stdout' | 'stderr'>,
): Promise<number> {
  const needed = [paths.from, paths.to, ...(requests === undefined ? [] : [requests])];
  if (sayAbsent(needed, io)) return 2;
  const load = (path: string): Promise<Loaded> =>
    // Nobody waits for the next version here: what is there now is meant.
    loadDirectory([path], { offline: true, environment: io.env, caps: { restMs: 0 } });
  const [from, to] = [await load(paths.from), await load(paths.to)];
  if (from.problems.length > 0) {
    const count = from.problems.length;
    io.stderr.write(`${paths.from}: ${count} problem(s): compared with what of it is good\n`);
  }
  if (to.problems.length > 0) {
    for (const problem of to.problems) io.stderr.write(`${problemLine(problem)}\n`);
    io.stderr.write(`${paths.to}: ${to.problems.length} problem(s): nothing is compared\n`);
    return 2;
  }
  const before = createSimulator(from.entries);
  const after = createSimulator(to.entries, before);
  const difference = compareSimulators(before, after, findMiddleware);
  let decided: DiffReport['requests'];
  try {
    if (requests !== undefined) decided = await decideAll(requests, before, after);
  } catch (error) {
    if (!(error instanceof RequestFileError)) throw error;
    io.stderr.write(`${error.message}\n`);
    return 2;
  }
  const report: DiffReport = {
    ...difference,
    changes: difference.changes.map(withoutSecrets),
    ...(decided !== undefined && { requests: { ...decided, changed: decided.changed.map(withoutSecrets) } }),
  };
  const placeOf = (key: string): string | undefined =>
    to.resources.get(key)?.at ?? from.resources.get(key)?.at;
  io.stdout.write(
    output === 'json' ? `${JSON.stringify(report, undefined, 2)}\n` : renderDifference(report, placeOf),
  );
  return difference.changes.length > 0 || (decided?.changed.length ?? 0) > 0 ? 1 : 0;
}

function withoutSecrets<C extends { readonly fields: readonly FieldChange[] }>(change: C): C {
  return { ...change, fields: change.fields.map(redactChange) };
}

async function decideAll(
  path: string,
  before: Simulator,
  after: Simulator,
): Promise<NonNullable<DiffReport['requests']>> {
  const changed: (RequestChange & { readonly line: number })[] = [];
  let count = 0;
  for await (const { line, request } of readRequests(path)) {
    count += 1;
    try {
      const change = await requestChange(request, before, after);
      if (change !== undefined) changed.push({ line, ...change });
    } catch (error) {
      if (!(error instanceof SimulationRequestError)) throw error;
      throw new RequestFileError(`${path}:${line}: ${error.message}`);
    }
  }
  return { count, changed };
}
