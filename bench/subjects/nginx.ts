import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from '../process/start.ts';
import { which } from '../process/which.ts';
import type { Plan, Subject } from './subject.ts';

export const nginx: Subject = {
  name: 'nginx',
  variants: ['plain', 'full'],
  lacks: 'JWT, Prometheus metrics',
  verifiesTokens: false,
  missing: () => (which('nginx') === undefined ? 'nginx is not installed' : undefined),
  prepare: ({ variant, port, upstreamPort, workers, dir }) =>
    nginxCommand(
      dir,
      workers,
      `map $http_upgrade $connection_field { default ""; websocket upgrade; }
 ${variant === 'full' ? 'limit_req_zone $binary_remote_addr zone=rl:1m rate=2000000r/s;' : ''}
 upstream up { server 127.0.0.1:${upstreamPort}; keepalive 128; keepalive_requests 1000000; }
 server { listen 127.0.0.1:${port} reuseport backlog=4096;
  location /bench/ { proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host; ${variant === 'full' ? full : ''} }
  location /ws { proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_field; proxy_read_timeout 3600s; } }`,
    ),
};

const full =
  'limit_req zone=rl burst=1000000 nodelay; proxy_set_header X-Bench-Req 1; add_header X-Bench-Res 1;';

/** Starts nginx in the foreground with `http` inside its http block; it writes below `dir` only. */
export function nginxCommand(dir: Plan['dir'], workers: number, http: string): Command {
  const config = join(dir, 'nginx.conf');
  writeFileSync(
    config,
    `worker_processes ${workers}; daemon off; pid ${dir}/nginx.pid; error_log stderr error;
events { worker_connections 16384; multi_accept on; }
http { access_log off; server_tokens off; keepalive_requests 1000000; keepalive_timeout 3600s; tcp_nodelay on;
 client_body_temp_path ${dir}/b; proxy_temp_path ${dir}/p; fastcgi_temp_path ${dir}/f; uwsgi_temp_path ${dir}/u; scgi_temp_path ${dir}/s;
 ${http} }
`,
  );
  return { command: which('nginx') ?? 'nginx', args: ['-e', 'stderr', '-p', dir, '-c', config] };
}
