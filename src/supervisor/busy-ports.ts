import { createServer } from 'node:net';
import type { PrepareFailure } from '../snapshot/messages.ts';
import type { Entry, ListenerSnapshot } from '../snapshot/model.ts';

/**
 * Listeners of a candidate whose port another program has. Workers that share a port (SO_REUSEPORT) could not tell: a
 * second gateway of the same user would share it with the first, and each would get a part of the traffic. So main
 * tries to have the port for itself alone before it lets them bind. A port that is already ours is left out.
 */
export async function findBusyPorts(
  staged: Iterable<Entry>,
  committed: Iterable<Entry>,
): Promise<readonly PrepareFailure[]> {
  const ours = new Set(listeners(committed).map(({ snapshot }) => snapshot.port));
  const wanted = listeners(staged).filter(({ snapshot }) => !ours.has(snapshot.port));
  const failures = await Promise.all(
    wanted.map(async ({ key, snapshot: { name, address, port } }) => {
      if (!(await isInUse(address, port))) return undefined;
      const where = `${address.includes(':') ? `[${address}]` : address}:${String(port)}`;
      return {
        key,
        code: 'AddressInUse',
        message: `listener ${name}: ${where} is already in use by another program`,
      };
    }),
  );
  return failures.filter((failure) => failure !== undefined);
}

function listeners(
  entries: Iterable<Entry>,
): { readonly key: string; readonly snapshot: ListenerSnapshot }[] {
  const found: { readonly key: string; readonly snapshot: ListenerSnapshot }[] = [];
  for (const { key, json } of entries) {
    if (key.startsWith('Listener/')) found.push({ key, snapshot: JSON.parse(json) as ListenerSnapshot });
  }
  return found;
}

/** Any other reason why the address cannot be had is left to the workers, which will say it. */
async function isInUse(address: string, port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'EADDRINUSE'));
    server.listen({ host: address, port, exclusive: true }, () => server.close(() => resolve(false)));
  });
}
