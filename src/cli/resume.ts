import { problemText } from './admin-client.ts';
import type { AdminOptions } from './admin-options.ts';
import { askGateway } from './ask-gateway.ts';
import type { ProgramIo } from './program-io.ts';

/** A whole configuration may have to be published. */
const timeoutMs = 70_000;

interface Resumed {
  readonly generation: number;
  /** Absent: nothing was. */
  readonly pinned?: number;
  readonly result: string;
}

/** `mgateway resume`: exit code 0 if the source is served again, 1 if it is refused or nobody answers. */
export function runResume(
  { admin, tokenFile }: AdminOptions,
  io: Pick<ProgramIo, 'stdout' | 'stderr'>,
): Promise<number> {
  const options = { admin, ...(tokenFile !== undefined && { tokenFile }), timeoutMs };
  return askGateway(options, io, async (client) => {
    const answer = await client.post('/api/v1/resume', {});
    if (answer.status !== 200) {
      io.stderr.write(`${problemText(answer)}\n`);
      return 1;
    }
    const { generation, pinned, result } = answer.json() as Resumed;
    const what = pinned === undefined ? 'nothing was pinned' : `generation ${pinned} is no longer pinned`;
    if (result === 'refused') {
      io.stderr.write(
        `${what}, but the source is refused: mgateway status says why; ${generation} is served\n`,
      );
      return 1;
    }
    io.stdout.write(`${what}; generation ${generation} is served\n`);
    return 0;
  });
}
