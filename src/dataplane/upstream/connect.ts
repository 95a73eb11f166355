import type { Buffer } from 'node:buffer';
import * as net from 'node:net';
import * as tls from 'node:tls';
import type { EndpointSnapshot } from '../../snapshot/model.ts';
import { openClientConnection } from '../http1/client-connection.ts';
import { SharedBufferSocket } from '../http1/shared-buffer-socket.ts';
import type { Connect } from './connection-pool.ts';

/** What `https://` endpoints are verified with; made at first use, since few gateways have any. */
export interface TlsClient {
  readonly context: () => tls.SecureContext;
}

/** Heads of answers are larger than those of requests: they carry cookies and policies. */
const answerLimits = { headBytes: 65_536, headerFields: 200 };

/** How a TLS connection to `host` is opened and verified. */
export function tlsOptions(host: string, tlsClient: TlsClient): tls.ConnectionOptions {
  return {
    secureContext: tlsClient.context(),
    // An IP address has no place in SNI (RFC 6066 §3); the certificate is checked against it all the same. Absent, Node's
    // HTTP client, by which tunnels are opened, would take the Host that the client sent for it, and check against that.
    servername: net.isIP(host) === 0 ? host : '',
    ALPNProtocols: ['http/1.1'],
  };
}

/** Opens connections to one endpoint: TCP without delay, TLS with SNI and verified against the CAs. */
export function createConnect(endpoint: EndpointSnapshot, tlsClient: TlsClient, readBuffer: Buffer): Connect {
  return (events) => {
    const socket = endpoint.tls
      ? tls.connect({
          host: endpoint.host,
          port: endpoint.port,
          ...tlsOptions(endpoint.host, tlsClient),
        })
      : new SharedBufferSocket(readBuffer, {}).connect({ host: endpoint.host, port: endpoint.port });
    socket.setNoDelay(true);
    let over = false;
    const fail = (code: string): void => {
      if (over) return;
      over = true;
      events.failed(code);
    };
    const failed = (error: NodeJS.ErrnoException): void => fail(error.code ?? 'ECONNFAILED');
    const closed = (): void => fail('ECONNRESET');
    socket.once('error', failed);
    socket.once('close', closed);
    socket.once(endpoint.tls ? 'secureConnect' : 'connect', () => {
      if (over) return;
      over = true;
      // From here on the codec listens.
      socket.off('close', closed);
      events.opened(
        openClientConnection(socket, { ...answerLimits, closed: (connection) => events.closed(connection) }),
      );
      socket.off('error', failed);
    });
    return () => {
      over = true;
      socket.destroy();
    };
  };
}
