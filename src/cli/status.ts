import { AdminClientError, problemText } from './admin-client.ts';
import type { AdminAnswer, AdminClient } from './admin-client.ts';
import type { AdminOptions } from './admin-options.ts';
import type { ShadowReport } from '../shadow/report.ts';
import { askGateway } from './ask-gateway.ts';
import type { ProgramIo } from './program-io.ts';
import { renderStatus } from './status-text.ts';
import type { GatewayStatus, Generation, ResourceStatus, ShadowSummary } from './status-text.ts';

export interface StatusOptions extends AdminOptions {
  readonly output: 'text' | 'json';
}

const timeoutMs = 15_000;

/**
 * `mgateway status`: what a running gateway serves and what is wrong with it. Exit code 0: all is served as written, 1: there is a
 * problem, or nobody answers.
 */
export function runStatus(
  { admin, tokenFile, output }: StatusOptions,
  io: Pick<ProgramIo, 'stdout' | 'stderr'>,
): Promise<number> {
  const options = { admin, ...(tokenFile !== undefined && { tokenFile }), timeoutMs };
  return askGateway(options, io, async (client) => {
    const ready = await client.get('/readyz');
    const status = (await read(client, 'status')) as GatewayStatus;
    const { resources } = (await read(client, 'resources')) as {
      readonly resources: readonly ResourceStatus[];
    };
    const { generations } = (await read(client, 'generations')) as {
      readonly generations: readonly Generation[];
    };
    const shadow = await readShadow(client);
    const report = {
      ready: ready.status === 200,
      ...status,
      list: resources,
      generations,
      ...(shadow !== undefined && { shadow }),
    };
    io.stdout.write(
      output === 'json' ? `${JSON.stringify(report, undefined, 2)}\n` : renderStatus(report, notReady(ready)),
    );
    return report.ready && report.problemList.length === 0 ? 0 : 1;
  });
}

async function read(client: AdminClient, name: string): Promise<unknown> {
  const answer = await client.get(`/api/v1/${name}`);
  if (answer.status !== 200) throw new AdminClientError(`${client.url}: ${problemText(answer)}`);
  return answer.json();
}

/** Undefined: none runs, or the gateway is of a time when there was none. */
async function readShadow(client: AdminClient): Promise<ShadowSummary | undefined> {
  const answer = await client.get('/api/v1/shadow');
  if (answer.status === 404) return undefined;
  if (answer.status !== 200) return { error: problemText(answer) };
  const report = answer.json() as ShadowReport | { readonly enabled: false };
  if (!report.enabled) return undefined;
  const { candidate, comparing, requests } = report;
  return { paths: candidate.paths, comparing, requests, problems: candidate.problems.length };
}

function notReady(answer: AdminAnswer): string | undefined {
  return answer.status === 200 ? undefined : problemText(answer);
}
