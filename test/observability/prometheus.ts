import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cleanup } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { request } from '../support/request.ts';
import { tempDir } from '../support/temp-dir.ts';

export interface Target {
  /** `127.0.0.1:PORT` */
  readonly address: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface Result {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface RunningPrometheus {
  /** An instant query; rejects with what Prometheus says about a bad one. */
  query(expr: string): Promise<readonly Result[]>;
}

/** A Prometheus on loopback with one scrape a second; ended at the end. */
export async function startPrometheus(
  cleanup: Cleanup,
  program: string,
  targets: readonly Target[],
): Promise<RunningPrometheus> {
  const dir = tempDir(cleanup);
  const port = await freePort();
  const config = {
    global: { scrape_interval: '1s', scrape_timeout: '1s' },
    scrape_configs: [
      {
        job_name: 'mgateway',
        static_configs: targets.map(({ address, labels }) => ({ targets: [address], labels })),
      },
    ],
  };
  // JSON is YAML.
  writeFileSync(join(dir, 'prometheus.yaml'), JSON.stringify(config));
  const child = spawn(
    program,
    [
      `--config.file=${join(dir, 'prometheus.yaml')}`,
      `--storage.tsdb.path=${join(dir, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=warn',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const exited = once(child, 'exit');
  exited.catch(() => undefined);
  cleanup.add(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await exited;
  });
  const url = `http://127.0.0.1:${port}`;
  await eventually(
    async () => {
      if (child.exitCode !== null) throw new Error(`prometheus ended: ${said}`);
      return (await request(`${url}/-/ready`)).status === 200;
    },
    { withinMs: 20_000, everyMs: 100 },
  );
  return {
    async query(expr) {
      const answer = await request(`${url}/api/v1/query?query=${encodeURIComponent(expr)}`);
      const { status, error, data } = answer.json() as {
        status: string;
        error?: string;
        data?: { result: { metric: Record<string, string>; value: [number, string] }[] };
      };
      if (status !== 'success' || data === undefined) throw new Error(`${error ?? status}: ${expr}`);
      return data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
    },
  };
}
