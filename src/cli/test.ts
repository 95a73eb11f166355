import type { RouteTestResult } from '../controller/assert/route-tests.ts';
import { loadDirectory } from '../controller/load.ts';
import type { Loaded } from '../controller/load.ts';
import type { Problem } from '../snapshot/messages.ts';
import type { RouteSnapshot } from '../snapshot/model.ts';
import { visible } from '../telemetry/visible.ts';
import { sayAbsent } from './absent-paths.ts';
import type { ProgramIo } from './program-io.ts';
import { renderJunit } from './report/junit.ts';
import { placeOf } from './report/place.ts';
import { problemLine } from './problem-line.ts';

export interface TestOptions {
  readonly output: 'text' | 'json' | 'junit';
}

/** A RouteTest or a Guard, and what does not hold. */
interface Assertion {
  readonly kind: 'RouteTest' | 'Guard';
  readonly name: string;
  readonly at: string;
  /** What it was about: the request and what becomes of it. */
  readonly about: string;
  readonly failures: readonly Problem[];
}

/**
 * `mgateway test PATH...`: runs RouteTests and Guards as they run before every swap, without serving, secrets or modules.
 * Resolves with the exit code: 0 all hold, 1 some do not or the configuration has problems, 2 a path that is not there.
 */
export async function runTest(
  paths: readonly string[],
  { output }: TestOptions,
  io: Pick<ProgramIo, 'env' | 'stdout' | 'stderr'>,
): Promise<number> {
  if (sayAbsent(paths, io)) return 2;
  const loaded = await loadDirectory(paths, { offline: true, environment: io.env, caps: { restMs: 0 } });
  const assertions = [...loaded.tests.map(ofTest), ...guardsOf(loaded)];
  const failed = assertions.filter(({ failures }) => failures.length > 0);
  const said = new Set(
    failed.flatMap(({ failures }) => failures.map(({ at, message }) => `${at} ${message}`)),
  );
  const problems = loaded.problems.filter(({ at, message }) => !said.has(`${at} ${message}`));
  if (assertions.length === 0) {
    problems.push({ at: paths.join(', '), path: '', message: 'holds no RouteTest and no Guard' });
  }
  io.stdout.write(render(output, assertions, problems));
  return failed.length + problems.length === 0 ? 0 : 1;
}

function ofTest({ name, at, request, outcome, failures }: RouteTestResult): Assertion {
  return { kind: 'RouteTest', name, at, about: `${request}: ${outcome}`, failures };
}

/** Nothing is served yet, so a route that violates a Guard has no older version to fall back to. */
function guardsOf({ resources, entries, translation }: Loaded): readonly Assertion[] {
  const violations = new Map<string, Problem[]>();
  for (const { key, json } of entries.values()) {
    if (!key.startsWith('Route/')) continue;
    const { guard, name } = JSON.parse(json) as RouteSnapshot;
    if (guard === undefined) continue;
    const found = translation.outcomes.get(`Route/${name}`)?.problems ?? [];
    violations.set(guard, [...(violations.get(guard) ?? []), ...found]);
  }
  return [...resources.values()].flatMap(({ kind, namespace, name, at, accepted }) => {
    if (kind !== 'Guard' || accepted === undefined) return [];
    const full = `${namespace}/${name}`;
    const failures = violations.get(full) ?? [];
    const about = failures.length === 0 ? 'every route that it selects complies' : 'routes violate it';
    return [{ kind, name: full, at, about, failures }];
  });
}

function render(
  output: TestOptions['output'],
  assertions: readonly Assertion[],
  problems: readonly Problem[],
): string {
  const failed = assertions.filter(({ failures }) => failures.length > 0).length;
  switch (output) {
    case 'json': {
      const passed = assertions.length - failed;
      return `${JSON.stringify({ passed, failed, assertions, problems }, undefined, 2)}\n`;
    }
    case 'junit':
      return renderJunit('mgateway test', [
        ...assertions.map(({ kind, name, at, failures }) => {
          const { file, line } = placeOf(at);
          return { group: kind, name, file, line, failures };
        }),
        ...problems.map((problem) => {
          const { file, line } = placeOf(problem.at);
          return { group: 'configuration', name: problem.at, file, line, failures: [problem] };
        }),
      ]);
    case 'text':
      return [
        ...assertions.flatMap(({ kind, name, at, about, failures }) => [
          visible(`${failures.length === 0 ? 'ok    ' : 'FAILED'} ${kind} ${name}  ${at}`),
          ...(failures.length === 0 ? [] : [visible(`         ${about}`)]),
          ...failures.map((failure) => `         ${problemLine(failure)}`),
        ]),
        ...problems.map((problem) => `problem ${problemLine(problem)}`),
        `${assertions.length - failed} passed, ${failed} failed${problems.length === 0 ? '' : `; ${problems.length} other problem(s)`}`,
        '',
      ].join('\n');
  }
}
