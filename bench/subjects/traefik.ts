import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { which } from '../process/which.ts';
import type { Plan, Subject } from './subject.ts';

/** Either installed, or named by `TRAEFIK`. */
const program = (): string | undefined => process.env['TRAEFIK'] ?? which('traefik');

/** `fastProxy`: its experimental forwarding instead of Go's own. */
export function traefik(name: string, fastProxy: boolean): Subject {
  return {
    name,
    variants: ['plain', 'full'],
    lacks: 'JWT',
    verifiesTokens: false,
    missing: () =>
      program() === undefined ? 'traefik is not installed: TRAEFIK=the path of its program' : undefined,
    prepare(plan) {
      const { variant, port, adminPort, workers, dir } = plan;
      // Read as YAML, which JSON is.
      const routes = join(dir, 'routes.yaml');
      writeFileSync(routes, JSON.stringify(configuration(plan), undefined, 1));
      const args = [
        `--entrypoints.web.address=127.0.0.1:${port}`,
        `--providers.file.filename=${routes}`,
        '--serverstransport.maxidleconnsperhost=512',
        '--log.level=ERROR',
        '--global.checknewversion=false',
        '--global.sendanonymoususage=false',
        ...(fastProxy ? ['--experimental.fastproxy=true'] : []),
        ...(variant === 'full'
          ? [
              `--entrypoints.metrics.address=127.0.0.1:${adminPort}`,
              '--metrics.prometheus.entrypoint=metrics',
              '--metrics.prometheus.addrouterslabels=true',
            ]
          : []),
      ];
      return { command: program() ?? 'traefik', args, env: { GOMAXPROCS: String(workers) } };
    },
  };
}

function configuration({ variant, upstreamPort }: Plan): unknown {
  const isFull = variant === 'full';
  return {
    http: {
      routers: {
        bench: {
          rule: 'PathPrefix(`/bench/`)',
          service: 'up',
          ...(isFull && { middlewares: ['limit', 'headers'] }),
        },
        tunnel: { rule: 'Path(`/ws`)', service: 'up' },
      },
      services: { up: { loadBalancer: { servers: [{ url: `http://127.0.0.1:${upstreamPort}` }] } } },
      ...(isFull && {
        middlewares: {
          limit: { rateLimit: { average: 1_000_000_000, burst: 1_000_000_000 } },
          headers: {
            headers: {
              customRequestHeaders: { 'X-Bench-Req': '1' },
              customResponseHeaders: { 'X-Bench-Res': '1' },
            },
          },
        },
      }),
    },
  };
}
