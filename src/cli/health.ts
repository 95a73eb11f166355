import { AdminClientError, createAdminClient, problemText } from './admin-client.ts';
import type { AdminOptions } from './admin-options.ts';
import type { ProgramIo } from './program-io.ts';

/** A health check that waits longer says more by ending. */
const timeoutMs = 3_000;

/** `mgateway health`: exit code 0 if the gateway is ready, else 1; made for the health check of a container. */
export async function runHealth(
  { admin }: Pick<AdminOptions, 'admin'>,
  io: Pick<ProgramIo, 'stdout' | 'stderr'>,
): Promise<number> {
  try {
    const answer = await createAdminClient({ admin, timeoutMs }).get('/readyz');
    if (answer.status === 200) {
      io.stdout.write('ready\n');
      return 0;
    }
    io.stderr.write(`not ready: ${problemText(answer)}\n`);
    return 1;
  } catch (error) {
    if (!(error instanceof AdminClientError)) throw error;
    io.stderr.write(`not ready: ${error.message}\n`);
    return 1;
  }
}
