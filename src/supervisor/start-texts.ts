import type { PrepareFailure, Problem } from '../snapshot/messages.ts';
import type { Entry, ListenerSnapshot } from '../snapshot/model.ts';

/** Why nothing could be served at the first start; undefined: some listener is free. */
export function describeBlockedStart(
  failures: readonly PrepareFailure[],
  listeners: readonly Entry[],
): string | undefined {
  const blocked = listeners.flatMap((entry) => {
    const failure = failures.find(({ key }) => key === entry.key);
    return failure === undefined ? [] : describeBlocked(failure, JSON.parse(entry.json) as ListenerSnapshot);
  });
  return blocked.length === 0 || blocked.length < listeners.length ? undefined : blocked.join('\n');
}

function describeBlocked({ code, message }: PrepareFailure, listener: ListenerSnapshot): string {
  const where = `cannot listen on ${describeListener(listener.address, listener.port)} (listener ${listener.name})`;
  switch (code) {
    case 'AddressInUse':
      return `${where}: the port is in use by another program; end that, or give the listener another port in the Gateway resource`;
    case 'PermissionDenied':
      return `${where}: not permitted; ports below 1024 need a privilege (CAP_NET_BIND_SERVICE), or choose a higher port in the Gateway resource`;
    default:
      return `${where}: ${message.replace(`listener ${listener.name}: `, '')}`;
  }
}

/** As in a URL. */
export function describeListener(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** One line: `file:line:column path message (hint)`. */
export function describeProblem({ at, path, message, hint }: Problem): string {
  return `${at} ${path === '' ? '' : `${path} `}${message}${hint === undefined ? '' : ` (${hint})`}`;
}
