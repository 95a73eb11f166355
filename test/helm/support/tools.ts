import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { before } from 'mocha';

/** Where scripts/tools.sh puts what it installs. */
const folder = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'mgateway-tools');

/**
 * A tool's path. Call inside `describe`: without the tool its tests are skipped, aloud; in CI, where it is installed
 * (`MGATEWAY_TOOLS=required`), they fail.
 */
export function needTool(name: string): string {
  const folders = [join(folder, 'bin'), ...(process.env.PATH ?? '').split(delimiter)];
  return need(
    name,
    folders.map((at) => join(at, name)).find((path) => existsSync(path)),
  );
}

/** A file that scripts/tools.sh fetches; else as `needTool`. */
export function needFile(name: string): string {
  const path = join(folder, name);
  return need(name, existsSync(path) ? path : undefined);
}

function need(name: string, path: string | undefined): string {
  before(function () {
    if (path !== undefined) return;
    const message = `${name} is not here: scripts/tools.sh installs it`;
    if (process.env.MGATEWAY_TOOLS === 'required') throw new Error(message);
    process.stderr.write(`SKIPPED: ${this.test?.parent?.fullTitle() ?? ''}: ${message}\n`);
    this.skip();
  });
  return path ?? name;
}

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function runTool(path: string, args: readonly string[], input?: string): Ran {
  const { status, stdout, stderr } = spawnSync(path, args, {
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    // A program that waits for what never comes would hold up every test.
    timeout: 180_000,
    ...(input === undefined ? {} : { input }),
  });
  return { code: status, stdout, stderr };
}
