import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { loadDirectory } from '../controller/load.ts';
import { defaultCaps } from '../controller/source/caps.ts';
import type { SourceFile } from '../controller/source/source.ts';
import type { Problem } from '../snapshot/messages.ts';
import { sayAbsent } from './absent-paths.ts';
import type { ProgramIo } from './program-io.ts';
import { renderJunit } from './report/junit.ts';
import type { JunitCase } from './report/junit.ts';
import { placeOf } from './report/place.ts';
import { renderSarif } from './report/sarif.ts';
import { readVersion } from './version.ts';
import { problemLine } from './problem-line.ts';

export interface ValidateOptions {
  /** Needs no secrets: references to them are taken as they are. */
  readonly offline: boolean;
  readonly output: 'text' | 'json' | 'sarif' | 'junit';
}

interface Report {
  readonly valid: boolean;
  readonly files: number;
  /** Accepted ones. */
  readonly resources: number;
  readonly problems: readonly Problem[];
  /** What works, but hardly as meant. */
  readonly warnings: readonly Problem[];
}

/**
 * `mgateway validate PATH...`: what `serve` would say about files, directories and standard input (`-`), without serving.
 * Resolves with the exit code: 0 good, 1 problems, 2 a path that is not there.
 */
export async function runValidate(
  paths: readonly string[],
  { offline, output }: ValidateOptions,
  io: Pick<ProgramIo, 'env' | 'stdout' | 'stderr'>,
  stdin: AsyncIterable<Uint8Array> = process.stdin,
): Promise<number> {
  const onDisk = paths.filter((path) => path !== '-');
  if (sayAbsent(onDisk, io)) return 2;
  const input = paths.includes('-') ? [await readInput(stdin)] : [];
  const loaded = await loadDirectory(onDisk, {
    offline,
    environment: io.env,
    // Nobody waits for the next version here: what is there now is meant.
    caps: { restMs: 0 },
    files: input,
  });
  const resources = [...loaded.resources.values()].filter(({ accepted }) => accepted !== undefined).length;
  const problems = inOrder(loaded.problems);
  if (resources === 0 && problems.length === 0) {
    problems.push({
      at: paths.join(', '),
      path: '',
      message: 'no resources found',
      hint: 'files end in .yaml, .yml or .json',
    });
  }
  const report: Report = {
    valid: problems.length === 0,
    files: loaded.files,
    resources,
    problems,
    warnings: inOrder(loaded.warnings),
  };
  io.stdout.write(
    render(output, report, [...new Set([...loaded.resources.values()].map(({ file }) => file))]),
  );
  return report.valid ? 0 : 1;
}

function render(output: ValidateOptions['output'], report: Report, files: readonly string[]): string {
  switch (output) {
    case 'text':
      return renderText(report);
    case 'json':
      return `${JSON.stringify(report, undefined, 2)}\n`;
    case 'sarif':
      return renderSarif(report.problems, report.warnings, readVersion());
    case 'junit':
      return renderJunit('mgateway validate', casesOf(report, files));
  }
}

/** A testcase for each file that holds something or that something is wrong with. */
function casesOf({ problems, warnings }: Report, files: readonly string[]): readonly JunitCase[] {
  const all = new Set([...files, ...[...problems, ...warnings].map(({ at }) => placeOf(at).file)]);
  return [...all].sort().map((file) => {
    const isIn = ({ at }: Problem): boolean => placeOf(at).file === file;
    const failures = problems
      .filter(isIn)
      .map((problem) => ({ at: problem.at, message: problemLine({ ...problem, at: '' }) }));
    const notes = warnings.filter(isIn).map((warning) => problemLine(warning, 'warning: '));
    const first = failures[0];
    return { group: 'file', name: file, file, line: first && placeOf(first.at).line, failures, notes };
  });
}

/** One line for each problem, then one that sums up. */
function renderText({ problems, warnings, files, resources }: Report): string {
  const lines = [
    ...problems.map((problem) => problemLine(problem)),
    ...warnings.map((problem) => problemLine(problem, 'warning: ')),
  ];
  const what = `${count(resources, 'resource')} in ${count(files, 'file')}`;
  const found = [
    ...(problems.length > 0 ? [count(problems.length, 'problem')] : []),
    ...(warnings.length > 0 ? [count(warnings.length, 'warning')] : []),
  ];
  lines.push(found.length === 0 ? `${what}: all good` : `${found.join(', ')}; ${what} good`);
  return `${lines.join('\n')}\n`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** By file, then from top to bottom; what several steps have found is said once. */
function inOrder(problems: readonly Problem[]): Problem[] {
  const unique = new Map(problems.map((problem) => [problemLine(problem), problem]));
  const placed = [...unique.values()].map((problem) => {
    const { file, line: row = 0, column = 0 } = placeOf(problem.at);
    return { problem, file, row, column };
  });
  placed.sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : a.row - b.row || a.column - b.column));
  return placed.map(({ problem }) => problem);
}

async function readInput(stdin: AsyncIterable<Uint8Array>): Promise<SourceFile> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stdin) {
    chunks.push(chunk);
    size += chunk.length;
    // One byte too many is kept, so that the parser says that it is too large.
    if (size > defaultCaps.maxFileBytes) break;
  }
  const bytes = Buffer.concat(chunks);
  const hash = createHash('sha256').update(bytes).digest('hex');
  const name = '<stdin>';
  return {
    root: name,
    path: name,
    relative: name,
    stamp: hash,
    swapped: false,
    content: { state: 'read', hash, bytes },
  };
}
