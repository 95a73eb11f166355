import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import type { ClientRequest, RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import type { ConnectionOptions as TlsOptions, SecureContext } from 'node:tls';
import type { EndpointSnapshot, HealthCheckSnapshot } from '../snapshot/model.ts';

export interface ProbeResult {
  readonly healthy: boolean;
  /** In a few words: `status 503`, `timeout`, `ECONNREFUSED`. */
  readonly reason: string;
}

export interface Probe {
  readonly endpoint: EndpointSnapshot;
  readonly check: HealthCheckSnapshot;
  /** Called once, unless cancelled. */
  readonly done: (result: ProbeResult) => void;
  /** Called once in any case, at `done` or later, when the connection is closed. */
  readonly closed: () => void;
}

/** Sends one check; the function that comes back cancels it. */
export type SendProbe = (probe: Probe) => () => void;

/**
 * Checks over real connections: each check opens its own, so that it sees what a new client sees. `GET` of the path; any
 * 2xx or 3xx answer within the timeout is good. `trust`: whom `https:` endpoints are verified by, asked for at the first
 * of them; default: the CAs of Node.
 */
export function createProbeSender(trust?: () => SecureContext): SendProbe {
  let secureContext: SecureContext | undefined;
  const http = new HttpAgent({ keepAlive: false });
  const https = new HttpsAgent({ keepAlive: false });
  const tlsOptions = ({ host }: EndpointSnapshot): TlsOptions => {
    secureContext ??= trust?.();
    return {
      // SNI names hosts, never addresses (RFC 6066 §3). Absent, Node would take the Host of the check, and verify against it.
      servername: isIP(host) === 0 ? host : '',
      ...(secureContext !== undefined && { secureContext }),
    };
  };

  return ({ endpoint, check, done, closed }) => {
    let waiting = true;
    const settle = (result: ProbeResult): void => {
      if (!waiting) return;
      waiting = false;
      done(result);
    };
    let request: ClientRequest;
    try {
      request = endpoint.tls
        ? httpsRequest({ ...requestOptions(endpoint, check), agent: https, ...tlsOptions(endpoint) })
        : httpRequest({ ...requestOptions(endpoint, check), agent: http });
    } catch (error) {
      // A path or host that cannot be sent; told later, like every other result.
      queueMicrotask(() => {
        settle({ healthy: false, reason: error instanceof Error ? error.message : 'cannot be sent' });
        closed();
      });
      return () => {
        waiting = false;
      };
    }
    // Of the whole check: connecting, waiting and reading.
    const timer = setTimeout(() => {
      settle({ healthy: false, reason: 'timeout' });
      request.destroy();
    }, check.timeoutMs);
    request.on('response', (response) => {
      const status = response.statusCode ?? 0;
      settle({ healthy: status >= 200 && status < 400, reason: `status ${status}` });
      // The answer is read to its end so that the endpoint sees no broken connection; the timer bounds it.
      response.on('error', () => {});
      response.resume();
    });
    // An answer that asks for another protocol is no answer to a check.
    request.on('upgrade', (_response, socket) => {
      settle({ healthy: false, reason: 'status 101' });
      socket.destroy();
    });
    request.on('error', (error: NodeJS.ErrnoException) => {
      settle({ healthy: false, reason: error.code ?? error.message });
    });
    request.on('close', () => {
      clearTimeout(timer);
      settle({ healthy: false, reason: 'closed without an answer' });
      closed();
    });
    request.end();

    return () => {
      waiting = false;
      request.destroy();
    };
  };
}

function requestOptions(endpoint: EndpointSnapshot, check: HealthCheckSnapshot): RequestOptions {
  return {
    host: endpoint.host,
    port: endpoint.port,
    method: 'GET',
    path: check.path,
    headers: {
      host: check.host ?? new URL(endpoint.url).host,
      'user-agent': 'mgateway-health-check',
      accept: '*/*',
      connection: 'close',
    },
  };
}
