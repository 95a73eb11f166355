import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from '../process/start.ts';
import { which } from '../process/which.ts';
import { nginxCommand } from './nginx.ts';

const head = '{"ok":true,"service":"bench-upstream","data":"';
export const smallBody = `${head}${'x'.repeat(128 - head.length - 2)}"}`;
export const largeBytes = 1024 * 1024;

/** What all subjects forward to: 128 bytes of JSON for every path, 1 MiB for `/bench/large`; nginx where it is installed. */
export function upstreamCommand(port: number, dir: string): Command {
  if (which('nginx') === undefined) {
    const program = fileURLToPath(new URL('../peers/upstream.mjs', import.meta.url));
    return {
      command: process.execPath,
      args: [program],
      env: { PORT: String(port), BODY: smallBody, LARGE_BYTES: String(largeBytes) },
    };
  }
  writeFileSync(join(dir, 'large'), Buffer.alloc(largeBytes, 'x'));
  return nginxCommand(
    dir,
    1,
    `server { listen 127.0.0.1:${port} reuseport backlog=4096;
  location = /bench/large { default_type application/octet-stream; alias ${dir}/large; }
  location / { default_type application/json; return 200 '${smallBody}'; } }`,
  );
}
