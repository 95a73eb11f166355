import { problemText } from './admin-client.ts';
import type { AdminOptions } from './admin-options.ts';
import { askGateway } from './ask-gateway.ts';
import type { ProgramIo } from './program-io.ts';

export interface RollbackOptions extends AdminOptions {
  /** As it was written: `30m`. */
  readonly for?: string;
}

/** A whole configuration may have to be published. */
const timeoutMs = 70_000;

/** `mgateway rollback GENERATION`: exit code 0 if that is what is served now, else 1. */
export function runRollback(
  generation: number,
  { admin, tokenFile, for: time }: RollbackOptions,
  io: Pick<ProgramIo, 'stdout' | 'stderr'>,
): Promise<number> {
  const options = { admin, ...(tokenFile !== undefined && { tokenFile }), timeoutMs };
  return askGateway(options, io, async (client) => {
    const answer = await client.post('/api/v1/rollback', {
      generation,
      ...(time !== undefined && { for: time }),
    });
    if (answer.status !== 200) {
      io.stderr.write(`${problemText(answer)}\n`);
      return 1;
    }
    const done = answer.json() as { readonly generation: number; readonly until?: number };
    const end = done.until === undefined ? '' : ` or ${new Date(done.until).toISOString()}`;
    io.stdout.write(
      `generation ${generation} is served again, as ${done.generation}; pinned until the source changes${end}, or mgateway resume\n`,
    );
    return 0;
  });
}
