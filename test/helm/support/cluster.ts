import { before } from 'mocha';
import type { Cleanup } from '../../support/cleanup.ts';
import { startApiServer } from './api-server.ts';
import type { RunningApiServer } from './api-server.ts';
import { needTool, runTool } from './tools.ts';
import type { Ran } from './tools.ts';

export interface Cluster {
  readonly server: RunningApiServer;
  /** @param input an object, or text, for `-f -` */
  readonly kubectl: (args: readonly string[], input?: unknown) => Ran;
  /** What it prints; fails with what it says if it fails. */
  readonly done: (args: readonly string[], input?: unknown) => string;
  /** A namespace with ServiceAccounts: `default`, which a controller makes elsewhere, and those named. */
  readonly namespace: (
    name: string,
    labels?: Readonly<Record<string, string>>,
    accounts?: readonly string[],
  ) => void;
}

/** Call inside `describe`: an API server for its tests, with kubectl; without these programs they are skipped, aloud. */
export function needCluster(cleanup: Cleanup): Cluster {
  const program = needTool('api-server');
  const path = needTool('kubectl');
  let running: RunningApiServer | undefined;
  before(async function () {
    this.timeout(120_000);
    running = await startApiServer(cleanup, program);
  });
  const server = (): RunningApiServer => {
    if (running === undefined) throw new Error('the API server does not run yet');
    return running;
  };
  const kubectl: Cluster['kubectl'] = (args, input) =>
    runTool(
      path,
      ['--kubeconfig', server().kubeconfig, ...args],
      typeof input === 'object' ? JSON.stringify(input) : (input as string | undefined),
    );
  const done: Cluster['done'] = (args, input) => {
    const { code, stdout, stderr } = kubectl(args, input);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
    return stdout;
  };
  return {
    get server() {
      return server();
    },
    kubectl,
    done,
    namespace(name, labels = {}, accounts = []) {
      const objects = ['default', ...accounts].map((of) => ({
        ...{ apiVersion: 'v1', kind: 'ServiceAccount' },
        metadata: { name: of, namespace: name },
      }));
      const made = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
      done(['create', '-f', '-'], listOf([made, ...objects]));
    },
  };
}

export function listOf(items: readonly unknown[]): unknown {
  return { apiVersion: 'v1', kind: 'List', items };
}
