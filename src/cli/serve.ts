import { accessSync, constants, statSync } from 'node:fs';
import { startGateway } from '../gateway.ts';
import type { ProgramIo } from './program-io.ts';
import type { Settings } from './settings.ts';
import { readVersion } from './version.ts';

/** Serves until a signal or an error that it cannot start with; resolves with the exit code. */
export async function runServe(settings: Settings, io: ProgramIo): Promise<number> {
  const fail = (message: string): number => {
    io.stderr.write(`mgateway: ${message}\n`);
    return 1;
  };
  const missing = findMissing(settings);
  if (missing !== undefined) return fail(missing);
  let gateway;
  try {
    gateway = await startGateway(settings, readVersion());
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
  const running = gateway;
  let signals = 0;
  const end = (shutdownDelayMs: number): void => {
    signals++;
    if (signals === 1) running.stop(shutdownDelayMs);
    else running.abandon();
  };
  io.onSignal('SIGTERM', () => end(settings.shutdownDelayMs));
  // Nobody takes traffic away from a gateway at a terminal: there is nothing to wait for.
  io.onSignal('SIGINT', () => end(io.interactive ? 0 : settings.shutdownDelayMs));
  io.onParentGone(() => running.stop(0));
  io.onSignal('SIGHUP', () => running.reconcile());
  const reason = await running.ended;
  return reason === undefined ? 0 : fail(reason);
}

/** A path that goes later takes nothing away, but one that was never there is a mistake in the command. */
function findMissing({ config, modulesDir }: Settings): string | undefined {
  for (const path of config) {
    const reason = whyUnusable(path);
    if (reason !== undefined) return `--config ${path}: ${reason}`;
  }
  if (modulesDir === undefined) return undefined;
  const reason = whyUnusable(modulesDir);
  return reason === undefined ? undefined : `--modules-dir ${modulesDir}: ${reason}`;
}

function whyUnusable(path: string): string | undefined {
  try {
    // An unreadable file is one problem among others; an unreadable directory leaves nothing to serve.
    if (statSync(path).isDirectory()) accessSync(path, constants.R_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    switch ((error as NodeJS.ErrnoException).code) {
      case 'ENOENT':
        return 'there is no such file or directory';
      case 'EACCES':
        return 'not permitted to read it';
      default:
        return error instanceof Error ? error.message : String(error);
    }
  }
}
