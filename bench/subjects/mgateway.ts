import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from '../process/start.ts';
import type { Plan, Subject } from './subject.ts';
import { audience, issuer, secret } from './token.ts';

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

export const mgateway: Subject = {
  name: 'mgateway',
  variants: ['plain', 'full'],
  verifiesTokens: true,
  missing: () => (existsSync(main) ? undefined : 'dist/main.js is not built: `npm run build`'),
  prepare(plan) {
    writeFileSync(join(plan.dir, 'gateway.yaml'), gatewayDocument(plan.port));
    const middlewares = plan.variant === 'full' ? full : '';
    writeFileSync(
      join(plan.dir, 'routes.yaml'),
      `${routeDocument('bench', '/bench', plan.upstreamPort, middlewares)}---\n${routeDocument('ws', '/ws', plan.upstreamPort)}`,
    );
    return gatewayCommand(plan);
  },
};

/** Starts the built gateway on the resources in `plan.dir`. */
export function gatewayCommand(
  { dir, adminPort, workers }: Pick<Plan, 'dir' | 'adminPort' | 'workers'>,
  nodeArgs: readonly string[] = [],
): Command {
  return {
    command: process.execPath,
    args: [
      ...nodeArgs,
      main,
      'serve',
      '--config',
      dir,
      '--admin',
      `127.0.0.1:${adminPort}`,
      '--workers',
      String(workers),
      '--log-level',
      'warn',
      '--shutdown-delay',
      '0s',
      '--drain-timeout',
      '1s',
    ],
    env: { BENCH_JWT_SECRET: secret, NODE_ENV: 'production' },
  };
}

export function gatewayDocument(port: number): string {
  return `apiVersion: mgateway.dev/v1alpha1
kind: Gateway
metadata: { name: bench }
spec:
  listeners: [{ name: http, port: ${port}, address: 127.0.0.1 }]
`;
}

function routeDocument(name: string, prefix: string, upstreamPort: number, middlewares = ''): string {
  return `apiVersion: mgateway.dev/v1alpha1
kind: Route
metadata: { name: ${name} }
spec:
  matches: [{ path: { prefix: ${prefix} } }]
${middlewares}  upstreams: [{ url: "http://127.0.0.1:${upstreamPort}" }]
`;
}

const full = `  middlewares:
    - jwt:
        issuers:
          - { issuer: ${issuer}, audiences: [${audience}], secret: { env: BENCH_JWT_SECRET }, algorithms: [HS256] }
    - rateLimit: { requests: 1000000000, per: 1s }
    - requestHeaders: { set: { x-bench-req: "1" } }
    - responseHeaders: { set: { x-bench-res: "1" } }
`;
