import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { which } from '../process/which.ts';
import type { Subject } from './subject.ts';
import { audience, issuer, secret } from './token.ts';

export const haproxy: Subject = {
  name: 'haproxy',
  variants: ['plain', 'full'],
  verifiesTokens: true,
  missing: () => (which('haproxy') === undefined ? 'haproxy is not installed' : undefined),
  prepare({ variant, port, upstreamPort, workers, dir }) {
    const config = join(dir, 'haproxy.cfg');
    writeFileSync(
      config,
      `global
  nbthread ${workers}
  maxconn 8000
defaults
  mode http
  timeout client 60s
  timeout server 60s
  timeout connect 5s
  timeout http-keep-alive 60s
  timeout tunnel 1h
  http-reuse always
  option http-keep-alive
frontend f
  bind 127.0.0.1:${port}
${variant === 'full' ? full : '  http-request return status 404 unless { path_beg /bench/ } or { path /ws }\n'}  default_backend b
backend b
  server s1 127.0.0.1:${upstreamPort} pool-max-conn 512 pool-purge-delay 60s
`,
    );
    return { command: which('haproxy') ?? 'haproxy', args: ['-db', '-f', config] };
  },
};

const full = `  stick-table type ip size 100k expire 10s store http_req_rate(1s)
  http-request use-service prometheus-exporter if { path /metrics }
  http-request return status 404 unless { path_beg /bench/ }
  http-request track-sc0 src
  http-request deny deny_status 429 if { sc_http_req_rate(0) gt 1000000000 }
  http-request set-var(txn.bearer) http_auth_bearer
  http-request set-var(txn.alg) var(txn.bearer),jwt_header_query('$.alg')
  http-request set-var(txn.exp) var(txn.bearer),jwt_payload_query('$.exp','int')
  http-request set-var(txn.now) date()
  http-request deny deny_status 401 unless { var(txn.alg) -m str HS256 }
  http-request deny deny_status 401 unless { var(txn.bearer),jwt_verify(txn.alg,"${secret}") 1 }
  http-request deny deny_status 401 if { var(txn.exp),sub(txn.now) -m int lt 0 }
  http-request deny deny_status 401 unless { var(txn.bearer),jwt_payload_query('$.iss') -m str ${issuer} }
  http-request deny deny_status 401 unless { var(txn.bearer),jwt_payload_query('$.aud') -m str ${audience} }
  http-request set-header X-Bench-Req 1
  http-response set-header X-Bench-Res 1
`;
