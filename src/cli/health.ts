import { problemText } from './admin-client.ts';
import type { AdminOptions } from './admin-options.ts';
import { askGateway } from './ask-gateway.ts';
import type { ProgramIo } from './program-io.ts';

/** A health check that waits longer says more by ending. */
const timeoutMs = 3_000;

/** `mgateway health`: exit code 0 if the gateway is ready, else 1; made for the health check of a container. */
export function runHealth(
  { admin }: Pick<AdminOptions, 'admin'>,
  io: Pick<ProgramIo, 'stdout' | 'stderr'>,
): Promise<number> {
  return askGateway({ admin, timeoutMs, prefix: 'not ready: ' }, io, async (client) => {
    const answer = await client.get('/readyz');
    if (answer.status === 200) {
      io.stdout.write('ready\n');
      return 0;
    }
    io.stderr.write(`not ready: ${problemText(answer)}\n`);
    return 1;
  });
}
