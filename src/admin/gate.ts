import type { IncomingMessage } from 'node:http';
import type { Clock } from '../supervisor/clock.ts';
import type { Logger } from '../telemetry/log.ts';
import type { AdminToken } from './admin-token.ts';
import type { Reply } from './reply.ts';
import { problemReply } from './reply.ts';

/** Who may do what at the admin address; a reply says why not. */
export interface Gate {
  read(request: IncomingMessage): Reply | undefined;
  write(request: IncomingMessage): Reply | undefined;
}

export interface GateOptions {
  /** Absent: there are no writes. */
  readonly token: AdminToken | undefined;
  /** Reads need no token: a loopback address is listened on, or the operator says so. */
  readonly openReads: boolean;
  readonly log: Logger;
  readonly clock: Clock;
}

const logEveryMs = 10_000;

const unauthorized = problemReply(401, 'ERR_ADMIN_UNAUTHORIZED', 'a valid bearer token is needed', {
  'www-authenticate': 'Bearer realm="mgateway admin"',
});

export function createGate({ token, openReads, log, clock }: GateOptions): Gate {
  const refusals = createRefusalLog((fields) => log.warn('admin access refused', fields), clock);
  const unusable = createRefusalLog(
    (fields) => log.error('the admin token cannot be used: nobody is let in', fields),
    clock,
  );

  const bearer = (request: IncomingMessage, needed: AdminToken): Reply | undefined => {
    const [, given] = /^Bearer +([\x21-\x7e]+) *$/i.exec(request.headers.authorization ?? '') ?? [];
    try {
      if (given !== undefined && needed.matches(given)) return undefined;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      unusable.note(reason, request);
      return unauthorized;
    }
    refusals.note(given === undefined ? 'no token' : 'wrong token', request);
    return unauthorized;
  };

  return {
    read(request) {
      if (openReads) return undefined;
      if (token !== undefined) return bearer(request, token);
      const detail = 'reads are open on a loopback address only, or with --admin-token-file';
      return problemReply(403, 'ERR_ADMIN_READS_CLOSED', detail);
    },
    write(request) {
      if (token === undefined) {
        const detail = 'without --admin-token-file nothing can be changed here';
        return problemReply(403, 'ERR_ADMIN_WRITES_CLOSED', detail);
      }
      if (!isSameOrigin(request)) {
        refusals.note('another origin', request);
        return problemReply(403, 'ERR_ADMIN_ORIGIN_REFUSED', 'pages of other sites may not do this');
      }
      return bearer(request, token);
    },
  };
}

/**
 * Browsers say where a request comes from, and a page cannot change that; programs say nothing. Beside the Host check this keeps
 * out pages of other sites, those of other ports of this host included.
 */
function isSameOrigin({ headers }: IncomingMessage): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false;
  const { origin, host = '' } = headers;
  return origin === undefined || origin.toLowerCase() === `http://${host.toLowerCase()}`;
}

/** One line at once, then one for every ten seconds in which there are more: guessing must not fill the disk. */
function createRefusalLog(write: (fields: Readonly<Record<string, unknown>>) => void, clock: Clock) {
  let count = 0;
  let last: { readonly reason: string; readonly client: string | undefined } | undefined;
  let isWaiting = false;
  const tell = (): void => {
    if (last === undefined) return;
    write({ ...last, attempts: count });
    count = 0;
    last = undefined;
    isWaiting = true;
    clock.after(logEveryMs, () => {
      isWaiting = false;
      tell();
    });
  };
  return {
    note(reason: string, { socket }: IncomingMessage): void {
      count += 1;
      last = { reason, client: socket.remoteAddress };
      if (!isWaiting) tell();
    },
  };
}
