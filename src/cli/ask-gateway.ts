import { AdminClientError, createAdminClient } from './admin-client.ts';
import type { AdminClient, AdminClientOptions } from './admin-client.ts';
import type { ProgramIo } from './program-io.ts';

/**
 * Has `ask` talk to a running gateway; resolves with what it does, the exit code. Where the gateway cannot be reached, or used, it says
 * why on standard error, behind `prefix`, and the code is 1.
 */
export async function askGateway(
  options: AdminClientOptions & { readonly prefix?: string },
  { stderr }: Pick<ProgramIo, 'stderr'>,
  ask: (client: AdminClient) => Promise<number>,
): Promise<number> {
  try {
    return await ask(createAdminClient(options));
  } catch (error) {
    if (!(error instanceof AdminClientError)) throw error;
    stderr.write(`${options.prefix ?? ''}${error.message}\n`);
    return 1;
  }
}
