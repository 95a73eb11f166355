import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { which } from '../process/which.ts';
import type { Plan, Subject } from './subject.ts';

/** Either installed, or named by `CADDY`. */
const program = (): string | undefined => process.env['CADDY'] ?? which('caddy');

export const caddy: Subject = {
  name: 'caddy',
  variants: ['plain', 'full'],
  lacks: 'JWT, rate limit',
  verifiesTokens: false,
  missing: () =>
    program() === undefined
      ? 'caddy is not installed: `apt-get install caddy`, or CADDY=its path'
      : undefined,
  prepare(plan) {
    const config = join(plan.dir, 'caddy.json');
    writeFileSync(config, JSON.stringify(configuration(plan), undefined, 1));
    return {
      command: program() ?? 'caddy',
      args: ['run', '--config', config],
      env: { GOMAXPROCS: String(plan.workers), XDG_DATA_HOME: plan.dir, XDG_CONFIG_HOME: plan.dir },
    };
  },
};

function configuration({ variant, port, upstreamPort }: Plan): unknown {
  const isFull = variant === 'full';
  const forward = {
    handler: 'reverse_proxy',
    upstreams: [{ dial: `127.0.0.1:${upstreamPort}` }],
    ...(isFull && {
      headers: {
        request: { set: { 'X-Bench-Req': ['1'] } },
        response: { set: { 'X-Bench-Res': ['1'] } },
      },
    }),
    transport: {
      protocol: 'http',
      compression: false,
      keep_alive: { idle_timeout: '120s', max_idle_conns: 512, max_idle_conns_per_host: 512 },
    },
  };
  return {
    admin: { disabled: true, config: { persist: false } },
    logging: { logs: { default: { level: 'ERROR' } } },
    apps: {
      http: {
        ...(isFull && { metrics: {} }),
        servers: {
          bench: {
            listen: [`127.0.0.1:${port}`],
            automatic_https: { disable: true },
            routes: [
              ...(isFull ? [{ match: [{ path: ['/metrics'] }], handle: [{ handler: 'metrics' }] }] : []),
              { match: [{ path: ['/bench/*', '/ws'] }], handle: [forward], terminal: true },
              { handle: [{ handler: 'static_response', status_code: 404 }] },
            ],
          },
        },
      },
    },
  };
}
