import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from '../process/start.ts';
import type { Plan, Subject } from './subject.ts';
import { routeDocument } from './route-document.ts';
import { audience, issuer, secret } from './token.ts';

/** The program that `npm run build` makes. */
export const builtGateway = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

/** The gateway as built at `main`: two builds side by side show what a change gives. */
export function mgateway(name: string, main: string, node: string): Subject {
  return {
    name,
    variants: ['plain', 'full'],
    verifiesTokens: true,
    missing: () => (existsSync(main) ? undefined : `${main} is not built: \`npm run build\``),
    prepare(plan) {
      writeFileSync(join(plan.dir, 'gateway.yaml'), gatewayDocument(plan.port));
      const routes = [
        {
          name: 'bench',
          match: 'path: { prefix: /bench }',
          upstreamPort: plan.upstreamPort,
          ...(plan.variant === 'full' && { middlewares: full }),
        },
        { name: 'ws', match: 'path: { prefix: /ws }', upstreamPort: plan.upstreamPort },
      ];
      writeFileSync(join(plan.dir, 'routes.yaml'), routes.map(routeDocument).join(''));
      return gatewayCommand({ main, node }, plan);
    },
  };
}

export interface GatewayProgram {
  readonly main: string;
  readonly node: string;
}

/** Starts a built gateway on the resources in `plan.dir`. */
export function gatewayCommand(
  { main, node }: GatewayProgram,
  { dir, adminPort, workers }: Pick<Plan, 'dir' | 'adminPort' | 'workers'>,
  nodeArgs: readonly string[] = [],
): Command {
  return {
    command: node,
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

const full = `    - jwt:
        issuers:
          - { issuer: ${issuer}, audiences: [${audience}], secret: { env: BENCH_JWT_SECRET }, algorithms: [HS256] }
    - rateLimit: { requests: 1000000000, per: 1s }
    - requestHeaders: { set: { x-bench-req: "1" } }
    - responseHeaders: { set: { x-bench-res: "1" } }`;
