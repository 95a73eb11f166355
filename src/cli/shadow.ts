import type { ShadowReport } from '../shadow/report.ts';
import { AdminClientError, problemText } from './admin-client.ts';
import type { AdminOptions } from './admin-options.ts';
import { askGateway } from './ask-gateway.ts';
import type { ProgramIo } from './program-io.ts';
import { renderShadow } from './shadow-text.ts';

export interface ShadowOptions extends AdminOptions {
  readonly output: 'text' | 'json';
}

const timeoutMs = 15_000;

/**
 * `mgateway shadow`: what of its live traffic a running gateway would decide differently by its `--shadow` configuration. Exit
 * code 0: nothing of what was compared, 1: something, or nothing can be told.
 */
export function runShadow(
  { admin, tokenFile, output }: ShadowOptions,
  io: Pick<ProgramIo, 'stdout' | 'stderr'>,
): Promise<number> {
  const options = { admin, ...(tokenFile !== undefined && { tokenFile }), timeoutMs };
  return askGateway(options, io, async (client) => {
    const answer = await client.get('/api/v1/shadow');
    if (answer.status !== 200) throw new AdminClientError(`${client.url}: ${problemText(answer)}`);
    const report = answer.json() as ShadowReport | { readonly enabled: false };
    if (!report.enabled)
      throw new AdminClientError(
        `${client.url}: has nothing to compare with: start serve with --shadow PATH`,
      );
    io.stdout.write(output === 'json' ? `${JSON.stringify(report, undefined, 2)}\n` : renderShadow(report));
    return report.comparing && report.requests.changed + report.requests.uncertain === 0 ? 0 : 1;
  });
}
